// The small pure parts of the exchange: months, deadlines, texts, cuts, schemas, hashes, states.
import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import {
  type AgreementAct,
  type AgreementState,
  type AgreementTerms,
  hashTerms,
  mayAct,
  stateAfter,
  stateOn,
} from '../../../exchange/agreement.ts';
import { addMonths, monthsTouched } from '../../../exchange/calendar-months.ts';
import { withClaims } from '../../../exchange/credential-cut.ts';
import { freeTextFaults } from '../../../exchange/free-text.ts';
import { isAdult } from '../../../exchange/named-people.ts';
import { saltedHash } from '../../../exchange/receipt.ts';
import { compileSchema, narrowSchema, type ObjectSchema } from '../../../exchange/schema-check.ts';
import { isOverdue, mayFollow } from '../../../exchange/verification.ts';
import { consentDeadline, deadlineOf } from '../../../exchange/working-days.ts';

const TZ = 'Asia/Shanghai';
const ID = '990101199001010019';

describe('months', () => {
  test('are counted as calendar months touched', () => {
    const cases: [string, string, number][] = [
      ['2024-01', '2024-01', 1],
      ['2024-01-31', '2024-02-01', 2],
      ['2021-03-01', '2026-02-28', 60],
      ['2024-03', '2024-01', 0],
    ];
    for (const [from, to, months] of cases) expect(monthsTouched(from, to)).toBe(months);
  });

  test('added keep the day, or take the last one of a shorter month', () => {
    const cases: [string, number, string][] = [
      ['2026-03-31', -1, '2026-02-28'],
      ['2024-01-31', 1, '2024-02-29'],
      ['2026-01-15', -12, '2025-01-15'],
      ['2026-11-30', 3, '2027-02-28'],
    ];
    for (const [day, months, expected] of cases) expect(addMonths(day, months)).toBe(expected);
  });
});

describe('a deadline', () => {
  test('in working days is the end of that day in the city, weekends left out', () => {
    const cases: [string, number, string][] = [
      // Friday noon: Monday, Tuesday, Wednesday.
      ['2026-03-06T04:00:00Z', 3, '2026-03-11T16:00:00.000Z'],
      // Late on Sunday in UTC it is Monday in the city: Tuesday is the first day.
      ['2026-03-08T17:00:00Z', 1, '2026-03-10T16:00:00.000Z'],
      ['2026-03-02T01:00:00Z', 5, '2026-03-09T16:00:00.000Z'],
    ];
    for (const [now, value, expected] of cases) {
      const deadline = deadlineOf({ kind: 'working_days', value }, new Date(now), TZ);
      expect(deadline.toISOString()).toBe(expected);
    }
  });

  test('in seconds leaves a minute for a restart', () => {
    const now = new Date('2026-03-04T00:00:00Z');
    expect(deadlineOf({ kind: 'seconds', value: 10 }, now, TZ).toISOString()).toBe(
      '2026-03-04T00:01:10.000Z',
    );
  });

  test('for a consent is the end of the seventh day', () => {
    expect(consentDeadline(new Date('2026-03-04T00:00:00Z'), TZ).toISOString()).toBe(
      '2026-03-11T16:00:00.000Z',
    );
  });

  test('is overdue once it has passed without an end, or when the end came after it', () => {
    const [early, deadline, late] = ['01', '02', '03'].map((day) => new Date(`2026-03-${day}`));
    if (!early || !deadline || !late) throw new TypeError('Three days.');
    expect([
      isOverdue(deadline, null, early),
      isOverdue(deadline, null, late),
      isOverdue(deadline, early, late),
      isOverdue(deadline, late, late),
    ]).toEqual([false, true, false, true]);
  });
});

describe('a free text', () => {
  test('that holds a citizen ID is found out, however it is written', () => {
    const texts = [
      ID,
      `案由 ${ID}`,
      '990101 19900101 0019',
      '９９０１０１１９９００１０１００１９',
    ];
    for (const purpose of texts) {
      expect(freeTextFaults({ purpose }).holdsIdentifier, purpose).toEqual([
        { pointer: '/purpose', detail: 'Write no citizen ID here.' },
      ]);
    }
  });

  test('of a case or an officer is a short word', () => {
    const odd = ['', '案 1', 'a b', 'x'.repeat(65), '<b>', 'ü'];
    for (const caseId of odd) expect(freeTextFaults({ caseId }).faults, caseId).toHaveLength(1);
    const good = ['H-2026/17', 'a:b_c.d', 'x'.repeat(64)];
    for (const caseId of good) expect(freeTextFaults({ caseId }).faults, caseId).toEqual([]);
  });
});

test('somebody is of age from her eighteenth birthday on', () => {
  const cases: [string, boolean][] = [
    ['2007-12-31', false],
    ['2008-01-01', true],
    ['2026-03-04', true],
  ];
  for (const [today, adult] of cases) expect(isAdult(ID, today)).toBe(adult);
});

