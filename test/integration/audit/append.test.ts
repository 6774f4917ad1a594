// Staging: with the act or not at all, exactly the bytes that are hashed, and no way to change them.
import { hash } from 'node:crypto';
import { sql } from 'drizzle-orm';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { canonicalJson, databaseFault, fixedClock, systemScope } from '../../../platform/index.ts';
import { withDatabase } from '../../support/database.ts';
import { eventually } from '../../support/eventually.ts';
import { aDraft, aLog, stage, write } from './a-log.ts';

const { database, logDatabase, ownerSql } = withDatabase();
const audit = aLog({ database, logDatabase });

beforeAll(() => audit.startSequencer());
afterAll(() => audit.stop());

const countOf = async (table: string) => {
  const [row] = await ownerSql.unsafe<{ count: number }[]>(
    `select count(*)::int as count from audit.${table}`,
  );
  return row?.count;
};

test('an entry of an act that is rolled back never existed', async () => {
  const before = await countOf('entries');
  const act = database.transaction(async (tx) => {
    await audit.append(tx, aDraft());
    throw new Error('the act failed');
  });
  await expect(act).rejects.toThrow('the act failed');
  await write(audit, database, [aDraft()]);
  expect(await countOf('entries')).toBe((before ?? 0) + 1);
  expect(await countOf('stage')).toBe(0);
});

test('a leaf is canonical JSON with commitments in place of what it must not tell', async () => {
  const draft = aDraft({
    code: 'exchange.quota',
    outcome: 'refused',
    verification: '0198f5a0-0000-7000-8000-000000000001',
    licence: '1.2.156.3005.2.1',
    answerKind: 'match',
    traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
  });
  const [index] = await write(audit, database, [draft]);
  const { leaf, leafHash, id, ...entry } = await audit.as(systemScope).getEntry(index ?? -1);
  const said = JSON.parse(leaf.toString());
  const digest = (...parts: Buffer[]) =>
    hash('sha256', Buffer.concat(parts), 'buffer').toString('base64url');
  const { subject, purpose } = draft.commitments;
  expect(said).toEqual({
    v: 1,
    id,
    nonce: expect.stringMatching(/^[A-Za-z0-9_-]{22}$/),
    at: '2026-03-04T05:00:00.000Z',
    type: 'verification.answered',
    outcome: 'refused',
    code: 'exchange.quota',
    dept: 'housing',
    actor: 'pseudonym-1',
    role: 'desk',
    service: 'VS-MARITAL',
    basis: 'LB-716-7',
    verification: draft.verification,
    licence: draft.licence,
    kind: 'match',
    subj: digest(subject?.salt ?? Buffer.of(), subject?.value ?? Buffer.of()),
    purpose: digest(purpose?.salt ?? Buffer.of(), purpose?.value ?? Buffer.of()),
    ct: digest(draft.sealed ?? Buffer.of()),
    trace: draft.traceparent,
  });
  expect(leaf.toString()).toBe(canonicalJson(said));
  expect(leafHash).toEqual(hash('sha256', Buffer.concat([Buffer.of(0), leaf]), 'buffer'));
  expect(entry).toEqual({
    index,
    at: new Date('2026-03-04T05:00:00Z'),
    type: 'verification.answered',
    outcome: 'refused',
    code: 'exchange.quota',
    department: 'housing',
    actor: 'pseudonym-1',
    role: 'desk',
    service: 'VS-MARITAL',
    legalBasis: 'LB-716-7',
    verification: draft.verification,
    licence: draft.licence,
    answerKind: 'match',
    sealed: draft.sealed,
    subjectTag: draft.tags?.subject,
    caseTag: draft.tags?.case,
    discloseAt: null,
  });
});

test('equal drafts give different leaves', async () => {
  const draft = aDraft();
  const [first, second] = await write(audit, database, [draft, draft]);
  const hashes = await Promise.all(
    [first, second].map(async (at) =>
      (await audit.as(systemScope).getEntry(at ?? -1)).leafHash.toString('hex'),
    ),
  );
  expect(new Set(hashes).size).toBe(2);
});

