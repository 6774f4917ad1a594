// The integrity check: one spoilt bit anywhere is found and its entry named.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createLogger } from '../../../platform/logger.ts';
import { withDatabase } from '../../support/database.ts';
import { eventually } from '../../support/eventually.ts';
import { aDraft, aLog, write } from './a-log.ts';

const { database, logDatabase, ownerSql } = withDatabase();
const audit = aLog({ database, logDatabase });
const count = 600;
const isOk = { ok: true, checked: count, archived: 0, size: count, faults: [] };

beforeAll(async () => {
  await audit.startSequencer();
  // In parts, so that there are checkpoints in between.
  for (const part of [100, 300, 200]) {
    await write(
      audit,
      database,
      Array.from({ length: part }, () => aDraft()),
    );
    const { size } = await audit.head();
    await eventually(async () => (await audit.checkpoint())?.includes(`\n${size}\n`));
  }
  await audit.stop();
});
afterAll(() => audit.stop());

/** Does `act` behind the back of all guards. */
async function secretly(act: string): Promise<void> {
  const tables = ['entries', 'entries_0', 'tiles', 'checkpoints', 'stage_indexes', 'head'];
  await ownerSql.begin(async (sql) => {
    for (const table of tables) await sql.unsafe(`alter table audit.${table} disable trigger user`);
    await sql.unsafe(act);
    for (const table of tables) await sql.unsafe(`alter table audit.${table} enable trigger user`);
  });
}

test('an untouched log holds, as a whole and in parts, and the check tells how far it is', async () => {
  const progress: number[] = [];
  const { root } = await audit.head();
  const report = await audit.verify({ onProgress: (checked) => progress.push(checked) });
  expect(report).toEqual({ ...isOk, root: root.toString('base64') });
  expect(progress).toEqual([256, 512, 600]);
  expect(await audit.verify({ from: 300, to: 400 })).toMatchObject({ ...isOk, checked: 144 });
  expect(await audit.verify({ from: 256, to: 512 })).toMatchObject({ ...isOk, checked: 256 });
  expect(await audit.verify({ from: 5000 })).toMatchObject({ ...isOk, checked: 88 });
});

/** Starts a process of its own on the log, and ends it; what it said, and why it would not. */
async function tryToStart(): Promise<{ refusal: string | undefined; said: unknown[] }> {
  const said: unknown[] = [];
  const write = (line: string) => void said.push(JSON.parse(line));
  const starting = aLog({
    database,
    logDatabase,
    logger: createLogger({ level: 'fatal', destination: { write } }),
  });
  const refusal = await starting.startSequencer().then(
    () => undefined,
    (error: { code?: string }) => error.code,
  );
  await starting.stop();
  return { refusal, said };
}

const flip = (column: string, bit = 5) =>
  `${column} = set_bit(${column}, ${bit}, 1 - get_bit(${column}, ${bit}))`;

