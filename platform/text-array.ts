// Lists in SQL: the query builder spreads arrays into separate parameters; these stay one.
import { type SQL, sql } from 'drizzle-orm';

/** A text[] from strings, whatever they hold. */
export function textArray(values: readonly string[]): SQL {
  return sql`array(select jsonb_array_elements_text(${JSON.stringify(values)}::text::jsonb))`;
}
