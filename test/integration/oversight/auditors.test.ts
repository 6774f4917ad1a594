// Auditors: what they find, and that whoever watches is watched.
import { hash } from 'node:crypto';
import { sql } from 'drizzle-orm';
import pino from 'pino';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Actor } from '../../../identity/index.ts';
import { anonymousActor } from '../../../identity/index.ts';
import type { AuditQuery } from '../../../oversight/index.ts';
import { systemIds, systemScope } from '../../../platform/index.ts';
import { verifyTlogProof } from '../../../verifier/index.ts';
import { withDatabase } from '../../support/database.ts';
import { eventually } from '../../support/eventually.ts';
import { auditClient, auditOfficer, desk, makeHouse } from './house.ts';

const databases = withDatabase();
const house = makeHouse(databases);
const { audit, oversight, identity } = house;

beforeAll(() => house.start());
afterAll(() => audit.stop());

/** The newest entry and its words: what was written about the last call. */
async function lastCall() {
  const [entry] = await audit.as(systemScope).findEntries({ limit: 1 });
  const [detail] = entry ? await identity.openAccess([entry]) : [];
  return {
    type: entry?.type,
    outcome: entry?.outcome,
    code: entry?.code,
    department: entry?.department,
    purpose: detail?.purpose,
    question: detail?.question,
    officer: detail?.officer,
  };
}

test('an item tells the look with a pseudonym, and the call itself is logged', async () => {
  const { personId } = await house.aPerson();
  const index = await house.look({ subject: personId, service: 'VS-ITEM', licence: '1.2.156.1' });
  const { at, actor, verification } = await audit.as(systemScope).getEntry(index);
  expect(await oversight.search(auditClient, { service: 'VS-ITEM', limit: 10 })).toEqual({
    items: [
      {
        index,
        at: at.toISOString(),
        type: 'verification.answered',
        outcome: 'ok',
        department: 'housing',
        actor,
        role: 'desk',
        service: 'VS-ITEM',
        purpose: 'public rental housing',
        legalBasis: 'LB-716-7',
        caseId: 'GZF-1',
        verification,
        licence: '1.2.156.1',
      },
    ],
    nextCursor: null,
  });
  expect(actor).not.toContain('housing-desk-1');
  expect(await lastCall()).toEqual({
    type: 'audit.searched',
    outcome: 'ok',
    code: undefined,
    department: 'audit',
    purpose: null,
    question: 'service=VS-ITEM',
    officer: 'audit-auditor-1',
  });
});

test('a search by person needs a reason, finds her looks alone, and she reads the reason', async () => {
  const anna = await house.aPerson();
  const index = await house.look({ subject: anna.personId });
  await house.look({ subject: (await house.aPerson()).personId });
  for (const reason of [undefined, '', '  ']) {
    const query = { subject: anna.identifier, reason };
    await expect(oversight.search(auditOfficer, query)).rejects.toMatchObject({
      code: 'oversight.reason_required',
      kind: 'invalid',
      fields: [{ pointer: '/reason' }],
    });
  }
  const found = await oversight.search(auditOfficer, {
    subject: anna.identifier,
    reason: 'complaint 2026-17',
    type: 'verification.answered',
  });
  expect(found.items.map((item) => item.index)).toEqual([index]);
  const shown = (await oversight.accessLog(anna.actor)).items;
  expect(shown.map(({ type, outcome, purpose }) => ({ type, outcome, purpose }))).toEqual([
    { type: 'audit.searched', outcome: 'ok', purpose: 'complaint 2026-17' },
    ...[1, 2, 3].map(() => ({
      type: 'audit.searched',
      outcome: 'refused',
      purpose: expect.toSatisfy((purpose) => !purpose?.trim()),
    })),
    { type: 'verification.answered', outcome: 'ok', purpose: 'public rental housing' },
  ]);
});

test('someone nobody knows is searched for like anyone, and found nowhere', async () => {
  const { identifier } = await house.aPerson();
  const nobody = { ...identifier, value: identifier.value.replace(/^990101/, '990102') };
  const query = { subject: { scheme: 'uscc', value: '91990100MA00000000' }, reason: 'r' } as const;
  await expect(oversight.search(auditClient, query)).rejects.toMatchObject({
    code: 'identity.uscc_invalid',
    fields: [{ pointer: '/subject/value' }],
  });
  const attempt = oversight.search(auditClient, { subject: nobody, reason: 'r' });
  await expect(attempt).rejects.toMatchObject({ fields: [{ pointer: '/subject/value' }] });
  const stranger = { scheme: 'cn-id', value: '990101200001010018' } as const;
  const page = await oversight
    .search(auditClient, { subject: stranger, reason: 'r' })
    .catch((error) => error.code);
  // Whether this number's check digit is right doesn't matter here: it was never seen.
  expect([{ items: [], nextCursor: null }, 'identity.citizen_id_invalid']).toContainEqual(page);
});

