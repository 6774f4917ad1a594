// Consent: nothing is answered before everybody named has agreed, and nothing after somebody did not.
import { describe, expect, test } from 'vitest';
import type { JsonObject } from '../../../platform/index.ts';
import { systemScope } from '../../../platform/index.ts';
import { eventually } from '../../support/eventually.ts';
import {
  askNow,
  citizen,
  citizenId,
  codeOf,
  department,
  maritalQuestion,
  withExchange,
} from './house.ts';

const house = withExchange({ queue: 'running' });
const housing = department('housing');
let next = 100;

async function aPerson(birthDay = '1980-01-01') {
  next += 1;
  const value = citizenId(birthDay, next);
  const personId = await house.identity.ensurePerson(
    house.database.db,
    { scheme: 'cn-id', value },
    '张三',
  );
  return { subject: { scheme: 'cn-id', value }, value, personId, actor: citizen(personId) };
}

/** Has she a home? It needs her consent. */
function homeQuestion(subject: JsonObject, changes: JsonObject = {}): JsonObject {
  return maritalQuestion({
    service: 'VS-NOHOME',
    subject,
    params: { scope: 'city' },
    legalBasis: 'LB-PRH',
    ...changes,
  });
}

async function consentsOf(actor: ReturnType<typeof citizen>) {
  return house.exchange.listConsents(actor);
}

test('a question that needs consent waits, and shows her who asks what, and what they don’t learn', async () => {
  const she = await aPerson();
  const asked = await house.exchange.ask(housing, homeQuestion(she.subject));
  expect(asked.state).toBe('awaiting_consent');
  const [consent, ...others] = await house.exchange.listConsents(she.actor, 'pending');
  expect(others).toEqual([]);
  expect(consent).toEqual({
    id: consent?.id,
    verification: asked.id,
    state: 'pending',
    requester: 'housing',
    requesterName: '云珠市住房和城乡建设局',
    service: 'VS-NOHOME',
    question: '该公民在本市有无自有产权住房?',
    answers: ['有住房', '截至日期'],
    notAnswered: [],
    purpose: '公共租赁住房资格审核',
    legalBasis: 'LB-PRH',
    expiresAt: asked.deadline,
  });
});

describe('once she agrees', () => {
  test('the question is answered, and she finds her agreement in the log', async () => {
    const she = await aPerson();
    const asked = await house.exchange.ask(housing, homeQuestion(she.subject));
    const [consent] = await consentsOf(she.actor);
    const granted = await house.exchange.decideConsent(she.actor, consent?.id ?? '', 'grant');
    expect(granted.state).toBe('granted');
    const answered = await eventually(async () => {
      const now = await house.exchange.getVerification(housing, asked.id);
      return now.state === 'answered' && now;
    });
    expect(answered.answer).toMatchObject({ has_home: false });
    const subjectTag = await house.identity.subjectTagOf(house.database.db, she.personId);
    const types = await eventually(async () => {
      const found = await house.audit.as(systemScope).findEntries({
        subjectTag,
        type: 'consent.granted',
        limit: 5,
      });
      return found.length > 0 && found.map(({ verification }) => verification);
    });
    expect(types).toEqual([asked.id]);
  });

  test('her agreement can’t be taken back or given again after the answer', async () => {
    const she = await aPerson();
    const asked = await house.exchange.ask(housing, homeQuestion(she.subject));
    const [consent] = await consentsOf(she.actor);
    const id = consent?.id ?? '';
    await house.exchange.decideConsent(she.actor, id, 'grant');
    await eventually(
      async () => (await house.exchange.getVerification(housing, asked.id)).state === 'answered',
    );
    for (const decision of ['grant', 'refuse', 'withdraw'] as const) {
      const code = await codeOf(house.exchange.decideConsent(she.actor, id, decision));
      expect(code, decision).toBe('exchange.consent_decided');
    }
  });
});

