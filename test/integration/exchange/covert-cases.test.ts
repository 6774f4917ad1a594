// Looks that are kept from their subject until the case is closed: who closes, what becomes visible, and that
// the map of looks holds them as undisclosed until then.
import { describe, expect, test } from 'vitest';
import { scopeOfTag } from '../../../audit/index.ts';
import { dbNow, type JsonObject, systemIds, systemScope } from '../../../platform/index.ts';
import { askNow, codeOf, department, LI, maritalQuestion, officer, withExchange } from './house.ts';

const house = withExchange({ queue: 'running' });
const housing = department('housing');

const aCase = () => `ZA-${systemIds.token(6)}`;
const covert = (caseId: string, changes: JsonObject = {}) =>
  maritalQuestion({ caseId, discloseAfter: 'case', discloseReason: '侦查需要', ...changes });

async function tagOfLi(): Promise<Buffer> {
  const [personId = ''] = await house.identity.ensurePeople(house.database.db, [
    { scheme: 'cn-id', value: LI.value },
  ]);
  return house.identity.subjectTagOf(house.database.db, personId);
}

/** What the subject finds of a question, in the scope of her tag. */
async function seenOf(id: string): Promise<string[]> {
  const subjectTag = await tagOfLi();
  const entries = await house.audit.as(scopeOfTag(subjectTag)).findEntries({
    subjectTag,
    onlyDisclosedBefore: await dbNow(house.database.db),
    limit: 200,
  });
  return entries.filter(({ verification }) => verification === id).map(({ type }) => type);
}

async function indexesOf(id: string): Promise<number[]> {
  const entries = await house.audit.as(systemScope).findEntries({ limit: 200 });
  return entries.filter(({ verification }) => verification === id).map(({ index }) => index);
}

async function allowed() {
  await house.exchange.allowDelay(house.database.db, 'housing');
}

const close = (caseId: string, actor = housing) => house.exchange.closeCase(actor, { caseId });

test('the looks of a case are told when it is closed; those of the provider too, of others not', async () => {
  await allowed();
  const [caseId, another] = [aCase(), aCase()];
  const { id } = await askNow(house, housing, covert(caseId));
  const dated = new Date(Date.now() + 40 * 86_400_000).toISOString();
  const { id: later } = await askNow(house, housing, covert(caseId, { discloseAfter: dated }));
  const { id: other } = await askNow(house, housing, covert(another));
  for (const one of [id, later, other]) expect(await seenOf(one)).toEqual([]);

  expect(await close(caseId)).toEqual({ looks: 2 });
  for (const one of [id, later]) {
    expect((await seenOf(one)).sort()).toEqual(['verification.answered', 'verification.asked']);
  }
  expect(await seenOf(other)).toEqual([]);
  // A look at the answer afterwards is told at once, and she reads of the closing.
  await house.exchange.getVerification(housing, id);
  expect(await seenOf(id)).toContain('answer.read');
  const subjectTag = await tagOfLi();
  const closings = await house.audit
    .as(scopeOfTag(subjectTag))
    .findEntries({ subjectTag, type: 'case.closed', limit: 5 });
  expect(closings).toHaveLength(1);
  const { items } = await house.exchange.listCovertCases(housing);
  expect(items.map(({ state, looks }) => [state, looks])).toEqual([
    ['open', 1],
    ['closed', 2],
  ]);
});

test('the map holds them as undisclosed until an edition after the closing', async () => {
  await allowed();
  const caseId = aCase();
  const { id } = await askNow(house, housing, covert(caseId));
  const indexes = await indexesOf(id);
  const states = async () => (await house.audit.sampleMap(indexes)).map(({ state }) => state);
  await house.audit.publishMap();
  // Until its root is in a checkpoint there is no edition to sample, or an earlier one.
  await expect
    .poll(() => states().catch(() => []), { timeout: 20_000 })
    .toEqual(indexes.map(() => 'pending'));
  await close(caseId);
  // Neither map of that edition has changed, and what it holds is shown with the dates it was made with.
  expect(await states()).toEqual(indexes.map(() => 'pending'));
  await house.audit.publishMap();
  await expect.poll(states, { timeout: 20_000 }).toEqual(indexes.map(() => 'disclosed'));
});