test('what the database would refuse is refused at the stage, before it can stop the sequencer', async () => {
  const spoilt = [
    aDraft({ tags: { subject: Buffer.alloc(31) } }),
    aDraft({ actor: 'x'.repeat(70_000) }),
  ];
  for (const draft of spoilt) {
    await expect(stage(audit, database, [draft])).rejects.toSatisfy(
      (error) => databaseFault(error)?.code === '23514',
    );
  }
  const saltless = { purpose: { salt: Buffer.alloc(8), value: Buffer.from('x') } };
  await expect(stage(audit, database, [aDraft({ commitments: saltless })])).rejects.toThrow(
    TypeError,
  );
});

test('an unknown index is not found', async () => {
  for (const index of [-1, 0.5, 1_000_000, Number.NaN, 2 ** 60]) {
    await expect(audit.as(systemScope).getEntry(index)).rejects.toMatchObject({
      code: 'audit.unknown_entry',
    });
    await expect(audit.receipt(index)).rejects.toMatchObject({ code: 'audit.unknown_entry' });
  }
});

describe('the log only grows', () => {
  const changes = {
    'update audit.entries set leaf = leaf': ['app', 'log', 'owner'],
    'delete from audit.entries': ['app', 'log', 'owner'],
    'truncate audit.entries': ['app', 'log', 'owner'],
    'truncate audit.entries_0': ['app', 'log', 'owner'],
    'delete from audit.entries_0': ['app', 'log', 'owner'],
    'update audit.tiles set root = root': ['app', 'log'],
    'truncate audit.tiles': ['app', 'log', 'owner'],
    'delete from audit.stage_indexes': ['app', 'log', 'owner'],
    'delete from audit.checkpoints': ['app', 'log', 'owner'],
    "update audit.checkpoints set note = ''": ['app', 'log', 'owner'],
    'update audit.head set size = size - 1': ['app', 'log', 'owner'],
    'update audit.head set epoch = epoch': ['app'],
    'delete from audit.head': ['app', 'log', 'owner'],
    'delete from audit.lookups': ['app', 'log'],
    'update audit.lookups set actor = actor': ['app', 'log'],
    'update audit.stage set leaf = leaf': ['app', 'log'],
    'delete from audit.stage': ['app'],
    'select leaf from audit.stage': ['app'],
    'select audit.ensure_partitions(1)': ['app'],
    "insert into audit.entries values (99, 'a', 'b')": ['app'],
    'insert into audit.stage_indexes values (gen_random_uuid(), 99)': ['app'],
    'create table audit.mine ()': ['app', 'log'],
    'alter table audit.entries disable trigger user': ['app', 'log'],
  };
  const roles = {
    app: (text: string) => database.db.execute(sql.raw(text)),
    log: (text: string) => logDatabase.db.execute(sql.raw(text)),
    owner: (text: string) => ownerSql.unsafe(text),
  };

  beforeAll(async () => {
    await write(audit, database, [aDraft()]);
    await ownerSql`select 1`;
  });

  for (const [text, refused] of Object.entries(changes)) {
    for (const [name, run] of Object.entries(roles)) {
      if (!refused.includes(name)) continue;
      test(`${name} may not: ${text}`, async () => {
        // Insufficient privilege, or the trigger's restrict violation.
        const isRefused = (code: string | undefined) => code === '42501' || code === '23001';
        await expect(run(text)).rejects.toSatisfy((error) =>
          isRefused(databaseFault(error)?.code ?? Object(error).code),
        );
      });
    }
  }
});

test('an act is refused while too much waits for the sequencer, and taken again after', async () => {
  const quiet = aLog({ database, clock: fixedClock('2026-03-04T05:00:00Z') });
  await audit.stop();
  await ownerSql`
    insert into audit.stage (id, leaf, at, type, outcome, actor)
    select gen_random_uuid(), 'x', now(), 't', 'ok', 'a' from generate_series(1, 4096)`;
  const isRefused = () =>
    stage(quiet, database, [aDraft()]).then(
      () => false,
      (error) =>
        error.code === 'audit.unavailable' &&
        error.kind === 'unavailable' &&
        error.retryAfterSeconds === 2,
    );
  await eventually(isRefused);
  await ownerSql`delete from audit.stage`;
  await eventually(async () => !(await isRefused()));
  await ownerSql`delete from audit.stage`;
});