describe('a spoilt value is found', () => {
  const cases: { what: string; act: string; undo?: string; index?: number; says: RegExp }[] = [
    {
      what: 'a bit of a leaf in a full tile',
      act: `update audit.entries set ${flip('leaf', 800)} where idx = 77`,
      index: 77,
      says: /leaf does not have the hash/,
    },
    {
      what: 'a bit of a leaf at the edge',
      act: `update audit.entries set ${flip('leaf', 800)} where idx = 599`,
      index: 599,
      says: /leaf does not have the hash/,
    },
    {
      what: 'a bit of a leaf hash',
      act: `update audit.entries set ${flip('leaf_hash')} where idx = 300`,
      index: 300,
      says: /hash stored beside it/,
    },
    {
      what: 'a bit of a leaf hash at the edge',
      act: `update audit.entries set ${flip('leaf_hash')} where idx = 590`,
      index: 590,
      says: /hash stored beside it/,
    },
    {
      what: 'a bit of a tile',
      act: `update audit.tiles set ${flip('hashes', 44 * 256 + 3)} where n = 1 and level = 0`,
      index: 256 + 44,
      says: /hash in its tile/,
    },
    {
      what: 'a bit of the root beside a tile',
      act: `update audit.tiles set ${flip('root')} where n = 0 and level = 0`,
      index: 0,
      says: /root beside tile 0\/0/,
    },
    {
      what: 'a bit of a checkpoint’s root',
      act: `update audit.checkpoints set ${flip('root')} where size = 100`,
      index: 99,
      says: /checkpoint over 100 entries has another root/,
    },
    {
      what: 'a letter of a checkpoint’s note',
      act: `update audit.checkpoints set note = replace(note, '— ', '- ') where size = 400`,
      undo: `update audit.checkpoints set note = replace(note, '- ', '— ') where size = 400`,
      index: 399,
      says: /checkpoint over 400 entries is not a note/,
    },
    {
      what: 'the root in the head row',
      act: `update audit.head set ${flip('root')}`,
      says: /root in the head row/,
    },
    {
      what: 'a head row set back',
      act: `update audit.head set size = 512`,
      undo: `update audit.head set size = 600`,
      says: /checkpoint over 600 entries was signed/,
    },
    {
      what: 'a look-up row that says another department',
      act: `update audit.lookups set department = 'civil' where idx = 500`,
      undo: `update audit.lookups set department = 'housing' where idx = 500`,
      index: 500,
      says: /another department/,
    },
    {
      what: 'a look-up row with another time',
      act: `update audit.lookups set at = at + interval '1 ms' where idx = 500`,
      undo: `update audit.lookups set at = at - interval '1 ms' where idx = 500`,
      index: 500,
      says: /another time/,
    },
    {
      what: 'a bit of the sealed detail',
      act: `update audit.lookups set ${flip('sealed')} where idx = 501`,
      index: 501,
      says: /another sealed/,
    },
    {
      what: 'a stage id that leads to another entry',
      act: `update audit.stage_indexes set idx = 3 where idx = 4`,
      undo: `update audit.stage_indexes set idx = 4
        where stage_id = (select (convert_from(leaf, 'UTF8')::json->>'id')::uuid from audit.entries where idx = 4)`,
      index: 4,
      says: /stage id/,
    },
  ];
  // Where hashes in the tree or what is signed over them are sound, the house starts, and says it.
  const startsWith = /leaf in a full|leaf at the edge|leaf hash$|look-up|sealed|stage id/;
  for (const { what, act, undo = act, index, says } of cases) {
    test(what, async () => {
      await secretly(act);
      const report = await audit.verify();
      const start = await tryToStart();
      await secretly(undo);
      expect(start.refusal).toBe(startsWith.test(what) ? undefined : 'audit.head_mismatch');
      expect(start.said).toContainEqual(
        expect.objectContaining({
          level: 'fatal',
          ...(index !== undefined && { index, what: expect.stringMatching(says) }),
        }),
      );
      expect(report.ok).toBe(false);
      expect(report.faults).toContainEqual({
        ...(index !== undefined && { index }),
        what: expect.stringMatching(says),
      });
      expect(await audit.verify()).toMatchObject(isOk);
    });
  }
});

describe('a missing row is found', () => {
  test('an entry', async () => {
    await secretly(`create table public.kept as select * from audit.entries where idx = 10;
      delete from audit.entries where idx = 10`);
    const report = await audit.verify();
    await secretly(`insert into audit.entries select * from public.kept; drop table public.kept`);
    expect(report.faults).toContainEqual({ index: 10, what: 'The entry is missing.' });
    expect(await audit.verify()).toMatchObject(isOk);
  });

  test('a tile', async () => {
    await secretly(`create table public.kept as select * from audit.tiles where n = 1;
      delete from audit.tiles where n = 1`);
    const report = await audit.verify();
    await secretly(`insert into audit.tiles select * from public.kept; drop table public.kept`);
    expect(report.faults).toContainEqual({ index: 256, what: 'Tile 0/1 is missing.' });
    expect(await audit.verify()).toMatchObject(isOk);
  });
});

test('an untouched log starts without a word', async () => {
  expect(await tryToStart()).toEqual({ refusal: undefined, said: [] });
});

test('an entry smuggled in behind the head is found', async () => {
  await secretly(
    `insert into audit.entries select 600, leaf, leaf_hash from audit.entries where idx = 0`,
  );
  const report = await audit.verify();
  await secretly('delete from audit.entries where idx = 600');
  expect(report.faults).toEqual([{ index: 600, what: 'There is an entry beyond the head row.' }]);
});
