// schema.ts is what the types say of the tables; the migration is what they are.
import { getTableConfig, PgTable } from 'drizzle-orm/pg-core';
import { expect, test } from 'vitest';
import * as schema from '../../../exchange/schema.ts';
import { withDatabase } from '../../support/database.ts';

const { ownerSql } = withDatabase();

const tables = Object.values(schema).flatMap((member) => (member instanceof PgTable ? member : []));

test('every table has the columns the schema gives it, of its type, and no others', async () => {
  const columns = await ownerSql<
    { table: string; name: string; type: string; required: boolean }[]
  >`
    select c.relname as table, a.attname as name, format_type(a.atttypid, a.atttypmod) as type,
      a.attnotnull as required
    from pg_class c join pg_attribute a on a.attrelid = c.oid
    where c.relnamespace = 'exchange'::regnamespace and c.relkind in ('r', 'p')
      and not c.relispartition and a.attnum > 0 and not a.attisdropped`;
  const found = columns.map(({ table, name, type, required }) =>
    [table, name, type, required].join(' '),
  );
  const declared = tables.flatMap((table) => {
    const { name, columns, primaryKeys } = getTableConfig(table);
    const keys = new Set(primaryKeys.flatMap((key) => key.columns.map((column) => column.name)));
    return columns.map((column) =>
      [name, column.name, column.getSQLType(), column.notNull || keys.has(column.name)].join(' '),
    );
  });
  expect(declared.sort()).toEqual(found.sort());
});

test('a question is found by its id without a look at other partitions', async () => {
  const plan = await ownerSql`
    explain select * from exchange.verifications
    where id = '019b7a00-0000-7000-8000-000000000000'`;
  const text = plan.map((row) => String(Object.values(row)[0])).join('\n');
  expect(text).toMatch(/verifications_2026/);
  expect(text).not.toMatch(/verifications_2027|verifications_other/);
});
