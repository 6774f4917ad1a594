// Asking and being answered: the shape, the receipt, the log, and every refusal.
import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { canonicalJson, type JsonObject, systemIds, systemScope } from '../../../platform/index.ts';
import { eventually } from '../../support/eventually.ts';
import {
  askNow,
  CANTEEN,
  citizenId,
  codeOf,
  department,
  issued,
  LI,
  maritalQuestion,
  marriage,
  officer,
  platformActor,
  WANG,
  withExchange,
} from './house.ts';

const house = withExchange({ queue: 'running' });
const housing = department('housing');

const subject = { scheme: 'cn-id', value: LI.value };

/** The entries of the log about one verification, oldest first. */
async function entriesOf(id: string) {
  const entries = await house.audit.as(systemScope).findEntries({ limit: 200 });
  return entries
    .filter(({ verification }) => verification === id)
    .sort((a, b) => a.index - b.index)
    .map(({ index, type, outcome, department }) => ({ index, type, outcome, department }));
}

describe('a question whose caller waits', () => {
  test('is answered with no more than matches and the day, a receipt, and two log entries', async () => {
    await issued(house, platformActor, marriage());
    const question = maritalQuestion();
    const answered = await askNow(house, housing, question);
    expect(answered).toMatchObject({
      service: 'VS-MARITAL',
      state: 'answered',
      overdue: false,
      answer: { matches: false, as_of: answered.asOf },
      answeredBy: { id: 'civil', uscc: '11990100009900013U', name: '云珠市民政局' },
      requestEvidence: 'dpop',
    });
    expect(Object.keys(answered).sort()).toEqual(
      [
        'answer',
        'answeredBy',
        'asOf',
        'audit',
        'createdAt',
        'deadline',
        'endedAt',
        'id',
        'overdue',
        'receipt',
        'receiptSalt',
        'requestEvidence',
        'service',
        'state',
      ].sort(),
    );
    const [asked, answer] = answered.audit;
    expect(await entriesOf(answered.id)).toEqual([
      { index: asked, type: 'verification.asked', outcome: 'ok', department: 'housing' },
      { index: answer, type: 'verification.answered', outcome: 'ok', department: 'civil' },
    ]);
  });

  test('gets a receipt by the provider over salted hashes of its request and answer', async () => {
    const question = maritalQuestion({ officer: 'housing-desk-1' });
    const { answer, receipt, receiptSalt, ...answered } = await askNow(house, housing, question);
    const verified = await house.signing.verifyReceipt(String(receipt));
    const salt = Buffer.from(String(receiptSalt), 'base64url');
    const hash = (value: JsonObject) =>
      createHash('sha256').update(salt).update(canonicalJson(value)).digest('base64url');
    expect(salt).toHaveLength(32);
    expect(verified.isAuthentic).toBe(true);
    expect(verified.payload).toEqual({
      iss: '11990100009900013U',
      jti: answered.id,
      service: 'VS-MARITAL',
      requestedAt: answered.createdAt,
      answeredAt: answered.endedAt,
      requestHash: hash(question),
      answerHash: hash(answer ?? {}),
      audit: answered.audit,
      custody: 'platform',
    });
  });

  test('about somebody nobody knows has the same shape as about one without a record', async () => {
    const known = citizenId('1971-02-03', 11);
    await house.identity.ensurePerson(house.database.db, { scheme: 'cn-id', value: known }, '陈一');
    const shapes = [];
    for (const value of [known, citizenId('1972-02-03', 12)]) {
      const subject = { scheme: 'cn-id', value };
      const { answer, ...rest } = await askNow(house, housing, maritalQuestion({ subject }));
      shapes.push({ answer, keys: Object.keys(rest).sort() });
    }
    expect(shapes[0]).toEqual(shapes[1]);
    expect(shapes[0]?.answer).toMatchObject({ matches: true });
  });

  test('that the records can’t tell is refused with that reason, never guessed', async () => {
    const question = {
      ...maritalQuestion(),
      service: 'VS-TAXCLEAR',
      subject: { scheme: 'uscc', value: CANTEEN.value },
      params: {},
      legalBasis: 'LB-MER',
    };
    expect(await askNow(house, housing, question)).toMatchObject({
      state: 'refused',
      refusal: { reason: 'cannot_tell' },
    });
  });
});

