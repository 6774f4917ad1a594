// GB/T 36904 licence identifiers against the examples in gbt36904.json.
import { expect, test } from 'vitest';
import {
  checkCharacter,
  formatLicenceNumber,
  parseLicenceNumber,
} from '../../registry/licence-number.ts';
import vectors from './gbt36904.json' with { type: 'json' };

test.each(vectors.valid)('%s is read and written back the same', (number) => {
  const parts = parseLicenceNumber(number);
  expect(parts).toBeDefined();
  expect(parts && formatLicenceNumber(parts)).toBe(number);
});

test.each(vectors.invalid)('%s has a wrong check character', (number) => {
  expect(parseLicenceNumber(number)).toBeUndefined();
});

test.each(vectors.made)('version $version of $serial ends in $check', ({ check, ...parts }) => {
  expect(formatLicenceNumber(parts).split('.').at(-1)).toBe(check);
});

test.each(vectors.checkCharacters)('ISO/IEC 7064: $payload ends in $check', (vector) => {
  expect(checkCharacter(vector.payload)).toBe(vector.check);
});

test('every single wrong character of a real identifier is found', () => {
  const number = vectors.valid[1] ?? '';
  const root = '1.2.156.3005.2.'.length;
  const alphabet = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ';
  let tried = 0;
  for (let at = root; at < number.length; at += 1) {
    if (number[at] === '.') continue;
    for (const other of alphabet) {
      if (other === number[at]) continue;
      const wrong = number.slice(0, at) + other + number.slice(at + 1);
      expect(parseLicenceNumber(wrong), wrong).toBeUndefined();
      tried += 1;
    }
  }
  expect(tried).toBeGreaterThan(1_700);
});
