import { expect, test } from 'vitest';
import { parseQuery, type Query } from '../../../catalogue/query-syntax.ts';

const word = (text: string, field: string | null = null): Query => ({
  kind: 'term',
  field,
  text,
  isPhrase: false,
  isPrefix: false,
});
const phrase = (text: string, field: string | null = null): Query => ({
  kind: 'term',
  field,
  text,
  isPhrase: true,
  isPrefix: false,
});

test('the forms that CKAN’s clients send are understood', () => {
  const cases: [string, Query][] = [
    ['', { kind: 'all' }],
    ['*:*', { kind: 'all' }],
    ['公交', word('公交')],
    ['食品 许可证', { kind: 'and', of: [word('食品'), word('许可证')] }],
    ['a AND b OR c', { kind: 'or', of: [{ kind: 'and', of: [word('a'), word('b')] }, word('c')] }],
    ['"public transport"', phrase('public transport')],
    ['title:"a \\"b\\""', phrase('a "b"', 'title')],
    ['+organization:govsvc', word('govsvc', 'organization')],
    ['-tags:公交', { kind: 'not', of: word('公交', 'tags') }],
    ['NOT a', { kind: 'not', of: word('a') }],
    ['tags:(a OR b)', { kind: 'or', of: [word('a', 'tags'), word('b', 'tags')] }],
    ['(a || b) && c', { kind: 'and', of: [{ kind: 'or', of: [word('a'), word('b')] }, word('c')] }],
    ['tit*', { ...word('tit'), isPrefix: true } as Query],
    ['licence:*', { kind: 'exists', field: 'licence' }],
    ['a~2 b^4', { kind: 'and', of: [word('a'), word('b')] }],
    ['name:bus\\-stops', word('bus-stops', 'name')],
    [
      'metadata_modified:[2024-01-01T00:00:00Z TO *]',
      {
        kind: 'range',
        field: 'metadata_modified',
        from: { value: '2024-01-01T00:00:00Z', isInclusive: true },
        to: null,
      },
    ],
    [
      'issued:{2024-01-01 TO 2025-01-01}',
      {
        kind: 'range',
        field: 'issued',
        from: { value: '2024-01-01', isInclusive: false },
        to: { value: '2025-01-01', isInclusive: false },
      },
    ],
  ];
  for (const [text, query] of cases) expect([text, parseQuery(text)]).toEqual([text, query]);
});

test('what isn’t syntax is words', () => {
  const cases: [string, Query][] = [
    ['a)', word('a')],
    ['((a', word('a')],
    ['a "b', { kind: 'and', of: [word('a'), word('"b')] }],
    ['OR a', word('a')],
    ['a OR', word('a')],
    ['a: b', { kind: 'and', of: [word('a:'), word('b')] }],
    ['-', word('-')],
    ['()', { kind: 'all' }],
    ['[a TO', { kind: 'and', of: [word('[a'), word('TO')] }],
    ['\\', { kind: 'all' }],
  ];
  for (const [text, query] of cases) expect([text, parseQuery(text)]).toEqual([text, query]);
});
