import { sql } from 'drizzle-orm';
import { expect, test } from 'vitest';
import {
  connectDatabase,
  databaseFault,
  dbNow,
  isUniqueViolation,
  selectRows,
  sendAlong,
} from '../../../platform/index.ts';
import { withDatabase } from '../../support/database.ts';
import { eventually } from '../../support/eventually.ts';

const { database, logDatabase, ownerSql, appUrl, setClockOffset } = withDatabase();

test('the app and log roles cannot define anything', async () => {
  for (const statement of [
    'create schema mine',
    'create table public.mine (id int)',
    'create table platform.mine (id int)',
    'create temporary table mine (id int)',
    'alter table platform.migrations add column mine int',
    'create role mine',
  ]) {
    for (const { db } of [database, logDatabase]) {
      const error = await db.execute(sql.raw(statement)).then(
        () => undefined,
        (refusal: unknown) => databaseFault(refusal)?.code,
      );
      expect([statement, error]).toEqual([statement, '42501']);
    }
  }
});

test('the clock of the database moves for every connection of both roles', async () => {
  const day = 86_400_000;
  await setClockOffset(day);
  const [{ real } = { real: '' }] = await ownerSql<
    { real: string }[]
  >`select clock_timestamp() as real`;
  const times = await Promise.all(
    [...Array(10)].map(() => dbNow(database.db)).concat([dbNow(logDatabase.db)]),
  );
  for (const time of times) {
    expect(Math.abs(time.getTime() - new Date(real).getTime() - day)).toBeLessThan(5_000);
  }
  await setClockOffset(0);
  expect((await dbNow(database.db)).getTime()).toBeLessThan(new Date(real).getTime() + day / 2);
});

test('a transaction is all or nothing', async () => {
  await ownerSql`create table public.notes (id int primary key, word text)`;
  await ownerSql.unsafe(
    `grant usage on schema public to public; grant all on public.notes to public`,
  );
  const failure = new Error('no');
  await expect(
    database.transaction(async (tx) => {
      await tx.execute(sql`insert into public.notes values (1, 'half')`);
      throw failure;
    }),
  ).rejects.toBe(failure);
  expect(await ownerSql`select * from public.notes`).toEqual([]);
});

test('a unique violation is recognised through the layers above it, by name', async () => {
  const insert = () => database.db.execute(sql`insert into public.notes values (7, 'seven')`);
  await insert();
  const error = await insert().catch((refusal: unknown) => refusal);
  expect([
    isUniqueViolation(error),
    isUniqueViolation(error, 'notes_pkey'),
    isUniqueViolation(error, 'another'),
    isUniqueViolation(new Error('no')),
  ]).toEqual([true, true, false, false]);
});

test('serializable transactions that collide are run again until each has had its effect', async () => {
  await ownerSql`insert into public.notes values (100, '0')`;
  let runs = 0;
  await Promise.all(
    [1, 2, 3, 4].map(() =>
      database.transaction(
        async (tx) => {
          runs += 1;
          const [row] = await selectRows<{ word: string }>(
            tx,
            sql`select word from public.notes where id = 100`,
          );
          await tx.execute(
            sql`update public.notes set word = ${String(Number(row?.word) + 1)} where id = 100`,
          );
        },
        { isolation: 'serializable' },
      ),
    ),
  );
  expect(await ownerSql`select word from public.notes where id = 100`).toEqual([{ word: '4' }]);
  expect(runs).toBeGreaterThan(4);
});

test('two transactions that lock crosswise both come through', async () => {
  await ownerSql`insert into public.notes values (201, ''), (202, '')`;
  const bothHold = new Set<number>();
  const cross = (first: number, second: number) =>
    database.transaction(async (tx) => {
      const mark = (id: number) =>
        tx.execute(sql`update public.notes set word = word || 'x' where id = ${id}`);
      await mark(first);
      bothHold.add(first);
      await eventually(() => bothHold.size === 2);
      await mark(second);
    });
  await Promise.all([cross(201, 202), cross(202, 201)]);
  expect(await ownerSql`select word from public.notes where id in (201, 202)`).toEqual([
    { word: 'xx' },
    { word: 'xx' },
  ]);
});

