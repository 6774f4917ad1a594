import { describe, expect, test } from 'vitest';
import {
  encodeVerificationCode,
  foldVerificationCode,
  verificationCodeKey,
} from '../../../registry/verification-code.ts';

test('80 bits become 16 characters, the highest bits first', () => {
  expect(encodeVerificationCode(Buffer.from('00000000000000000000', 'hex'))).toBe('0'.repeat(16));
  expect(encodeVerificationCode(Buffer.from('ffffffffffffffffffff', 'hex'))).toBe('Z'.repeat(16));
  expect(encodeVerificationCode(Buffer.from('0123456789abcdef0123', 'hex'))).toBe(
    '04HMASW9NF6YY093',
  );
});

test('only 80 bits make a code', () => {
  for (const length of [0, 9, 11]) {
    expect(() => encodeVerificationCode(Buffer.alloc(length))).toThrow(TypeError);
  }
});

describe('a code is read as people write it', () => {
  const code = '04HMASW9NF6YY093';
  for (const typed of [
    code,
    '04hm-asw9-nf6y-y093',
    ' 04HM ASW9 NF6Y Y093 ',
    'O4HMASW9NF6YYo93',
    '０４HMASW9NF6YY093',
  ]) {
    test(typed, () => expect(foldVerificationCode(typed)).toBe(code));
  }
  test('I and L are ones', () =>
    expect(foldVerificationCode('ILil000000000000')).toBe('1111000000000000'));
});

test('what can not be a code is none', () => {
  for (const typed of [
    '',
    '04HMASW9NF6YY09',
    '04HMASW9NF6YY0933',
    'U4HMASW9NF6YY093',
    '04HMASW9NF6YY09!',
    'x'.repeat(5000),
  ]) {
    expect(foldVerificationCode(typed), typed.slice(0, 20)).toBeUndefined();
  }
});

test('the look-up key depends on secret and code', () => {
  const key = (secret: number, code: string) =>
    verificationCodeKey(Buffer.alloc(32, secret), code).toString('hex');
  expect(key(1, '04HMASW9NF6YY093')).toHaveLength(64);
  expect(key(1, '04HMASW9NF6YY093')).toBe(key(1, '04HMASW9NF6YY093'));
  expect(key(2, '04HMASW9NF6YY093')).not.toBe(key(1, '04HMASW9NF6YY093'));
  expect(key(1, '04HMASW9NF6YY094')).not.toBe(key(1, '04HMASW9NF6YY093'));
});