describe('each condition narrows', () => {
  let index: number;
  let actor: string;
  const since = '2020-01-01';
  beforeAll(async () => {
    const { personId } = await house.aPerson();
    const entry = {
      subject: personId,
      caseId: 'CASE-7',
      outcome: 'refused' as const,
      type: 'x.asked',
    };
    index = await house.look({ ...entry, department: 'fund', service: 'VS-ONE' });
    actor = (await audit.as(systemScope).getEntry(index)).actor;
  });
  const conditions: (() => AuditQuery)[] = [
    () => ({ caseId: 'CASE-7' }),
    () => ({ department: 'fund' }),
    () => ({ service: 'VS-ONE' }),
    () => ({ actor }),
    () => ({ type: 'x.asked' }),
    () => ({ outcome: 'refused', department: 'fund', from: since, to: '2100-01-01' }),
  ];
  for (const [at, condition] of conditions.entries()) {
    test(`condition ${at}`, async () => {
      const { items } = await oversight.search(auditClient, condition());
      expect(items.map((item) => item.index)).toEqual([index]);
    });
  }
  test('a period without looks', async () => {
    const query = { department: 'fund', to: since };
    expect((await oversight.search(auditClient, query)).items).toEqual([]);
  });
});

test('pages follow each other', async () => {
  const { personId } = await house.aPerson();
  const looks: number[] = [];
  for (let at = 0; at < 5; at++) {
    looks.push(await house.look({ subject: personId, service: 'VS-PAGES' }));
  }
  const seen: number[] = [];
  for (let cursor: string | undefined; ; ) {
    const page = await oversight.search(auditClient, { service: 'VS-PAGES', limit: 2, cursor });
    seen.push(...page.items.map((item) => item.index));
    if (page.nextCursor === null) break;
    cursor = page.nextCursor;
  }
  expect(seen).toEqual(looks.reverse());
});

test('an entry comes with the bytes that were hashed, its receipt proves them', async () => {
  const { personId } = await house.aPerson();
  const index = await house.look({ subject: personId });
  const { leaf, leafHash, ...item } = await oversight.entry(auditOfficer, index);
  expect(item).toMatchObject({ index, purpose: 'public rental housing' });
  const bytes = Buffer.from(leaf, 'base64');
  expect(leafHash).toBe(hash('sha256', Buffer.concat([Buffer.of(0), bytes]), 'base64'));
  expect(await lastCall()).toMatchObject({
    type: 'audit.entry_read',
    question: `index=${index}`,
    officer: 'audit-auditor-2',
  });
  const proof = await eventually(() => oversight.entryReceipt(auditOfficer, index));
  expect(await verifyTlogProof(proof, audit.vkey, bytes)).toMatchObject({ valid: true });
  expect(await lastCall()).toMatchObject({ type: 'audit.receipt_read', outcome: 'ok' });
  await expect(oversight.entry(auditOfficer, 1_000_000)).rejects.toMatchObject({
    code: 'audit.unknown_entry',
  });
  expect(await lastCall()).toMatchObject({ outcome: 'failed', code: 'audit.unknown_entry' });
});

test('the integrity check runs over the whole log, and says so in it', async () => {
  const { size } = await audit.head();
  expect(await oversight.integrity(auditOfficer)).toMatchObject({ ok: true, checked: size });
  expect(await lastCall()).toMatchObject({ type: 'audit.integrity_checked', outcome: 'ok' });
});

test('who is no auditor gets nothing, and the attempt is logged', async () => {
  const { actor: citizen, identifier } = await house.aPerson();
  const strangers: Actor[] = [
    desk,
    citizen,
    anonymousActor('r'),
    { ...auditClient, scopes: ['licences:read'] },
    { ...auditOfficer, roles: ['operator'] },
  ];
  const calls: ((actor: Actor) => Promise<unknown>)[] = [
    (actor) => oversight.search(actor, { subject: identifier, reason: 'curious' }),
    (actor) => oversight.entry(actor, 0),
    (actor) => oversight.entryReceipt(actor, 0),
    (actor) => oversight.integrity(actor),
  ];
  for (const actor of strangers) {
    for (const call of calls) {
      await expect(call(actor)).rejects.toMatchObject({ kind: 'forbidden' });
      expect(await lastCall()).toMatchObject({
        outcome: 'refused',
        code: 'identity.scope_missing',
      });
    }
  }
});

test('a citizen ID in a text is refused and not kept', async () => {
  const { identifier } = await house.aPerson();
  const { value } = identifier;
  for (const query of [{ reason: `about ${value}`, subject: identifier }, { caseId: value }]) {
    await expect(oversight.search(auditClient, query)).rejects.toMatchObject({
      code: 'oversight.identifier_in_text',
      kind: 'invalid',
    });
    const call = await lastCall();
    expect(call).toMatchObject({ outcome: 'refused', code: 'oversight.identifier_in_text' });
    expect(JSON.stringify(call)).not.toContain(value);
  }
});

test('when the log can’t be written an auditor gets nothing', async () => {
  await audit.stop();
  const quiet = { ...audit, sequenced: (ids: readonly string[]) => audit.sequenced(ids, 100) };
  const { createOversight } = await import('../../../oversight/index.ts');
  const here = createOversight({
    database: databases.database,
    ids: systemIds,
    logger: pino({ level: 'silent' }),
    audit: quiet,
    identity,
    citationOf: (id) => id,
    cityTz: 'Asia/Shanghai',
    ticketDays: { answer: 10, escalate: 5 },
    ownRecords: async () => ({}),
  });
  const calls = [
    here.search(auditClient, {}),
    here.entry(auditClient, 0),
    here.entryReceipt(auditClient, 0),
    here.integrity(auditClient),
  ];
  for (const call of await Promise.allSettled(calls)) {
    expect(call).toMatchObject({ status: 'rejected', reason: { code: 'audit.unavailable' } });
  }
  await databases.logDatabase.db.execute(sql`select 1`);
});
