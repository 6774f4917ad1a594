// Pieces of SQL that the registry's stores share.
import { type SQL, sql } from 'drizzle-orm';

/** A time as the API writes it, cut to milliseconds. */
export function isoTime(time: SQL): SQL {
  return sql`to_char(${time} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;
}

/** A list for `in (…)`; of none, one that holds nothing. */
export function textList(values: readonly string[]): SQL {
  return sql`select jsonb_array_elements_text(${JSON.stringify(values)}::text::jsonb)`;
}
