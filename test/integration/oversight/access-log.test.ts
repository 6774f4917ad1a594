// The citizen's view: her looks and nobody else's, when they are due, with proof.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { anonymousActor } from '../../../identity/index.ts';
import { systemScope } from '../../../platform/index.ts';
import { verify, verifyReceipt, verifyTlogProof } from '../../../verifier/index.ts';
import { withDatabase } from '../../support/database.ts';
import { eventually } from '../../support/eventually.ts';
import { auditOfficer, desk, makeHouse } from './house.ts';

const databases = withDatabase();
const house = makeHouse(databases);
const { audit, oversight } = house;

beforeAll(() => house.start());
afterAll(() => audit.stop());

const hour = 3_600_000;

test('a look is told with department, right, purpose and kind of answer, but without the officer', async () => {
  const { actor, personId } = await house.aPerson();
  const verification = '019a0000-0000-7000-8000-00000000000a';
  const index = await house.look({ subject: personId, verification });
  const { items, nextCursor } = await oversight.accessLog(actor);
  expect({ items, nextCursor }).toEqual({
    items: [
      {
        index,
        at: (await audit.as(systemScope).getEntry(index)).at.toISOString(),
        type: 'verification.answered',
        outcome: 'ok',
        department: { id: 'housing', name: '云珠市住房和城乡建设局' },
        role: 'desk',
        service: 'VS-MARITAL',
        question: '婚姻登记状况',
        purpose: 'public rental housing',
        legalBasis: { id: 'LB-716-7', citation: 'zh:LB-716-7' },
        caseId: 'GZF-1',
        answerKind: 'match',
        verification,
      },
    ],
    nextCursor: null,
  });
  const [item] = (await oversight.accessLog(actor, { lang: 'en' })).items;
  expect(item).toMatchObject({
    department: { id: 'housing', name: 'Yunzhu Housing and Urban-Rural Development Bureau' },
    legalBasis: { id: 'LB-716-7', citation: 'en:LB-716-7' },
  });
  expect(JSON.stringify(items)).not.toContain('housing-desk-1');
});

test('refused looks are shown too, and what nobody said is null', async () => {
  const { actor, personId } = await house.aPerson();
  await house.look({
    subject: personId,
    outcome: 'refused',
    code: 'exchange.no_agreement',
    answerKind: 'none',
    legalBasis: undefined,
    purpose: undefined,
    caseId: undefined,
    question: undefined,
    service: undefined,
  });
  const { items } = await oversight.accessLog(actor);
  expect(items).toMatchObject([
    { outcome: 'refused', answerKind: 'none', purpose: null, legalBasis: null, caseId: null },
  ]);
  expect(Object.keys(items[0] ?? {})).not.toContain('service');
});

test('her own reads and those of anyone are told without a department', async () => {
  const { actor, personId } = await house.aPerson();
  const { database } = databases;
  const { identity } = house;
  const stageIds = await database.transaction(async (tx) => {
    const entry = { outcome: 'ok' as const, subject: personId };
    const own = { ...entry, type: 'licence.own_read', role: 'holder' };
    const compare = { ...entry, type: 'licence.compared' };
    return [
      (await identity.recordAccess(tx, actor, own)).stageId,
      (await identity.recordAccess(tx, anonymousActor('r'), compare)).stageId,
    ];
  });
  await audit.sequenced(stageIds);
  const { items } = await oversight.accessLog(actor);
  expect(items.map(({ type, department }) => ({ type, department }))).toEqual([
    { type: 'licence.compared', department: { id: null, name: '公众' } },
    { type: 'licence.own_read', department: { id: null, name: '本人' } },
  ]);
});

test('a delayed look exists at once and is shown when it is due', async () => {
  const { actor, personId } = await house.aPerson();
  const index = await house.look({
    subject: personId,
    discloseAt: new Date((await audit.as(systemScope).getEntry(0)).at.getTime() + 24 * hour),
  });
  await eventually(() => audit.receipt(index));
  const hidden = { code: 'oversight.unknown_entry', kind: 'not_found' };
  expect((await oversight.accessLog(actor)).items).toEqual([]);
  await expect(oversight.accessReceipt(actor, index, 'text')).rejects.toMatchObject(hidden);
  await databases.setClockOffset(25 * hour);
  expect((await oversight.accessLog(actor)).items.map((item) => item.index)).toEqual([index]);
  expect(await oversight.accessReceipt(actor, index, 'text')).toContain(`index ${index}\n`);
  await databases.setClockOffset(0);
});

