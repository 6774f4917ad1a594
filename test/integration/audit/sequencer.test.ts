// The sequencer: gap-free under load, one at a time, fenced when it was passed over.
import { sql } from 'drizzle-orm';
import { afterEach, expect, test } from 'vitest';
import type { Audit } from '../../../audit/index.ts';
import { systemScope } from '../../../platform/index.ts';
import { createLogger } from '../../../platform/logger.ts';
import { withDatabase } from '../../support/database.ts';
import { eventually } from '../../support/eventually.ts';
import { aDraft, aLog, stage, write } from './a-log.ts';

const { database, logDatabase, ownerSql } = withDatabase();
let running: Audit[] = [];

async function started(audit: Audit): Promise<Audit> {
  running.push(audit);
  await audit.startSequencer();
  return audit;
}

afterEach(async () => {
  await Promise.all(running.map((audit) => audit.stop()));
  running = [];
});

async function expectNoGaps(audit: Audit): Promise<void> {
  const { size } = await audit.head();
  const [row] = await ownerSql`
    select count(*)::int as entries, coalesce(max(idx), -1)::int as last,
      (select count(*)::int from audit.stage_indexes) as ids,
      (select count(*)::int from audit.lookups) as lookups
    from audit.entries`;
  expect(row).toEqual({ entries: size, last: size - 1, ids: size, lookups: size });
  expect(await audit.verify()).toMatchObject({ ok: true, checked: size, faults: [] });
}

test('every caller gets the index of its own entry, in the order it staged them', async () => {
  const audit = await started(aLog({ database, logDatabase }));
  const groups = await Promise.all(
    Array.from({ length: 64 }, async (_, caller) => {
      const drafts = [0, 1, 2].map((at) => aDraft({ actor: `caller-${caller}-${at}` }));
      return { caller, indexes: await write(audit, database, drafts) };
    }),
  );
  for (const { caller, indexes } of groups) {
    const actors = await Promise.all(
      indexes.map(async (at) => (await audit.as(systemScope).getEntry(at)).actor),
    );
    expect(actors).toEqual([0, 1, 2].map((at) => `caller-${caller}-${at}`));
    expect(indexes).toEqual([...indexes].sort((a, b) => a - b));
  }
  expect(new Set(groups.flatMap(({ indexes }) => indexes)).size).toBe(192);
  await expectNoGaps(audit);
});

test('a tree of many tiles is taken up where it was left', async () => {
  for (const count of [700, 1, 255, 600]) {
    const audit = await started(aLog({ database, logDatabase }));
    await write(
      audit,
      database,
      Array.from({ length: count }, () => aDraft()),
    );
    await audit.stop();
  }
  const audit = await started(aLog({ database, logDatabase }));
  await expectNoGaps(audit);
  const { size } = await audit.head();
  expect((await audit.tile(0, 0, 256))?.length).toBe(8192);
  expect((await audit.tile(1, 0, Math.floor(size / 256)))?.length).toBe(
    32 * Math.floor(size / 256),
  );
  const asked = [
    [0, Math.floor(size / 256), (size % 256) + 1],
    [1, 0, Math.floor(size / 256) + 1],
    [2, 0, 1],
    [0, 0, 0],
    [9, 0, 1],
    [0, -1, 1],
  ] as const;
  for (const [level, n, width] of asked) expect(await audit.tile(level, n, width)).toBeNull();
});

test('a process without the sequencer learns the indexes from the one that has it', async () => {
  await started(aLog({ database, logDatabase }));
  const elsewhere = aLog({ database });
  running.push(elsewhere);
  const indexes = await write(elsewhere, database, [aDraft(), aDraft()]);
  const stageIds = await stage(elsewhere, database, [aDraft()]);
  const later = await elsewhere.sequenced(stageIds);
  expect(await elsewhere.indexesOf(stageIds)).toEqual(new Map([[stageIds[0], later[0]]]));
  expect((indexes[1] ?? 0) - (indexes[0] ?? 0)).toBe(1);
});

