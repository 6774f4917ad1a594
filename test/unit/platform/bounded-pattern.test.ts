// Patterns of published schemas can't be made to run for ever.
import { expect, test } from 'vitest';
import { boundedPattern, isExplosive } from '../../../platform/index.ts';

test('a pattern meets no text longer than a thousand characters', () => {
  const digits = boundedPattern('^\\d+$', 'u');
  expect([
    digits.test('1'.repeat(1_000)),
    digits.test('1'.repeat(1_001)),
    digits.test('a'),
  ]).toEqual([true, false, false]);
});

test('what takes twice as long with each character is told from what does not', () => {
  const explosive = [
    '(a+)+$',
    '^(a|a)*$',
    '((a{2,})b?)*c',
    '(.*,){3,}x',
    '(\\w+\\s?)*$',
    '([^"]*|x)+',
  ];
  for (const pattern of explosive) expect([pattern, isExplosive(pattern)]).toEqual([pattern, true]);
  const harmless = [
    '^[1-9]\\d{16}[0-9X]$',
    '^[0-9A-HJ-NPQRTUWXY]{18}$',
    '^\\d{4}-\\d{2}$',
    '^(JK|WS)-\\d+$',
    '^[0-9A-Z]+(-[0-9A-Z]{2})?$',
    '[(+*)]+',
    '\\(\\d+\\)+',
  ];
  for (const pattern of harmless) expect([pattern, isExplosive(pattern)]).toEqual([pattern, false]);
});
