// Pieces of SQL that several stores use.
import { type SQL, sql } from 'drizzle-orm';

/** An instant as a parameter; null stays null. */
export function moment(value: Date | null): SQL {
  return sql`${value?.toISOString() ?? null}::timestamptz`;
}

/** A column's instant as milliseconds since 1970, which the driver gives as a number or null. */
export function milliseconds(column: SQL): SQL {
  return sql`(extract(epoch from ${column}) * 1000)::float8`;
}

/** A JSON value as a parameter. */
export function jsonText(value: unknown): SQL {
  return sql`${JSON.stringify(value)}::text::json`;
}
