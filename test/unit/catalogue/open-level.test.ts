import { expect, test } from 'vitest';
import { type OpenLevel, readOpenLevel } from '../../../catalogue/open-level.ts';

/** The spellings of real portals, and those of regulations and code lists. */
const spellings: [level: OpenLevel | null, words: string[]][] = [
  [
    'unconditional',
    [
      '无条件开放',
      '无条件',
      '完全开放',
      '登录开放',
      '开放网站无条件开放',
      '無條件開放',
      'public',
      '1',
    ],
  ],
  [
    'conditional',
    [
      ...[
        '有条件开放',
        '受限开放',
        '依申请开放',
        '申请开放',
        '依申请',
        '提出申请',
        '需申请',
        '申请',
      ],
      ...['受限申请', '开放网站申请', '涉及敏感信息依法授权同意后开放', '依申請開放', '2'],
      ...['涉及个人信息的公共数据已匿名化处理,于开放网站申请后开放', 'restricted public'],
    ],
  ],
  ['not_open', ['不予开放', '禁止开放', '不开放', '非开放类', 'non-public', '3']],
  [
    null,
    [
      ...[
        '',
        '暂无',
        '无',
        '开放网站',
        '用于数据校验',
        '1级\t不脱敏',
        'L1',
        '0',
        '业务协同',
        '开放',
      ],
      ...['部门间数据共享', '无条件共享', '局内使用', '涉密数据已脱敏、脱密', '4'],
    ],
  ],
];

test.each(spellings)('%s is read from the words that say it', (level, words) => {
  for (const word of words) expect([word, readOpenLevel(word).level]).toEqual([word, level]);
});

test('a bare number says a level only where a type is asked for', () => {
  for (const code of ['1', '2', '3']) expect(readOpenLevel(code, 'condition').level).toBeNull();
});

test('a login is not a condition, an application is', () => {
  expect(readOpenLevel('登录开放')).toEqual({
    level: 'unconditional',
    isLoginRequired: true,
    isApplicationRequired: false,
  });
  expect(readOpenLevel('依申请开放')).toEqual({
    level: 'conditional',
    isLoginRequired: false,
    isApplicationRequired: true,
  });
});
