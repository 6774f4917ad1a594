import { describe, expect, test } from 'vitest';
import {
  addMonths,
  ageOn,
  decideValidTo,
  type ValidityQuestion,
  type ValidityRule,
} from '../../../registry/validity.ts';

const byAge: ValidityRule = {
  kind: 'by_age',
  rules: [
    { under: 16, years: 5 },
    { under: 26, years: 10 },
    { under: 46, years: 20 },
    { else: 'permanent' },
  ],
};
const driver: ValidityRule = { kind: 'choice_years', values: [6, 10], else: 'permanent' };

const decided: [string, ValidityRule, ValidityQuestion, string | null][] = [
  ['permanent has no end', { kind: 'permanent' }, { validFrom: '2026-03-04' }, null],
  [
    'years end on the corresponding day',
    { kind: 'years', value: 5 },
    { validFrom: '2026-03-04' },
    '2031-03-04',
  ],
  [
    'a leap day ends on the last of February',
    { kind: 'years', value: 1 },
    { validFrom: '2024-02-29' },
    '2025-02-28',
  ],
  [
    'days do not count the first',
    { kind: 'days', value: 90 },
    { validFrom: '2026-03-04' },
    '2026-06-02',
  ],
  [
    'months end on the last day of a short month',
    { kind: 'endorsed', months: 1 },
    { validFrom: '2026-01-31' },
    '2026-02-28',
  ],
  [
    'a shorter period may be asked for',
    { kind: 'years', value: 5 },
    { validFrom: '2026-03-04', validTo: '2027-01-01' },
    '2027-01-01',
  ],
  [
    'one day is enough',
    { kind: 'days', value: 90 },
    { validFrom: '2026-03-04', validTo: '2026-03-04' },
    '2026-03-04',
  ],
  ['a child of 15', byAge, { validFrom: '2026-03-04', birthDay: '2010-03-05' }, '2031-03-04'],
  ['the 16th birthday', byAge, { validFrom: '2026-03-04', birthDay: '2010-03-04' }, '2036-03-04'],
  ['at 45', byAge, { validFrom: '2026-03-04', birthDay: '1980-06-01' }, '2046-03-04'],
  ['at 46', byAge, { validFrom: '2026-03-04', birthDay: '1980-03-04' }, null],
  ['the first choice by default', driver, { validFrom: '2026-03-04' }, '2032-03-04'],
  ['another choice', driver, { validFrom: '2026-03-04', validTo: '2036-03-04' }, '2036-03-04'],
  ['the choice of no end', driver, { validFrom: '2026-03-04', validTo: null }, null],
  [
    'a term',
    { kind: 'term_or_permanent' },
    { validFrom: '2026-03-04', validTo: '2056-03-03' },
    '2056-03-03',
  ],
  ['no term', { kind: 'term_or_permanent' }, { validFrom: '2026-03-04' }, null],
  [
    'a project with a known end',
    { kind: 'project' },
    { validFrom: '2026-03-04', validTo: '2027-09-30' },
    '2027-09-30',
  ],
  ['a project without', { kind: 'project' }, { validFrom: '2026-03-04' }, null],
];

describe('the last valid day', () => {
  for (const [title, rule, question, validTo] of decided) {
    test(title, () => expect(decideValidTo(rule, question)).toEqual({ validTo }));
  }
});

const refused: [string, ValidityRule, ValidityQuestion][] = [
  [
    'an end for a permanent type',
    { kind: 'permanent' },
    { validFrom: '2026-03-04', validTo: '2030-01-01' },
  ],
  [
    'longer than the rule',
    { kind: 'years', value: 5 },
    { validFrom: '2026-03-04', validTo: '2031-03-05' },
  ],
  [
    'no end where the rule has one',
    { kind: 'years', value: 5 },
    { validFrom: '2026-03-04', validTo: null },
  ],
  [
    'an end before the beginning',
    { kind: 'project' },
    { validFrom: '2026-03-04', validTo: '2026-03-03' },
  ],
  ['an age nobody gave', byAge, { validFrom: '2026-03-04' }],
  [
    'an age without a band',
    { kind: 'by_age', rules: [{ under: 16, years: 5 }] },
    { validFrom: '2026-03-04', birthDay: '1980-01-01' },
  ],
  ['none of the choices', driver, { validFrom: '2026-03-04', validTo: '2033-03-04' }],
  [
    'no end without that choice',
    { kind: 'choice_years', values: [6] },
    { validFrom: '2026-03-04', validTo: null },
  ],
];

describe('refused', () => {
  for (const [title, rule, question] of refused) {
    test(title, () =>
      expect(decideValidTo(rule, question)).toEqual({ refusal: expect.any(String) }),
    );
  }
});

test('months run over years', () => {
  expect(addMonths('2026-11-30', 3)).toBe('2027-02-28');
  expect(addMonths('2026-12-15', 12)).toBe('2027-12-15');
});

test('an age turns on the birthday', () => {
  expect([ageOn('2000-02-29', '2026-02-28'), ageOn('2000-02-29', '2026-03-01')]).toEqual([25, 26]);
});
