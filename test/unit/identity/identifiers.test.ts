// Identifiers in text and on screens.
import { describe, expect, it } from 'vitest';
import { containsCitizenId, maskIdentifier, maskName } from '../../../identity/index.ts';

describe('containsCitizenId', () => {
  it.each([
    '990101199001010019',
    '案件 990101199001010019 的核查',
    'CASE-990101199001010019-2',
    '7990101199001010019',
    '990101 19900101 0019',
    '９９０１０１１９９００１０１００１９',
    '990101\u200b199001010019',
    '11010519491231002x',
    '11010519491231002Ｘ',
  ])('finds a valid ID in %j', (text) => {
    expect(containsCitizenId(text)).toBe(true);
  });

  it.each([
    '',
    '公租房资格核查 2026-0304',
    '990101199001010010',
    '99010119900230001X',
    '11990100009900013U',
    '12345678901234567890',
    '990101-19900101-0019',
  ])('finds none in %j', (text) => {
    expect(containsCitizenId(text)).toBe(false);
  });
});

describe('masks', () => {
  it.each([
    ['张三', '张＊'],
    ['张三丰', '张＊＊'],
    ['欧阳修', '欧阳＊'],
    ['欧阳', '欧＊'],
    ['阿卜杜拉·买买提', '阿＊＊＊＊＊＊＊'],
    ['李', '李'],
    ['𠮷田', '𠮷＊'],
    ['', ''],
  ])('shows %s as %s', (name, masked) => {
    expect(maskName(name)).toBe(masked);
  });

  it.each([
    ['440106199001011235', '440106********1235'],
    ['11990100009900013U', '11990100009900013U'],
    ['passport-77', 'p*********7'],
    ['ab', '**'],
  ])('shows %s as %s', (value, masked) => {
    expect(maskIdentifier(value)).toBe(masked);
  });
});