test('a credential loses exactly the disclosures of other claims', () => {
  const disclose = (name: string) =>
    Buffer.from(JSON.stringify(['salt', name, 'value'])).toString('base64url');
  const [a, b, element] = [
    disclose('a'),
    disclose('b'),
    Buffer.from('["salt","value"]').toString('base64url'),
  ];
  expect(withClaims(`jwt~${a}~${b}~${element}~`, ['b'])).toBe(`jwt~${b}~`);
  expect(withClaims(`jwt~${a}~`, [])).toBe('jwt~');
});

describe('a schema', () => {
  const schema: ObjectSchema = {
    type: 'object',
    properties: {
      ids: { type: 'array', items: { type: 'string', pattern: '^[1-9]\\d{16}[0-9X]$' } },
      code: { type: 'string', format: 'uscc' },
      kind: { type: 'string', enum: ['a', 'b'], title_zh: '类' },
    },
    required: ['kind'],
    additionalProperties: false,
  };
  const check = compileSchema(schema);

  test('names every fault with its pointer, identifiers apart, and repeats no value', () => {
    const faults = check(
      { ids: [ID, '990101199001010010'], code: 'X', kind: 'c', 'a/b': 1 },
      '/params',
    );
    expect(faults.citizenIds.map(({ pointer }) => pointer)).toEqual(['/params/ids/1']);
    expect(faults.usccs.map(({ pointer }) => pointer)).toEqual(['/params/code']);
    expect(faults.others.map(({ pointer }) => pointer).sort()).toEqual([
      '/params/a~1b',
      '/params/kind',
    ]);
    expect(JSON.stringify(faults)).not.toContain('990101199001010010');
  });

  test('missing members are pointed at', () => {
    expect(check({}, '/params').others).toEqual([
      { pointer: '/params/kind', detail: 'is missing' },
    ]);
  });

  test('narrowed keeps only the fields named, and requires only those', () => {
    expect(narrowSchema(schema, ['code'])).toEqual({
      type: 'object',
      properties: { code: { type: 'string', format: 'uscc' } },
      required: [],
      additionalProperties: false,
    });
  });

  test('with a word nobody knows does not compile', () => {
    const odd: ObjectSchema = { ...schema, requird: ['kind'] };
    expect(() => compileSchema(odd)).toThrow('requird');
  });
});

test('a salted hash is SHA-256 over the salt and the canonical JSON', () => {
  const salt = Buffer.alloc(32, 7);
  const expected = createHash('sha256')
    .update(Buffer.concat([salt, Buffer.from('{"a":1,"b":"x"}')]))
    .digest('base64url');
  expect(saltedHash(salt, { b: 'x', a: 1 })).toBe(expected);
});

describe('an agreement', () => {
  test('moves only as its table says', () => {
    const states: AgreementState[] = [
      'proposed',
      'active',
      'refused',
      'suspended',
      'revoked',
      'expired',
    ];
    const acts: AgreementAct[] = ['approve', 'refuse', 'suspend', 'resume', 'revoke'];
    const moves = states.flatMap((state) =>
      acts.flatMap((act) => {
        const next = stateAfter(state, act);
        return next === undefined ? [] : [`${state} ${act} ${next}`];
      }),
    );
    expect(moves).toEqual([
      'proposed approve active',
      'proposed refuse refused',
      'proposed revoke revoked',
      'active suspend suspended',
      'active revoke revoked',
      'suspended resume active',
      'suspended revoke revoked',
    ]);
    expect(acts.filter((act) => mayAct('requester', act))).toEqual(['revoke']);
    expect(acts.every((act) => mayAct('provider', act))).toBe(true);
  });

  test('runs out after its last day, unless it had ended before', () => {
    expect([
      stateOn('active', '2026-03-04', '2026-03-04'),
      stateOn('active', '2026-03-04', '2026-03-05'),
      stateOn('suspended', '2026-03-04', '2026-03-05'),
      stateOn('revoked', '2026-03-04', '2026-03-05'),
    ]).toEqual(['active', 'expired', 'expired', 'revoked']);
  });

  test('has another hash for every other term, and the same for the same terms', () => {
    const terms: AgreementTerms = {
      id: '0197a000-0000-7000-8000-000000000000',
      version: 1,
      requester: 'housing',
      provider: 'civil',
      service: 'VS-MARITAL',
      legalBases: ['LB-1'],
      fields: ['matches'],
      purposes: [],
      quota: { perDay: 5 },
      validFrom: '2026-01-01',
      validTo: '2026-12-31',
      cacheAnswers: false,
      signedRequests: false,
    };
    const others: AgreementTerms[] = [
      { ...terms, version: 2 },
      { ...terms, fields: ['matches', 'as_of'] },
      { ...terms, quota: { perDay: 6 } },
      { ...terms, service: undefined, licenceType: 'LT-MARRIAGE' },
      { ...terms, paramLimits: { declared: ['married'] } },
    ];
    const hashes = [terms, ...others].map(hashTerms);
    expect(new Set(hashes).size).toBe(hashes.length);
    expect(hashTerms({ ...terms, paramLimits: undefined })).toBe(hashTerms(terms));
  });
});

test('a verification is answered only after it was dispatched', () => {
  expect(mayFollow('accepted', 'answered')).toBe(false);
  expect(mayFollow('awaiting_consent', 'answered')).toBe(false);
  expect(mayFollow('dispatched', 'answered')).toBe(true);
});