test('a refusal that is no collision is not tried again', async () => {
  let runs = 0;
  await expect(
    database.transaction(async (tx) => {
      runs += 1;
      await tx.execute(sql`select 1 / 0`);
    }),
  ).rejects.toThrow();
  expect(runs).toBe(1);
});

test('a statement without end is stopped by its time limit', async () => {
  const hasty = connectDatabase({
    url: appUrl,
    max: 1,
    applicationName: 'hasty',
    statementTimeoutSeconds: 1,
  });
  const error = await hasty.db.execute(sql`select pg_sleep(30)`).catch((stop: unknown) => stop);
  expect(databaseFault(error)?.code).toBe('57014');
  await hasty.close();
});

test('notifications come, stop when unlistened, and resume with a hint after a lost connection', async () => {
  const heard: string[] = [];
  const say = (word: string) => database.db.execute(sql`select pg_notify('words', ${word})`);
  const stop = await database.listen('words', (word) => heard.push(word));
  await say('one');
  await eventually(() => heard.length === 1);
  // As the role itself: of another's sessions PostgreSQL shows nothing.
  await database.db.execute(sql`select pg_terminate_backend(pid) from pg_stat_activity
    where datname = current_database() and query ilike 'listen%'`);
  await eventually(() => heard.includes(''));
  await say('two');
  await eventually(() => heard.includes('two'));
  expect(heard).toEqual(['one', '', 'two']);
  await database.listen('words', (word) => heard.push(`also ${word}`));
  await stop();
  await say('three');
  await eventually(() => heard.includes('also three'));
  expect(heard).toEqual(['one', '', 'two', 'also three']);
});

test('a statement with parameters is prepared once in a session, outside and inside transactions', async () => {
  const single = connectDatabase({ url: appUrl, max: 1, applicationName: 'test-prepared' });
  try {
    const prepared = () =>
      selectRows<{ statement: string }>(
        single.db,
        sql`select statement from pg_catalog.pg_prepared_statements where statement like '%asked by a test%'`,
      );
    for (const word of ['one', 'two']) {
      await single.db.execute(sql`select ${word}::text as "asked by a test"`);
      await single.transaction((tx) =>
        tx.transaction((inner) => inner.execute(sql`select ${word}::text as "asked by a test"`)),
      );
    }
    expect(await prepared()).toEqual([{ statement: 'select $1::text as "asked by a test"' }]);
  } finally {
    await single.close();
  }
});

test('a statement sent along takes part in its transaction, and fails it also where it was the last', async () => {
  await ownerSql`create table public.words (word text primary key check (word <> 'bad'))`;
  await ownerSql`grant all on public.words to public`;
  const insert = 'insert into public.words values ($1)';
  const words = async () =>
    (await ownerSql<{ word: string }[]>`select word from public.words order by 1`).map(
      ({ word }) => word,
    );
  await database.transaction(async (tx) => {
    await sendAlong(tx, insert, ['one']);
    const seen = await selectRows<{ word: string }>(tx, sql`select word from public.words`);
    expect(seen).toEqual([{ word: 'one' }]);
    await sendAlong(tx, insert, ['two']);
  });
  expect(await words()).toEqual(['one', 'two']);

  const isRefused = (error: unknown) => databaseFault(error)?.code === '23514';
  const lastOfAll = database.transaction(async (tx) => {
    await sendAlong(tx, insert, ['three']);
    await sendAlong(tx, insert, ['bad']);
    return 'done';
  });
  await expect(lastOfAll).rejects.toSatisfy(isRefused);
  const goneOnAfter = database.transaction(async (tx) => {
    await sendAlong(tx, insert, ['bad']);
    await tx.execute(sql`select 1`);
  });
  await expect(goneOnAfter).rejects.toSatisfy(isRefused);
  const nested = database.transaction(async (tx) => {
    await tx.transaction((inner) => sendAlong(inner, insert, ['bad'])).catch(() => {});
    await sendAlong(tx, insert, ['four']);
  });
  await nested;
  await expect(sendAlong(database.db, insert, ['bad'])).rejects.toSatisfy(isRefused);
  await sendAlong(database.db, insert, ['five']);
  expect(await words()).toEqual(['five', 'four', 'one', 'two']);
});