describe('refused', () => {
  test('to another department, twice, and to who may not ask', async () => {
    await allowed();
    const caseId = aCase();
    await askNow(house, housing, covert(caseId));
    expect(await codeOf(close(caseId, department('health')))).toBe('exchange.case_not_found');
    expect(await codeOf(close(aCase()))).toBe('exchange.case_not_found');
    expect(await codeOf(close('案 1'))).toBe('exchange.request_invalid');
    for (const actor of [department('housing', []), officer('housing-issuer-1', 'issuer')]) {
      expect(await codeOf(close(caseId, actor))).toBe('exchange.scope');
    }
    // At the same time, too: one closes.
    const codes = await Promise.all([1, 2, 3].map(() => codeOf(close(caseId))));
    expect(codes.sort()).toEqual(['exchange.case_closed', 'exchange.case_closed', 'not refused']);
  });

  test('more delay in a closed case, and more than the law allows', async () => {
    await allowed();
    const caseId = aCase();
    await askNow(house, housing, covert(caseId));
    await close(caseId);
    const ask = (changes: JsonObject) =>
      codeOf(house.exchange.ask(housing, covert(caseId, changes)));
    expect(await ask({})).toBe('exchange.case_closed');
    expect(await codeOf(house.exchange.ask(housing, maritalQuestion({ caseId })))).toBe(
      'not refused',
    );
    const now = await dbNow(house.database.db);
    const inDays = (days: number) => new Date(now.getTime() + days * 86_400_000).toISOString();
    const fresh = { caseId: aCase() };
    expect(await ask({ ...fresh, discloseAfter: inDays(730.1) })).toBe('exchange.delay_too_long');
    expect(await ask({ ...fresh, discloseAfter: inDays(729.9) })).toBe('not refused');
  });
});

test('a refusal warns nobody sooner than the question would have, and only where a delay is allowed', async () => {
  await allowed();
  const subjectTag = await tagOfLi();
  const conditions = { subjectTag, type: 'verification.asked', outcome: 'refused' as const };
  const logged = async () =>
    (await house.audit.as(systemScope).findEntries({ ...conditions, limit: 200 })).length;
  const told = async () => {
    const onlyDisclosedBefore = await dbNow(house.database.db);
    const hers = house.audit.as(scopeOfTag(subjectTag));
    return (await hers.findEntries({ ...conditions, onlyDisclosedBefore, limit: 200 })).length;
  };
  const before = { logged: await logged(), told: await told() };
  const soon = new Date(Date.now() + 8000).toISOString();
  for (const discloseAfter of ['case', '2099-01-01T00:00:00Z', soon]) {
    const question = covert(aCase(), { legalBasis: 'LB-OTHER', discloseAfter });
    expect(await codeOf(house.exchange.ask(housing, question))).toMatch(/^exchange\./);
  }
  await expect.poll(logged).toBe(before.logged + 3);
  expect(await told()).toBe(before.told);
  await expect.poll(told, { timeout: 60_000 }).toBe(before.told + 1);
  // Who may not delay gains nothing by asking for it.
  await codeOf(house.exchange.ask(department('health'), covert(aCase())));
  await expect.poll(told, { timeout: 60_000 }).toBe(before.told + 2);
});

test('asked while the case is being closed: refused, or told after the sweep at the latest', async () => {
  await allowed();
  const caseId = aCase();
  await askNow(house, housing, covert(caseId));
  const asked = Array.from({ length: 6 }, () =>
    house.exchange.ask(housing, covert(caseId), { waitSeconds: 5 }).catch(() => undefined),
  );
  await close(caseId);
  const accepted = (await Promise.all(asked)).flatMap((one) => (one ? [one.id] : []));
  await house.sweep('exchange.cases');
  for (const id of accepted) {
    expect((await seenOf(id)).sort()).toEqual(['verification.answered', 'verification.asked']);
  }
});