describe('a question whose caller does not wait', () => {
  test('is answered by a worker, with the same two entries', async () => {
    const asked = await house.exchange.ask(housing, maritalQuestion());
    const answered = await eventually(async () => {
      const now = await house.exchange.getVerification(housing, asked.id);
      return now.state === 'answered' && now;
    });
    expect(answered.answer).toMatchObject({ matches: false });
    expect((await entriesOf(asked.id)).map(({ type }) => type).slice(0, 2)).toEqual([
      'verification.asked',
      'verification.answered',
    ]);
  });

  test('can be found by its case, without its answer', async () => {
    const caseId = `H-${systemIds.token(6)}`;
    const { id } = await askNow(house, housing, maritalQuestion({ caseId }));
    const { items } = await house.exchange.listVerifications(housing, { caseId });
    expect(items.map((item) => item.id)).toEqual([id]);
    expect(items[0]).not.toHaveProperty('answer');
    const others = await house.exchange.listVerifications(department('fund'), { caseId });
    expect(others.items).toEqual([]);
  });

  test('with a state that is none is refused', async () => {
    expect(await codeOf(house.exchange.listVerifications(housing, { state: 'lost' }))).toBe(
      'exchange.request_invalid',
    );
  });
});

describe('a later look at an answer', () => {
  test('is logged before it is shown', async () => {
    const { id } = await askNow(house, housing, maritalQuestion());
    const again = await house.exchange.getVerification(housing, id);
    expect(again.answer).toMatchObject({ matches: false });
    expect((await entriesOf(id)).map(({ type }) => type)).toEqual([
      'verification.asked',
      'verification.answered',
      'answer.read',
    ]);
  });

  test('gives the same receipt', async () => {
    const first = await askNow(house, housing, maritalQuestion());
    const second = await house.exchange.getVerification(housing, first.id);
    expect(second.receipt).toBe(first.receipt);
  });

  test('is not found by another department', async () => {
    const { id } = await askNow(house, housing, maritalQuestion());
    const notFound = 'exchange.verification_not_found';
    expect(await codeOf(house.exchange.getVerification(department('fund'), id))).toBe(notFound);
    expect(await codeOf(house.exchange.getVerification(housing, 'no-id'))).toBe(notFound);
  });
});

describe('a question is refused', () => {
  const id = LI.value;
  const cases: [string, JsonObject, string][] = [
    ['for a service there is not', { service: 'VS-NONE' }, 'exchange.unknown_service'],
    [
      'about a bad citizen ID',
      { subject: { scheme: 'cn-id', value: '990101199001010010' } },
      'identity.citizen_id_invalid',
    ],
    [
      'about a company where people are meant',
      { subject: { scheme: 'uscc', value: CANTEEN.value } },
      'exchange.subject_kind',
    ],
    ['with a parameter too few', { params: {} }, 'exchange.params_invalid'],
    [
      'with a parameter too many',
      { params: { declared: 'married', x: 1 } },
      'exchange.params_invalid',
    ],
    ['with a wrong value', { params: { declared: 'happy' } }, 'exchange.params_invalid'],
    [
      'with a bad citizen ID among its parameters',
      { service: 'VS-SPOUSE', params: { other_id: '990102198512120028' } },
      'identity.citizen_id_invalid',
    ],
    [
      'without an agreement',
      { service: 'VS-ADOPTION', params: { adoptee_id: WANG.value } },
      'exchange.no_agreement',
    ],
    ['on another legal basis', { legalBasis: 'LB-VET' }, 'exchange.legal_basis_not_allowed'],
    ['on a legal basis nobody knows', { legalBasis: '依法' }, 'exchange.legal_basis_not_allowed'],
    ['with an ID in its purpose', { purpose: `核查 ${id}` }, 'exchange.identifier_in_text'],
    ['with an ID for a case', { caseId: id }, 'exchange.identifier_in_text'],
    ['with an ID for an officer', { officer: id }, 'exchange.identifier_in_text'],
    ['with an odd case', { caseId: '案 1' }, 'exchange.request_invalid'],
    ['without a purpose', { purpose: '' }, 'exchange.request_invalid'],
    [
      'with a delay its department may not have',
      { discloseAfter: '2030-01-01T00:00:00Z', discloseReason: '侦查' },
      'exchange.delay_not_allowed',
    ],
    ['with members nobody asked for', { color: 'red' }, 'exchange.request_invalid'],
  ];
  for (const [why, changes, code] of cases) {
    test(`${why}: ${code}`, async () => {
      const asked = house.exchange.ask(housing, maritalQuestion(changes), { waitSeconds: 1 });
      expect(await codeOf(asked)).toBe(code);
    });
  }

  test('to who may not ask', async () => {
    const actors = [
      department('housing', []),
      officer('housing-issuer-1', 'issuer'),
      { ...department('housing'), kind: 'citizen' as const, organisationId: null },
    ];
    for (const actor of actors) {
      expect(await codeOf(house.exchange.ask(actor, maritalQuestion()))).toBe('exchange.scope');
    }
  });

  test('and the citizen is shown who tried, with the code, but never a text that holds an ID', async () => {
    const value = citizenId('1980-03-04', 21);
    const subject = { scheme: 'cn-id' as const, value };
    await codeOf(house.exchange.ask(housing, maritalQuestion({ subject, legalBasis: 'LB-VET' })));
    await codeOf(house.exchange.ask(housing, maritalQuestion({ subject, purpose: `查 ${value}` })));
    const subjectTag = house.identity.subjectTag(subject);
    const entries = await eventually(async () => {
      const found = await house.audit.as(systemScope).findEntries({ subjectTag, limit: 10 });
      return found.length === 2 && found;
    });
    const details = await house.identity.openAccess(entries);
    expect(
      entries.map(({ type, outcome, code, department }) => ({ type, outcome, code, department })),
    ).toEqual([
      {
        type: 'verification.asked',
        outcome: 'refused',
        code: 'exchange.identifier_in_text',
        department: 'housing',
      },
      {
        type: 'verification.asked',
        outcome: 'refused',
        code: 'exchange.legal_basis_not_allowed',
        department: 'housing',
      },
    ]);
    expect(details.map(({ purpose }) => purpose)).toEqual([null, '公共租赁住房资格审核']);
  });

  test('and nothing of it is stored', async () => {
    const before = await house.ownerSql`select count(*) from exchange.verifications`;
    await codeOf(house.exchange.ask(housing, maritalQuestion({ legalBasis: 'LB-VET' })));
    const after = await house.ownerSql`select count(*) from exchange.verifications`;
    expect(after[0]).toEqual(before[0]);
  });
});

