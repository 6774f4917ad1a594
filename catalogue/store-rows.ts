// SQL over row tables: one real table per resource in catalogue_rows, columns c1, c2, … (README says why).
import { type SQL, sql } from 'drizzle-orm';
import { selectRows, type Tx } from '../platform/index.ts';
import type { Cell, RowTable } from './row-table.ts';
import { jsonParameter } from './store-datasets.ts';
import { type RowField, uuidOrNull } from './store-read.ts';
import { tsqueryLiteral, tsvectorLiteral } from './text-tokens.ts';

/** Rows in one INSERT; 2,000 rows of ten columns are a parameter of about 200 kB. */
const batchSize = 2000;

/** A row as it comes out: keys are the columns' own names. */
export type RowRecord = Record<string, string | number | boolean | null>;

export type Comparison = 'eq' | 'lt' | 'lte' | 'gt' | 'gte';

/** `column` is a name of the table or `_id`; several values are alternatives. */
export interface RowFilter {
  column: string;
  comparison: Comparison;
  values: string[];
}

export interface RowQuery {
  filters: readonly RowFilter[];
  /** Words anywhere in the row. */
  words: string;
  /** Text contained in one column. */
  columnWords: readonly { column: string; text: string }[];
  columns: readonly string[];
  sort: readonly { column: string; isDescending: boolean }[];
  isDistinct: boolean;
  limit: number;
  offset: number;
}

/** Makes a table with these rows, numbered from 1, and returns once it is indexed. */
export async function createRowTable(tx: Tx, name: string, table: RowTable): Promise<void> {
  await tx.execute(sql`select catalogue.make_row_table(${name},
    array(select jsonb_array_elements_text(${jsonParameter(table.fields.map(({ type }) => type))})))`);
  const names = sql.join(
    table.fields.map((_, at) => sql.raw(`c${at + 1}`)),
    sql`, `,
  );
  const values = sql.join(
    table.fields.map(({ type }, at) => sql.raw(`(r->>${at + 1})::${type}`)),
    sql`, `,
  );
  for (let start = 0; start < table.rows.length; start += batchSize) {
    const batch = table.rows
      .slice(start, start + batchSize)
      .map((row, at) => [start + at + 1, ...row, searchOf(row)]);
    await tx.execute(sql`
      insert into ${tableOf(name)} (_id, ${names}, _search)
      select (r->>0)::bigint, ${values}, (r->>${sql.raw(String(table.fields.length + 1))})::tsvector
      from jsonb_array_elements(${jsonParameter(batch)}) as r`);
  }
  await tx.execute(sql`select catalogue.index_row_table(${name})`);
}

function searchOf(row: readonly Cell[]): string {
  return tsvectorLiteral(row.map((cell) => ({ text: cell ?? '', weight: 'D' })));
}

/** Is there such a resource? Whatever the state of its dataset. */
export async function findResource(tx: Tx, resourceId: string): Promise<boolean> {
  const rows = await selectRows<{ id: string }>(
    tx,
    sql`select id from catalogue.resources where id = ${uuidOrNull(resourceId)}::uuid`,
  );
  return rows.length > 0;
}

/** Puts the new table behind a resource and drops the one it had. */
export async function attachRowTable(
  tx: Tx,
  resourceId: string,
  table: { name: string; fields: RowField[]; count: number },
  at: Date,
): Promise<void> {
  const [before] = await selectRows<{ rowTable: string | null }>(
    tx,
    sql`select row_table as "rowTable" from catalogue.resources where id = ${resourceId} for update`,
  );
  await tx.execute(sql`
    update catalogue.resources
    set row_table = ${table.name}, row_count = ${table.count},
      row_fields = ${jsonParameter(table.fields)}, changed_at = ${at.toISOString()}
    where id = ${resourceId}`);
  if (before?.rowTable) await tx.execute(sql`select catalogue.drop_row_table(${before.rowTable})`);
}

