import { sql } from 'drizzle-orm';
import { expect, test } from 'vitest';
import { databaseFault, dbNow } from '../../../platform/index.ts';
import { withDatabase } from '../../support/database.ts';

const { database, logDatabase, ownerSql, setClockOffset } = withDatabase();

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