describe('when she does not agree', () => {
  test('the question ends as refused, with that reason', async () => {
    const she = await aPerson();
    const asked = await house.exchange.ask(housing, homeQuestion(she.subject));
    const [consent] = await consentsOf(she.actor);
    await house.exchange.decideConsent(she.actor, consent?.id ?? '', 'refuse');
    const refused = await house.exchange.getVerification(housing, asked.id);
    expect(refused).toMatchObject({ state: 'refused', refusal: { reason: 'consent_refused' } });
    expect(refused).not.toHaveProperty('answer');
  });

  test('any more, what was not answered yet ends as refused', async () => {
    const [she, he] = [await aPerson(), await aPerson()];
    const params = { family_ids: [he.value], threshold_m2: 15 };
    const question = homeQuestion(she.subject, { service: 'VS-HOMEAREA', params });
    const asked = await house.exchange.ask(housing, question);
    const [consent] = await consentsOf(she.actor);
    await house.exchange.decideConsent(she.actor, consent?.id ?? '', 'grant');
    await house.exchange.decideConsent(she.actor, consent?.id ?? '', 'withdraw');
    expect(await house.exchange.getVerification(housing, asked.id)).toMatchObject({
      state: 'refused',
      refusal: { reason: 'consent_withdrawn' },
    });
    expect((await consentsOf(he.actor)).map(({ state }) => state)).toEqual(['expired']);
  });
});

test('every adult a question names must agree; a child is not asked', async () => {
  const [she, he, child] = [await aPerson(), await aPerson(), await aPerson('2020-05-05')];
  const params = { family_ids: [she.value, he.value, child.value], threshold_m2: 15 };
  const question = homeQuestion(she.subject, { service: 'VS-HOMEAREA', params });
  const asked = await house.exchange.ask(housing, question);
  expect(await consentsOf(child.actor)).toEqual([]);
  const [hers] = await consentsOf(she.actor);
  const [his] = await consentsOf(he.actor);
  await house.exchange.decideConsent(she.actor, hers?.id ?? '', 'grant');
  expect((await house.exchange.getVerification(housing, asked.id)).state).toBe('awaiting_consent');
  await house.exchange.decideConsent(he.actor, his?.id ?? '', 'grant');
  const answered = await eventually(async () => {
    const now = await house.exchange.getVerification(housing, asked.id);
    return now.state === 'answered' && now;
  });
  expect(answered.answer).toMatchObject({ below: true });
});

test('two who decide at the same moment give one ending', async () => {
  for (let round = 0; round < 5; round += 1) {
    const [she, he] = [await aPerson(), await aPerson()];
    const params = { family_ids: [he.value], threshold_m2: 15 };
    const question = homeQuestion(she.subject, { service: 'VS-HOMEAREA', params });
    const asked = await house.exchange.ask(housing, question);
    const [hers] = await consentsOf(she.actor);
    const [his] = await consentsOf(he.actor);
    await Promise.all([
      codeOf(house.exchange.decideConsent(she.actor, hers?.id ?? '', 'refuse')),
      codeOf(house.exchange.decideConsent(he.actor, his?.id ?? '', 'grant')),
    ]);
    expect((await house.exchange.getVerification(housing, asked.id)).state).toBe('refused');
  }
});

test('a consent belongs to one person: to others it isn’t there', async () => {
  const [she, he] = [await aPerson(), await aPerson()];
  await house.exchange.ask(housing, homeQuestion(she.subject));
  const [consent] = await consentsOf(she.actor);
  const id = consent?.id ?? '';
  expect(await codeOf(house.exchange.decideConsent(he.actor, id, 'grant'))).toBe(
    'exchange.consent_not_found',
  );
  expect(await codeOf(house.exchange.decideConsent(housing, id, 'grant'))).toBe('exchange.scope');
  expect(await codeOf(house.exchange.listConsents(she.actor, 'lost'))).toBe(
    'exchange.request_invalid',
  );
});

test('nobody decides in time: question and consent expire', async () => {
  const she = await aPerson();
  const asked = await askNow(house, housing, homeQuestion(she.subject));
  expect(asked.state).toBe('awaiting_consent');
  await house.ownerSql`
    update exchange.verifications set deadline = platform.now() where id = ${asked.id}`;
  const [consent] = await consentsOf(she.actor);
  const late = house.exchange.decideConsent(she.actor, consent?.id ?? '', 'grant');
  expect(await codeOf(late)).toBe('exchange.consent_decided');
  await house.sweep('exchange.expire');
  expect((await house.exchange.getVerification(housing, asked.id)).state).toBe('expired');
  expect((await consentsOf(she.actor)).map(({ state }) => state)).toEqual(['expired']);
}, 20_000);