test('conditions and pages', async () => {
  const { actor, personId } = await house.aPerson();
  const looks: number[] = [];
  for (const service of ['VS-A', 'VS-B', 'VS-A', 'VS-B', 'VS-A']) {
    looks.push(await house.look({ subject: personId, service }));
  }
  const indexes = async (query: Parameters<typeof oversight.accessLog>[1]) =>
    (await oversight.accessLog(actor, query)).items.map(({ index }) => index);
  const [first, second, third, fourth, fifth] = looks;
  expect(await indexes({ service: 'VS-B' })).toEqual([fourth, second]);
  expect(await indexes({ department: 'housing' })).toEqual([...looks].reverse());
  expect(await indexes({ department: 'civil' })).toEqual([]);
  expect(await indexes({ from: '2020-01-01', to: '2020-12-31' })).toEqual([]);
  const today = (await audit.as(systemScope).getEntry(first ?? -1)).at.toISOString();
  expect(await indexes({ from: today })).toEqual([...looks].reverse());
  const page = await oversight.accessLog(actor, { limit: 2 });
  expect(page.items.map(({ index }) => index)).toEqual([fifth, fourth]);
  const next = await oversight.accessLog(actor, { limit: 2, cursor: page.nextCursor ?? '' });
  expect(next.items.map(({ index }) => index)).toEqual([third, second]);
  const last = await oversight.accessLog(actor, { limit: 2, cursor: next.nextCursor ?? '' });
  expect(last).toMatchObject({ items: [{ index: first }], nextCursor: null });
  for (const query of [
    { cursor: 'x' },
    { cursor: '-1' },
    { from: 'yesterday' },
    { to: '2026-13-01' },
  ]) {
    await expect(oversight.accessLog(actor, query)).rejects.toMatchObject({ kind: 'malformed' });
  }
});

test('nobody sees the looks at another person, nor their receipts', async () => {
  const anna = await house.aPerson();
  const bela = await house.aPerson();
  const index = await house.look({ subject: anna.personId });
  await eventually(() => audit.receipt(index));
  expect((await oversight.accessLog(bela.actor)).items).toEqual([]);
  for (const as of ['text', 'json'] as const) {
    for (const wanted of [index, 1_000_000, -1]) {
      // The overloads take one literal each.
      const attempt =
        as === 'text'
          ? oversight.accessReceipt(bela.actor, wanted, 'text')
          : oversight.accessReceipt(bela.actor, wanted, 'json');
      await expect(attempt).rejects.toMatchObject({ code: 'oversight.unknown_entry' });
    }
  }
  for (const actor of [desk, auditOfficer, anonymousActor('r')]) {
    const isRefused = { code: 'oversight.not_the_subject', kind: 'forbidden' };
    await expect(oversight.accessLog(actor)).rejects.toMatchObject(isRefused);
    await expect(oversight.accessReceipt(actor, index, 'text')).rejects.toMatchObject(isRefused);
  }
});

test('her receipt holds offline, opens what the entry commits to, and betrays any change', async () => {
  const { actor, personId, identifier } = await house.aPerson();
  const index = await house.look({ subject: personId });
  const receipt = await eventually(() => oversight.accessReceipt(actor, index, 'json'));
  const verdict = await verify(JSON.stringify(receipt), audit.vkey);
  expect(verdict).toMatchObject({
    valid: true,
    reasons: [],
    facts: {
      index,
      leaf: { dept: 'housing', service: 'VS-MARITAL', basis: 'LB-716-7', kind: 'match' },
      opened: {
        subj: house.identity.subjectTag(identifier).toString('base64url'),
        purpose: 'public rental housing',
        case: 'GZF-1',
      },
    },
  });
  const text = await oversight.accessReceipt(actor, index, 'text');
  const leaf = Buffer.from(receipt.leaf, 'base64');
  expect(await verifyTlogProof(text, audit.vkey, leaf)).toMatchObject({ valid: true });

  const { opening } = receipt;
  const lie = { ...opening.purpose, value: 'something else' };
  expect(
    await verifyReceipt({ ...receipt, opening: { ...opening, purpose: lie } }, audit.vkey),
  ).toMatchObject({ valid: false });
  const forged = leaf.toString().replace('"ok"', '"no"');
  expect(
    await verifyReceipt({ ...receipt, leaf: Buffer.from(forged).toString('base64') }, audit.vkey),
  ).toMatchObject({ valid: false });
});

test('after her erasure the proof still holds, and there is nothing left to open', async () => {
  const { actor, personId } = await house.aPerson();
  const index = await house.look({ subject: personId });
  const before = await eventually(() => oversight.accessReceipt(actor, index, 'json'));
  await databases.ownerSql`delete from identity.data_keys where person_id = ${personId}`;
  const [item] = (await oversight.accessLog(actor)).items;
  expect(item).toMatchObject({ index, purpose: null, caseId: null, department: { id: 'housing' } });
  const after = await oversight.accessReceipt(actor, index, 'json');
  expect(after.opening).toEqual({});
  expect(after.leaf).toBe(before.leaf);
  expect(await verifyReceipt(after, audit.vkey)).toMatchObject({ valid: true });
});