test('a department the operator allows may delay the disclosure, with a reason', async () => {
  const police = department('police');
  await house.exchange.allowDelay(house.database.db, 'police');
  const discloseAfter = new Date(Date.now() + 30 * 86_400_000).toISOString();
  const ask = (changes: JsonObject) => askNow(house, police, maritalQuestion(changes));
  expect(await codeOf(ask({ discloseAfter }))).toBe('exchange.request_invalid');
  const { id } = await ask({ discloseAfter, discloseReason: '侦查需要' });
  const entries = await house.audit.as(systemScope).findEntries({ limit: 200 });
  const own = entries.filter(({ verification }) => verification === id);
  expect(own.map(({ discloseAt }) => discloseAt)).toEqual([
    new Date(discloseAfter),
    new Date(discloseAfter),
  ]);
});

describe('guessing', () => {
  const declare = (caseId: string, declared: string) =>
    house.exchange.ask(housing, maritalQuestion({ caseId, params: { declared } }), {
      waitSeconds: 5,
    });

  test('ends after two parameter sets of one case; the sets asked before stay free', async () => {
    const caseId = `H-${systemIds.token(6)}`;
    await declare(caseId, 'married');
    await declare(caseId, 'divorced');
    expect(await codeOf(declare(caseId, 'never_registered'))).toBe('exchange.probing');
    expect((await declare(caseId, 'married')).state).toBe('answered');
    expect((await declare(`${caseId}-2`, 'never_registered')).state).toBe('answered');
  });

  test('ends there too when all three arrive together', async () => {
    const caseId = `H-${systemIds.token(6)}`;
    const codes = await Promise.all(
      ['married', 'divorced', 'never_registered'].map((word) => codeOf(declare(caseId, word))),
    );
    expect(codes.sort()).toEqual(['exchange.probing', 'not refused', 'not refused']);
  });
});

test('a parameter set counts for 30 days', async () => {
  const caseId = `H-${systemIds.token(6)}`;
  const ask = (declared: string) =>
    codeOf(askNow(house, housing, maritalQuestion({ caseId, params: { declared } })));
  expect([await ask('married'), await ask('divorced')]).toEqual(['not refused', 'not refused']);
  const age = (days: number) => house.ownerSql`
    update exchange.probes set param_sets = (
      select jsonb_object_agg(key, value::float8 - ${days * 86_400_000}::float8)
      from jsonb_each(param_sets))
    where changed_at > platform.now() - interval '1 minute'`;
  await age(29);
  expect(await ask('widowed')).toBe('exchange.probing');
  await age(2);
  expect(await ask('never_registered')).toBe('not refused');
});

describe('a retry with the same idempotency key', () => {
  test('finds the question it stored, many times at once', async () => {
    const question = maritalQuestion();
    const idempotencyKey = systemIds.token(12);
    const asked = await Promise.all(
      Array.from({ length: 8 }, () =>
        house.exchange.ask(housing, question, { waitSeconds: 5, idempotencyKey }),
      ),
    );
    expect(new Set(asked.map(({ id }) => id)).size).toBe(1);
  });
});

test('a stored request and its answer hold no identifier and no text in the clear', async () => {
  const question = maritalQuestion({ subject, caseId: 'GEHEIM-77', purpose: '机密目的' });
  const { id } = await askNow(house, housing, question);
  const rows = await house.ownerSql`
    select v::text || a::text as text from exchange.verifications v
    join exchange.answers a on a.verification_id = v.id where v.id = ${id}`;
  const text = String(rows[0]?.text);
  for (const secret of [LI.value, 'GEHEIM', '机密目的', 'never_registered']) {
    expect(text).not.toContain(secret);
    expect(text).not.toContain(Buffer.from(secret).toString('hex'));
  }
});
