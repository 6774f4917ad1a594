// The second wall around the log: which look-ups the app role sees through the house's own pool, with
// the where clauses of the store left out.
import { sql } from 'drizzle-orm';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { scopeOfLog, scopeOfTag } from '../../../audit/index.ts';
import {
  connectDatabase,
  type Database,
  databaseFault,
  type RowScope,
  selectRows,
  systemScope,
  type Tx,
} from '../../../platform/index.ts';
import { withDatabase } from '../../support/database.ts';
import { aDraft, aLog, write } from './a-log.ts';

const { database, logDatabase, ownerSql, appUrl, setClockOffset } = withDatabase();
const audit = aLog({ database, logDatabase });
const [anna, bela, nobody] = [1, 2, 9].map((byte) => Buffer.alloc(32, byte)) as [
  Buffer,
  Buffer,
  Buffer,
];
const span = 4_194_304;
const day = 24 * 60 * 60 * 1000;

beforeAll(async () => {
  await audit.startSequencer();
  await write(audit, database, [
    aDraft({ tags: { subject: anna } }),
    aDraft({ tags: { subject: bela } }),
    aDraft({ tags: { subject: anna }, discloseAt: new Date(Date.now() + day) }),
    aDraft({ tags: {} }),
  ]);
});
afterAll(() => audit.stop());

const indexesIn = async (tx: Tx) =>
  (
    await selectRows<{ idx: number }>(
      tx,
      sql`select idx::float8 as idx from audit.lookups order by idx`,
    )
  ).map(({ idx }) => idx);
const indexesAs = (scope: RowScope, through: Database = database) =>
  through.as(scope).transaction(indexesIn);
const codeOf = (act: Promise<unknown>) =>
  act.then(
    () => undefined,
    (error: unknown) => databaseFault(error)?.code,
  );

test('a query without a scope finds no look-up, nor does a department', async () => {
  expect(await ownerSql`select from audit.lookups`).toHaveLength(4);
  expect(await indexesIn(database.db)).toEqual([]);
  expect(await database.transaction(indexesIn)).toEqual([]);
  for (const scope of [{ organisation: 'housing' }, { person: crypto.randomUUID() }, { log: '' }]) {
    expect(await indexesAs(scope)).toEqual([]);
  }
});

test('a subject sees the entries with her tag alone, delayed ones not before they are due', async () => {
  expect(await indexesAs(scopeOfTag(anna))).toEqual([0]);
  expect(await indexesAs(scopeOfTag(bela))).toEqual([1]);
  for (const tag of [nobody, Buffer.alloc(0)]) expect(await indexesAs(scopeOfTag(tag))).toEqual([]);
  await setClockOffset(2 * day);
  try {
    expect(await indexesAs(scopeOfTag(anna))).toEqual([0, 2]);
  } finally {
    await setClockOffset(0);
  }
});

test('auditors, the house itself and the sequencer see all', async () => {
  for (const scope of [scopeOfLog, systemScope]) {
    expect(await indexesAs(scope)).toEqual([0, 1, 2, 3]);
  }
  expect(await indexesIn(logDatabase.db)).toEqual([0, 1, 2, 3]);
});

test('the wall ends with the transaction that opened it, on the same connection', async () => {
  const single = connectDatabase({ url: appUrl, max: 1, applicationName: 'test-wall' });
  try {
    expect(await indexesAs(scopeOfLog, single)).toHaveLength(4);
    expect(await indexesIn(single.db)).toEqual([]);
    expect(await indexesAs(scopeOfTag(anna), single)).toEqual([0]);
    expect(await single.transaction(indexesIn)).toEqual([]);
  } finally {
    await single.close();
  }
});