test('without a sequencer nobody is told an index', async () => {
  const audit = aLog({ database });
  running.push(audit);
  const stageIds = await stage(audit, database, [aDraft()]);
  await expect(audit.sequenced(stageIds, 300)).rejects.toMatchObject({
    code: 'audit.unavailable',
    kind: 'unavailable',
    retryAfterSeconds: 1,
  });
  expect(await audit.indexesOf(stageIds)).toEqual(new Map());
  await started(aLog({ database, logDatabase }));
  expect(await audit.sequenced(stageIds)).toEqual([expect.any(Number)]);
});

test('of two sequencers one writes, and the other takes over when it stops', async () => {
  const first = await started(aLog({ database, logDatabase }));
  const second = await started(aLog({ database, logDatabase }));
  await Promise.all([first, second].map((audit) => write(audit, database, [aDraft(), aDraft()])));
  await first.stop();
  await write(second, database, [aDraft()]);
  await expectNoGaps(second);
});

test('a leader that was passed over writes nothing more, and leads again when it is free to', async () => {
  const lines: string[] = [];
  const logger = createLogger({ level: 'error', destination: { write: (l) => lines.push(l) } });
  const audit = await started(aLog({ database, logDatabase, logger }));
  await write(audit, database, [aDraft()]);
  // As another leader does first of all.
  await logDatabase.db.execute(sql`update audit.head set epoch = epoch + 1`);
  const before = await audit.head();
  const stageIds = await stage(audit, database, [aDraft()]);
  const indexes = await audit.sequenced(stageIds);
  expect(indexes).toEqual([before.size]);
  expect(lines.join()).toContain('Another process leads the log now.');
  await expectNoGaps(audit);
});

test('when the session that holds the lock dies, the lead is taken anew', async () => {
  const audit = await started(aLog({ database, logDatabase }));
  await write(audit, database, [aDraft()]);
  const killed = await logDatabase.db.execute(sql`
    select pg_terminate_backend(pid) as done from pg_locks
    where locktype = 'advisory'
      and database = (select oid from pg_database where datname = current_database())`);
  expect(killed).toEqual([{ done: true }]);
  await eventually(async () => (await write(audit, database, [aDraft()])).length === 1);
  await expectNoGaps(audit);
});

test('stopping puts what is staged into the tree first', async () => {
  const audit = await started(aLog({ database, logDatabase }));
  const stageIds = await stage(
    audit,
    database,
    Array.from({ length: 500 }, () => aDraft()),
  );
  await audit.stop();
  expect((await audit.indexesOf(stageIds)).size).toBe(500);
});

test('the next partitions are there before they are needed', async () => {
  await started(aLog({ database, logDatabase }));
  await logDatabase.db.execute(sql`select audit.ensure_partitions(4194304 * 3)`);
  const parts = await ownerSql`
    select c.relname from pg_inherits i join pg_class c on c.oid = i.inhrelid
    where i.inhparent = 'audit.entries'::regclass order by 1`;
  expect(parts.map((part) => part.relname)).toEqual([
    'entries_0',
    'entries_1',
    'entries_3',
    'entries_4',
  ]);
  const guarded = await ownerSql`
    select count(*)::int as count from pg_trigger
    where tgrelid = 'audit.entries_4'::regclass and not tgisinternal`;
  expect(guarded[0]?.count).toBe(2);
});

test('what waits and gets no place is told of, by whoever looks; what gets one is not', async () => {
  const audit = aLog({ database });
  running.push(audit);
  await expect(audit.requireSequencing()).resolves.toBeUndefined(); // nothing waits
  await stage(audit, database, [aDraft()]);
  const looks = [audit.requireSequencing(), audit.requireSequencing()];
  for (const look of looks) {
    await expect(look).rejects.toMatchObject({ code: 'audit.unavailable' });
  }
  const look = aLog({ database }).requireSequencing();
  await started(aLog({ database, logDatabase }));
  await expect(look).resolves.toBeUndefined();
});
