// Deny by default, over departments × services × legal bases × purposes × agreement states × days:
// nothing is allowed unless one agreement says all of it, and the code names the first thing missing.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { AgreementState } from '../../../exchange/agreement.ts';
import {
  type DenialCode,
  decide,
  type GrantedRights,
  type QuestionCounts,
  type QuestionFacts,
} from '../../../exchange/decision.ts';

const departments = ['housing', 'police', 'civil', 'fund'];
const services = ['VS-A', 'VS-B', 'VS-C'];
const bases = ['LB-1', 'LB-2', 'LB-3'];
const purposes = ['P-1', 'P-2', 'P-3'];
const states: AgreementState[] = [
  'proposed',
  'active',
  'refused',
  'suspended',
  'revoked',
  'expired',
];
const days = ['2025-12-31', '2026-01-01', '2026-06-30', '2026-12-31', '2027-01-01'];

const agreement: fc.Arbitrary<GrantedRights> = fc.record({
  requester: fc.constantFrom(...departments),
  service: fc.constantFrom(...services),
  state: fc.constantFrom(...states),
  validFrom: fc.constantFrom(...days),
  validTo: fc.constantFrom(...days),
  legalBases: fc.subarray(bases),
  purposes: fc.subarray(purposes),
  signedRequests: fc.boolean(),
});

const facts: fc.Arbitrary<QuestionFacts<GrantedRights>> = fc.record({
  requester: fc.constantFrom(...departments),
  legalBasis: fc.constantFrom(...bases, 'LB-UNKNOWN'),
  purpose: fc.constantFrom(...purposes),
  isSigned: fc.boolean(),
  wantsDelay: fc.boolean(),
  mayDelay: fc.boolean(),
  today: fc.constantFrom(...days),
  service: fc.option(
    fc.record({ code: fc.constantFrom(...services), legalBases: fc.subarray(bases) }),
    { nil: undefined, freq: 8 },
  ),
  isSubjectKindRight: fc.boolean(),
  areParamsValid: fc.boolean(),
  agreements: fc.array(agreement, { maxLength: 8 }),
});

const counts: fc.Arbitrary<QuestionCounts> = fc.record({
  isQuotaLeft: fc.boolean(),
  isProbing: fc.boolean(),
});

type Facts = QuestionFacts<GrantedRights>;

/** The promises of one agreement for one question, each written out on its own. */
const demands: ((agreement: GrantedRights, facts: Facts) => boolean)[] = [
  (a, f) => a.requester === f.requester,
  (a, f) => a.service === f.service?.code,
  (a) => a.state === 'active',
  (a, f) => a.validFrom <= f.today && f.today <= a.validTo,
  (a, f) => !a.signedRequests || f.isSigned,
  (a, f) => a.legalBases.includes(f.legalBasis),
  (_, f) => f.service?.legalBases.includes(f.legalBasis) ?? false,
  (a, f) => a.purposes.length === 0 || a.purposes.includes(f.purpose),
];

test('a question is allowed exactly when one agreement meets every demand, and nothing else is amiss', () => {
  fc.assert(
    fc.property(facts, counts, (f, c) => {
      const decision = decide(f, c);
      const isGranted = f.agreements.some((a) => demands.every((holds) => holds(a, f)));
      const isOtherwiseFine =
        f.isSubjectKindRight &&
        f.areParamsValid &&
        (!f.wantsDelay || f.mayDelay) &&
        c.isQuotaLeft &&
        !c.isProbing;
      expect(decision.isAllowed).toBe(isGranted && isOtherwiseFine);
    }),
    { numRuns: 20_000 },
  );
});

/** Questions that one of their agreements grants, among others that grant nothing or something else. */
const allowed: fc.Arbitrary<Facts> = fc.tuple(facts, agreement).map(([f, a]) => {
  const code = f.service?.code ?? 'VS-A';
  const granting: GrantedRights = {
    ...a,
    requester: f.requester,
    service: code,
    state: 'active',
    validFrom: '2025-12-31',
    validTo: '2027-01-01',
    legalBases: [...a.legalBases, f.legalBasis],
    purposes: a.purposes.length === 0 ? [] : [...a.purposes, f.purpose],
  };
  return {
    ...f,
    isSigned: f.isSigned || granting.signedRequests,
    mayDelay: true,
    isSubjectKindRight: true,
    areParamsValid: true,
    service: { code, legalBases: [...(f.service?.legalBases ?? []), f.legalBasis] },
    agreements: [...f.agreements.slice(0, 3), granting, ...f.agreements.slice(3)],
  };
});

test('an allowed question is allowed under an agreement that meets every demand by itself', () => {
  fc.assert(
    fc.property(allowed, (f) => {
      const decision = decide(f);
      expect(decision.isAllowed).toBe(true);
      if (!decision.isAllowed) return;
      for (const holds of demands) expect(holds(decision.agreement, f)).toBe(true);
    }),
    { numRuns: 5_000 },
  );
});

test('taking away any one thing that an allowed question rests on denies it', () => {
  const takings: [(f: Facts) => Facts, DenialCode][] = [
    [(f) => ({ ...f, service: undefined }), 'unknown_service'],
    [(f) => ({ ...f, isSubjectKindRight: false }), 'subject_kind'],
    [(f) => ({ ...f, areParamsValid: false }), 'params_invalid'],
    [(f) => ({ ...f, agreements: [] }), 'no_agreement'],
    [(f) => ({ ...f, requester: 'nobody' }), 'no_agreement'],
    [(f) => ({ ...f, today: '2099-01-01' }), 'no_agreement'],
    [(f) => ({ ...f, legalBasis: 'LB-NOBODY-LISTS' }), 'legal_basis_not_allowed'],
    [(f) => ({ ...f, wantsDelay: true, mayDelay: false }), 'delay_not_allowed'],
    ...states
      .filter((state) => state !== 'active')
      .map((state): [(f: Facts) => Facts, DenialCode] => [
        (f) => ({ ...f, agreements: f.agreements.map((a) => ({ ...a, state })) }),
        'no_agreement',
      ]),
  ];
  fc.assert(
    fc.property(allowed, (f) => {
      expect(decide(f).isAllowed).toBe(true);
      for (const [take, code] of takings) {
        const decision = decide(take(f));
        expect(decision.isAllowed ? 'allowed' : decision.code).toBe(code);
      }
      expect(decide(f, { isQuotaLeft: false, isProbing: true })).toEqual({
        isAllowed: false,
        code: 'quota',
      });
      expect(decide(f, { isQuotaLeft: true, isProbing: true })).toEqual({
        isAllowed: false,
        code: 'probing',
      });
    }),
    { numRuns: 5_000 },
  );
});

test('agreements of others, of other services and of other days change nothing', () => {
  fc.assert(
    fc.property(facts, fc.array(agreement, { maxLength: 8 }), (f, more) => {
      const foreign = more.filter(
        (a) =>
          a.requester !== f.requester ||
          a.service !== f.service?.code ||
          a.state !== 'active' ||
          f.today < a.validFrom ||
          a.validTo < f.today,
      );
      const widened = decide({ ...f, agreements: [...foreign, ...f.agreements] });
      expect(widened).toEqual(decide(f));
    }),
    { numRuns: 10_000 },
  );
});