/** One page of rows. */
export async function selectPage(
  tx: Tx,
  name: string,
  fields: readonly RowField[],
  query: RowQuery,
): Promise<RowRecord[]> {
  const columns = query.columns.map((column) => ({ column, as: columnOf(fields, column) }));
  const order = query.sort.map(({ column, isDescending }) =>
    isDescending
      ? sql`${columnOf(fields, column)} desc nulls last`
      : sql`${columnOf(fields, column)} nulls last`,
  );
  const chosen = sql.join(
    columns.map(({ as }, at) => sql`${as} as ${sql.identifier(`v${at}`)}`),
    sql`, `,
  );
  const sorting = query.isDistinct ? order : [...order, sql`_id`];
  const rows = await selectRows<Record<string, unknown>>(
    tx,
    sql`select ${query.isDistinct ? sql`distinct` : sql``} ${chosen} from ${tableOf(name)}
      where ${conditionOf(fields, query)}
      ${sorting.length === 0 ? sql`` : sql`order by ${sql.join(sorting, sql`, `)}`}
      limit ${query.limit} offset ${query.offset}`,
  );
  return rows.map((row) =>
    Object.fromEntries(
      columns.map(({ column }, at) => [column, cellValue(row[`v${at}`], typeOf(fields, column))]),
    ),
  );
}

/** How many rows the query's conditions leave. */
export async function countRows(
  tx: Tx,
  name: string,
  fields: readonly RowField[],
  query: RowQuery,
): Promise<number> {
  const of = query.isDistinct
    ? sql`(select distinct ${sql.join(
        query.columns.map((column) => columnOf(fields, column)),
        sql`, `,
      )} from ${tableOf(name)} where ${conditionOf(fields, query)}) rows`
    : sql`${tableOf(name)} where ${conditionOf(fields, query)}`;
  const rows = await selectRows<{ count: number }>(
    tx,
    sql`select count(*)::int as count from ${of}`,
  );
  return rows[0]?.count ?? 0;
}

/** Bytes of a row table and of its indexes. */
export async function sizeOfRows(tx: Tx, name: string): Promise<{ size: number; indexes: number }> {
  const qualified = `catalogue_rows.${name}`;
  const rows = await selectRows<{ size: number; indexes: number }>(
    tx,
    sql`select pg_table_size(${qualified}::regclass)::float8 as size,
      pg_indexes_size(${qualified}::regclass)::float8 as indexes`,
  );
  return rows[0] ?? { size: 0, indexes: 0 };
}

function tableOf(name: string): SQL {
  return sql`catalogue_rows.${sql.identifier(name)}`;
}

function columnOf(fields: readonly RowField[], column: string): SQL {
  if (column === '_id') return sql`_id`;
  const at = fields.findIndex(({ id }) => id === column);
  if (at < 0) throw new TypeError(`Columns are checked before: ${column}`);
  return sql.raw(`c${at + 1}`);
}

function typeOf(fields: readonly RowField[], column: string): RowField['type'] | 'int' {
  return column === '_id' ? 'int' : (fields.find(({ id }) => id === column)?.type ?? 'text');
}

const signs: Record<Comparison, SQL> = {
  eq: sql`=`,
  lt: sql`<`,
  lte: sql`<=`,
  gt: sql`>`,
  gte: sql`>=`,
};

function conditionOf(fields: readonly RowField[], query: RowQuery): SQL {
  const conditions = query.filters.map(({ column, comparison, values }) => {
    const type = typeOf(fields, column);
    const cast = sql.raw(type === 'int' ? 'bigint' : type);
    const alternatives = values.map(
      (value) => sql`${columnOf(fields, column)} ${signs[comparison]} ${value}::text::${cast}`,
    );
    return alternatives.length === 0 ? sql`false` : sql`(${sql.join(alternatives, sql` or `)})`;
  });
  const literal = tsqueryOfWords(query.words);
  if (literal !== null) conditions.push(sql`_search @@ ${literal}::tsquery`);
  for (const { column, text } of query.columnWords) {
    conditions.push(sql`strpos(lower(${columnOf(fields, column)}::text), lower(${text})) > 0`);
  }
  return conditions.length === 0 ? sql`true` : sql.join(conditions, sql` and `);
}

function tsqueryOfWords(words: string): string | null {
  const literals = words
    .split(/\s+/)
    .map((word) => tsqueryLiteral(word))
    .filter((literal) => literal !== null);
  return literals.length === 0 ? null : literals.map((literal) => `(${literal})`).join(' & ');
}

/** The driver gives numbers, days and moments as text; answers carry numbers and ISO moments. */
function cellValue(value: unknown, type: RowField['type'] | 'int'): RowRecord[string] {
  if (value === null || value === undefined) return null;
  if (typeof value === 'boolean') return value;
  if (type === 'numeric' || type === 'int') return Number(value);
  return type === 'timestamp' ? String(value).replace(' ', 'T') : String(value);
}
