// A transaction whose connection is killed under it: it fails as one that may come again, nothing of it is written
// later, and the pool and the process go on. What the driver throws where nobody can catch it fails the run itself.
import { sql } from 'drizzle-orm';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { databaseAway } from '../../../platform/database-errors.ts';
import { connectDatabase, type Database, selectRows, type Tx } from '../../../platform/index.ts';
import { withDatabase } from '../../support/database.ts';
import { eventually } from '../../support/eventually.ts';

const { database, ownerSql, appUrl } = withDatabase();
let one: Database;

beforeAll(async () => {
  await ownerSql`create table public.kept (word text)`;
  await ownerSql.unsafe(
    'grant usage on schema public to public; grant all on public.kept to public',
  );
  // One connection, so that whoever comes next gets the place of the one that was lost.
  one = connectDatabase({ url: appUrl, max: 1, applicationName: 'test-lost' });
});
afterAll(() => one.close());

const keep = (tx: Tx, word: string) => tx.execute(sql`insert into public.kept values (${word})`);

/** The session, as its own role sees it. */
const session = async () => {
  const [row] = await selectRows<{ pid: number; query: string }>(
    database.db,
    sql`select pid, query from pg_stat_activity where application_name = 'test-lost'`,
  );
  return row;
};

/** Kills the session and resolves when it is gone. */
async function kill(): Promise<void> {
  const { pid } = (await session()) ?? {};
  const rows = await selectRows(
    database.db,
    sql`select pg_terminate_backend(${pid}, 5000) as gone`,
  );
  expect(rows).toEqual([{ gone: true }]);
}

/** Starts a statement that takes long, and kills its session while it runs. */
async function killedWhileItRuns(tx: Tx): Promise<void> {
  const running = tx.execute(sql`select pg_sleep(20)`);
  running.catch(() => {}); // awaited below
  await eventually(async () => (await session())?.query.includes('pg_sleep'));
  await kill();
  await running;
}

const acts: { what: string; act(tx: Tx): Promise<unknown> }[] = [
  { what: 'while a statement runs', act: killedWhileItRuns },
  {
    what: 'while a statement runs, and the act tries another',
    act: async (tx) => {
      await killedWhileItRuns(tx).catch(() => {});
      await keep(tx, 'after the loss');
    },
  },
  {
    what: 'while a statement runs, and the act ends as if nothing were',
    act: (tx) => killedWhileItRuns(tx).catch(() => {}),
  },
  {
    what: 'in a savepoint, and the act tries another statement',
    act: async (tx) => {
      await tx.transaction((inner) => killedWhileItRuns(inner)).catch(() => {});
      await keep(tx, 'after the savepoint');
    },
  },
  {
    what: 'between two statements, while others have come',
    act: async (tx) => {
      await kill();
      await eventually(async () => (await selectRows(one.db, sql`select`)).length === 1);
      await keep(tx, 'in a later session');
    },
  },
  {
    what: 'between the last statement and the commit',
    act: kill,
  },
];

test.each(acts)('killed $what, a transaction fails and the pool goes on', async ({ act }) => {
  const error = await one
    .transaction(async (tx) => {
      await keep(tx, 'before');
      await act(tx);
    })
    .then(
      () => undefined,
      (failure: unknown) => failure,
    );
  expect(databaseAway(error)?.code).toBe('platform.database_away');
  // The next session may answer its first statement with the end of the one before it.
  await eventually(async () => (await one.db.execute(sql`select`)) !== undefined);
  await one.transaction((tx) => keep(tx, 'the next'));
  expect(await ownerSql`delete from public.kept returning word`).toMatchObject([
    { word: 'the next' },
  ]);
});
