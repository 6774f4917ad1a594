import { expect, test } from 'vitest';
import { indexTokens, tsqueryLiteral, tsvectorLiteral } from '../../../catalogue/text-tokens.ts';

test('Han runs become overlapping bigrams plus the last character, other scripts whole words', () => {
  expect(indexTokens('食品经营许可证（2023年版） SODA-2022 Café')).toEqual([
    ...['食品', '品经', '经营', '营许', '许可', '可证', '证'],
    ...['2023', '年版', '版', 'soda', '2022', 'café'],
  ]);
});

test('compatibility forms and case are one word', () => {
  expect(indexTokens('ＡＰＩ接口㎡')).toEqual(indexTokens('api接口m2'));
});

test('characters outside the basic plane, kana and iteration marks stay whole', () => {
  expect(indexTokens('𠮷野家')).toEqual(['𠮷野', '野家', '家']);
  expect(indexTokens('人々のデータ')).toEqual(['人々', '々の', 'のデ', 'デー', 'ータ', 'タ']);
});

test('a word of a query is a phrase of bigrams without the single last character', () => {
  const cases: [string, string | null][] = [
    ['许可证', "'许可' <-> '可证'"],
    ['证', "'证':*"],
    ['气象 站', "'气象' <2> '站':*"],
    ['3D地图', "'3d' <1> '地图'"],
    ["it's", "'it' <1> 's'"],
    ['—，。', null],
    ['', null],
  ];
  for (const [text, literal] of cases) expect(tsqueryLiteral(text)).toBe(literal);
});

test('weights and prefixes reach the lexemes', () => {
  expect(tsqueryLiteral('公交车', { weight: 'A' })).toBe("'公交':A <-> '交车':A");
  expect(tsqueryLiteral('车', { weight: 'A' })).toBe("'车':*A");
  expect(tsqueryLiteral('licen', { isPrefix: true })).toBe("'licen':*");
  expect(tsqueryLiteral('x'.repeat(300))).toBe(`'${'x'.repeat(80)}':*`);
});

test('positions go on over fields with a gap, so that no phrase crosses a border', () => {
  expect(
    tsvectorLiteral([
      { text: '公交', weight: 'A' },
      { text: '公交 bus', weight: 'C' },
    ]),
  ).toBe("'公交':1A,13C '交':2A,14C 'bus':15C");
});
