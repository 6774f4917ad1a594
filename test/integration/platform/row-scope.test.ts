// The seam of row-level security: what a scope sets lasts exactly as long as its transaction.
import { sql } from 'drizzle-orm';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  checkWall,
  connectDatabase,
  databaseFault,
  openRows,
  type RowScope,
  selectRows,
  systemScope,
  type Tx,
} from '../../../platform/index.ts';
import { withDatabase } from '../../support/database.ts';

const { appUrl, ownerSql, ownerUrl } = withDatabase();
// One connection: whatever a transaction leaves behind, the next one meets.
const database = connectDatabase({ url: appUrl, max: 1, applicationName: 'test-row-scope' });
afterAll(() => database.close());

beforeAll(async () => {
  await ownerSql.unsafe(`
    create schema walled;
    grant usage on schema walled to public;
    create table walled.notes (owner text, word text);
    grant select, insert, update, delete on walled.notes to public;
    alter table walled.notes enable row level security;
    create policy own on walled.notes
      using (owner = platform.acting_organisation() or platform.acts_as_system());
    insert into walled.notes values ('housing', 'h'), ('civil', 'c')`);
});

const words = async (tx: Tx) =>
  (await selectRows<{ word: string }>(tx, sql`select word from walled.notes order by word`)).map(
    ({ word }) => word,
  );
const wordsAs = (scope: RowScope) => database.as(scope).transaction(words);
const housing: RowScope = { organisation: 'housing' };

test('a transaction sees the rows of its scope, also at another isolation level', async () => {
  expect(await wordsAs(housing)).toEqual(['h']);
  expect(await wordsAs(systemScope)).toEqual(['c', 'h']);
  for (const isolation of ['repeatable read', 'serializable'] as const) {
    const seen = await database.as(housing).transaction(
      async (tx) => {
        const [row] = await selectRows<{ level: string }>(
          tx,
          sql`select current_setting('transaction_isolation') as level`,
        );
        return [row?.level, ...(await words(tx))];
      },
      { isolation },
    );
    expect(seen).toEqual([isolation, 'h']);
  }
});

test('a forgotten scope finds nothing, changes nothing and may write nothing', async () => {
  for (const forgotten of [
    <T>(act: (tx: Tx) => Promise<T>) => act(database.db),
    <T>(act: (tx: Tx) => Promise<T>) => database.transaction(act),
    <T>(act: (tx: Tx) => Promise<T>) => database.as({}).transaction(act),
    <T>(act: (tx: Tx) => Promise<T>) => database.as({ organisation: '' }).transaction(act),
  ]) {
    expect(await forgotten(words)).toEqual([]);
    await forgotten((tx) => tx.execute(sql`update walled.notes set word = 'x'`));
    await forgotten((tx) => tx.execute(sql`delete from walled.notes`));
    const refusal = await forgotten((tx) =>
      tx.execute(sql`insert into walled.notes values ('housing', 'new')`),
    ).catch((error: unknown) => databaseFault(error)?.code);
    expect(refusal).toBe('42501');
  }
  expect(await ownerSql`select word from walled.notes order by word`).toEqual([
    { word: 'c' },
    { word: 'h' },
  ]);
});

test('a scope does not reach into the next transaction of its connection', async () => {
  const failure = new Error('no');
  const endings: (() => Promise<unknown>)[] = [
    () => wordsAs(housing),
    () =>
      database.as(housing).transaction(async (tx) => {
        await openRows(tx, systemScope);
        expect(await words(tx)).toEqual(['c', 'h']);
      }),
    () =>
      database.as(systemScope).transaction(async () => {
        throw failure;
      }),
    () => database.as(systemScope).transaction((tx) => tx.execute(sql`select 1 / 0`)),
    // Nothing is awaited: the act ends before its scope was set.
    () => database.as(systemScope).transaction(async () => undefined),
    () =>
      database.as(housing).transaction((tx) =>
        tx
          .transaction(async (inner) => {
            await openRows(inner, systemScope);
            throw failure;
          })
          .catch(async () => {
            // What a savepoint opened is closed when it is rolled back.
            expect(await words(tx)).toEqual(['h']);
          }),
      ),
  ];
  for (const end of endings) {
    await end().catch(() => undefined);
    expect(await words(database.db)).toEqual([]);
    expect(await database.transaction(words)).toEqual([]);
    expect(await wordsAs({ organisation: 'civil' })).toEqual(['c']);
  }
});

test('a transaction that is run again has its scope again', async () => {
  let runs = 0;
  const seen = await database.as(housing).transaction(async (tx) => {
    runs += 1;
    if (runs < 3) {
      await tx.execute(
        sql`do $$ begin raise exception using errcode = 'serialization_failure'; end $$`,
      );
    }
    return words(tx);
  });
  expect([runs, seen]).toEqual([3, ['h']]);
});

test('opening replaces what stood in a setting, and leaves the others', async () => {
  const seen = await database
    .as({ organisation: 'housing', person: 'x' })
    .transaction(async (tx) => {
      await openRows(tx, {});
      await openRows(tx, { organisation: 'civil' });
      const [row] = await selectRows<{ person: string }>(
        tx,
        sql`select current_setting('yihao.person') as person`,
      );
      return [row?.person, ...(await words(tx))];
    });
  expect(seen).toEqual(['x', 'c']);
});

test('a value with quotes is a value', async () => {
  expect(
    await wordsAs({ organisation: "housing', true), set_config('yihao.system', 'on" }),
  ).toEqual([]);
});

test('the app role can neither switch the wall off nor climb over it', async () => {
  for (const statement of [
    'alter table walled.notes disable row level security',
    'drop policy own on walled.notes',
    'create policy mine on walled.notes using (true)',
    'alter table walled.notes owner to current_user',
    'create or replace function platform.acts_as_system() returns boolean language sql return true',
    'alter role current_user bypassrls',
    'set session authorization default; alter table walled.notes disable row level security',
  ]) {
    const code = await database.db.execute(sql.raw(statement)).then(
      () => undefined,
      (error: unknown) => databaseFault(error)?.code,
    );
    expect([statement, code]).toEqual([statement, '42501']);
  }
  // Asking PostgreSQL not to filter makes it refuse, not show.
  const off = await database
    .transaction(async (tx) => {
      await tx.execute(sql`set local row_security = off`);
      return words(tx);
    })
    .catch((error: unknown) => databaseFault(error)?.code);
  expect(off).toBe('42501');
  const [role] = await selectRows<Record<string, unknown>>(
    database.db,
    sql`select rolsuper, rolbypassrls, rolcreaterole, rolinherit,
        exists (select from pg_class where relowner = r.oid) as owns,
        exists (select from pg_auth_members where member = r.oid) as "isMember"
      from pg_roles r where rolname = current_user`,
  );
  expect(role).toEqual({
    rolsuper: false,
    rolbypassrls: false,
    rolcreaterole: false,
    rolinherit: false,
    owns: false,
    isMember: false,
  });
});

test('a house does not run as a role that the wall does not bind', async () => {
  await expect(checkWall(database.db)).resolves.toBeUndefined();
  const owner = connectDatabase({ url: ownerUrl, max: 1, applicationName: 'test-owner' });
  try {
    await expect(checkWall(owner.db)).rejects.toMatchObject({
      code: 'platform.database_unfit',
      detail: expect.stringContaining('it owns tables'),
    });
  } finally {
    await owner.close();
  }
});