test('reading an entry of somebody else gives the bare leaf: no tag, no words', async () => {
  const bare = { sealed: null, subjectTag: null, caseTag: null, discloseAt: null };
  for (const scope of [scopeOfTag(bela), {}]) {
    expect(await audit.as(scope).getEntry(0)).toMatchObject({ index: 0, ...bare });
    expect(await audit.as(scope).findEntries({ subjectTag: anna, limit: 9 })).toEqual([]);
  }
  expect(await audit.as(scopeOfTag(anna)).getEntry(0)).toMatchObject({ subjectTag: anna });
});

test('no scope lets the app role write or erase a look-up', async () => {
  for (const scope of [{}, scopeOfTag(anna), scopeOfLog, systemScope]) {
    for (const statement of [
      sql`update audit.lookups set subject_tag = ${anna}`,
      sql`delete from audit.lookups`,
      sql`insert into audit.lookups (idx, at, type, outcome, actor) values (9, now(), 't', 'ok', 'a')`,
    ]) {
      const act = database.as(scope).transaction((tx) => tx.execute(statement));
      expect(await codeOf(act)).toBe('42501');
    }
  }
});

test('no partition is a way around, nor one made later: the app role has no right on it', async () => {
  await logDatabase.db.execute(sql`select audit.ensure_partitions(${3 * span})`);
  const partitions = (
    await ownerSql<{ name: string }[]>`
      select inhrelid::regclass::text as name from pg_inherits
      where inhparent = 'audit.lookups'::regclass order by 1`
  ).map(({ name }) => name);
  expect(partitions).toEqual(expect.arrayContaining(['audit.lookups_0', 'audit.lookups_3']));
  for (const name of partitions) {
    for (const scope of [{}, systemScope]) {
      const read = database
        .as(scope)
        .transaction((tx) => tx.execute(sql.raw(`select idx from ${name}`)));
      expect([name, await codeOf(read)]).toEqual([name, '42501']);
    }
  }
});

test('entries of a partition made later are behind the wall too', async () => {
  const late = 3 * span + 5;
  await logDatabase.db.execute(sql`insert into audit.lookups (idx, at, type, outcome, actor, subject_tag)
    values (${late}, now(), 'verification.answered', 'ok', 'a', ${bela})`);
  try {
    expect(await indexesIn(database.db)).toEqual([]);
    expect(await indexesAs(scopeOfTag(anna))).toEqual([0]);
    expect(await indexesAs(scopeOfTag(bela))).toEqual([1, late]);
  } finally {
    await ownerSql`delete from audit.lookups where idx = ${late}`;
  }
});

test('behind the wall a subject’s entries and a page of all are still found by an index', async () => {
  const plan = (scope: RowScope, condition: string) =>
    database.as(scope).transaction(async (tx) => {
      // The tables are too small here for the planner to care.
      await tx.execute(sql`set local enable_seqscan = off`);
      await tx.execute(sql`set local enable_sort = off`);
      const rows = await selectRows<{ 'QUERY PLAN': string }>(
        tx,
        sql.raw(`explain select idx from audit.lookups where ${condition}
          order by at desc, idx desc limit 50`),
      );
      return rows.map((row) => row['QUERY PLAN']).join('\n');
    });
  const tag = `subject_tag = '\\x${anna.toString('hex')}'`;
  for (const [scope, condition] of [
    [scopeOfTag(anna), tag],
    [scopeOfTag(anna), `${tag} and department = 'housing' and (at, idx) < ('2026-02-01', 77)`],
    [scopeOfLog, tag],
    [scopeOfLog, `department = 'housing' and at >= '2026-01-01' and at <= '2026-02-01'`],
    [scopeOfLog, `actor = 'pseudonym-2' and (at, idx) < ('2026-02-01', 77)`],
  ] as const) {
    const text = await plan(scope, condition);
    expect(text).toMatch(/Index (Only )?Scan Backward using lookups_0_\w*at_idx/);
    expect(text).not.toMatch(/Seq Scan|Sort {2}/);
    expect(text).toMatch(/Index Cond/);
  }
});
