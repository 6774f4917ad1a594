// Bytes of a source into records: encodings, gzip, formats, and where broken text breaks.
import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { jsonFaultPlace } from '../../../catalogue/json-fault.ts';
import { openSource } from '../../../catalogue/source-format.ts';
import { decodeText, unpack } from '../../../catalogue/source-text.ts';
import { AppError } from '../../../platform/index.ts';

/** Encodes by asking the decoder what each pair of bytes means. */
function encode(text: string, encoding: 'gb18030' | 'big5'): Buffer {
  const decoder = new TextDecoder(encoding);
  const bytesOf = new Map<string, number[]>();
  for (let lead = 0x81; lead <= 0xfe; lead++) {
    for (let trail = 0x40; trail <= 0xfe; trail++) {
      const character = decoder.decode(Uint8Array.of(lead, trail));
      if (!bytesOf.has(character)) bytesOf.set(character, [lead, trail]);
    }
  }
  return Buffer.from(
    Array.from(text).flatMap((character) => {
      const bytes = character < '\u0080' ? [character.charCodeAt(0)] : bytesOf.get(character);
      if (!bytes) throw new TypeError(`${character} is not in ${encoding}`);
      return bytes;
    }),
  );
}

const simplified =
  '资源名称,数据提供方\n食品经营许可证信息,市市场监督管理局\n公交线路,市交通运输局\n';
const traditional = '資料集名稱,提供機關\n食品工廠名單,衛生局\n公車路線資訊,交通局\n';

test('text is read in the encoding it is written in', () => {
  const utf16 = Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from(simplified, 'utf16le')]);
  const cases: [Buffer, string, string][] = [
    [Buffer.from(simplified), 'utf-8', simplified],
    [Buffer.from(`\uFEFF${traditional}`), 'utf-8', traditional],
    [utf16, 'utf-16le', simplified],
    [encode(simplified, 'gb18030'), 'gb18030', simplified],
    [encode(traditional, 'big5'), 'big5', traditional],
  ];
  for (const [bytes, encoding, text] of cases) {
    expect(decodeText(bytes)).toEqual({ encoding, text });
  }
});

test('gzip is unpacked', () => {
  expect(Buffer.from(unpack(gzipSync(simplified))).toString()).toBe(simplified);
});

test('bytes that can’t be taken are refused by code', () => {
  const cut = gzipSync(simplified).subarray(0, 20);
  const bomb = gzipSync(Buffer.alloc(65 * 1024 * 1024));
  const cases: [() => unknown, string][] = [
    [() => unpack(cut), 'catalogue.source_unreadable'],
    [() => unpack(bomb), 'catalogue.source_too_large'],
    [() => unpack(Buffer.alloc(65 * 1024 * 1024)), 'catalogue.source_too_large'],
    [() => decodeText(Buffer.from([0x61, 0xff, 0xff, 0x61])), 'catalogue.source_unreadable'],
    [() => decodeText(Buffer.from('PK\u0003\u0004…')), 'catalogue.source_unreadable'],
    [() => decodeText(Buffer.from([0xff, 0xfe, 0x00])), 'catalogue.source_unreadable'],
  ];
  for (const [act, code] of cases) expect(codeOf(act)).toBe(code);
});

function codeOf(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    return error instanceof AppError ? error.code : String(error);
  }
  return 'not refused';
}

test('the format of a list is recognised', () => {
  const cases: [string, string, number][] = [
    ['[{"标题":"a"},{"标题":"b"}]', 'json', 2],
    ['\uFEFF [ ]', 'json', 0],
    ['{"标题":"a"}\n\n{"标题":"b"}\n', 'ndjson', 2],
    ['{"标题":"a\n{"标题":"b"}', 'ndjson', 2],
    ['{"data": [\n{"标题":"a"},\n{"标题":"b"}\n]}', 'json', 2],
    ['{"标题":"a"}', 'json', 1],
    ['{"dataset":[{"title":"a"}]}', 'data.json', 1],
    ['{"count":2,"data":[{"标题":"a"},{"标题":"b"}]}', 'json', 2],
    ['标题,摘要\na,b\n', 'csv', 1],
    ['标题\t摘要\r\n"a\tb\nc"\td\r\n', 'csv', 1],
    ['title;notes\na;b', 'csv', 1],
  ];
  for (const [text, format, count] of cases) {
    const source = openSource(text);
    expect([text, source.format, source.records.length]).toEqual([text, format, count]);
  }
});

test('a broken line or row is that record’s fault alone, told by its place', () => {
  expect(openSource('{"标题":"a"}\n{"标题":\n{"标题":"b"}').records).toEqual([
    { position: 1, value: { 标题: 'a' } },
    {
      position: 2,
      fault: { field: 'line', why: 'is broken at line 1, column 7: it is cut off there' },
    },
    { position: 3, value: { 标题: 'b' } },
  ]);
  expect(openSource('标题,摘要\na,b\nc\nd,e,f\n').records).toEqual([
    { position: 2, value: { 标题: 'a', 摘要: 'b' } },
    { position: 3, fault: { field: 'row', why: 'has 1 values for 2 columns' } },
    { position: 4, fault: { field: 'row', why: 'has 3 values for 2 columns' } },
  ]);
});

test('what is no list of datasets is refused with the place or the reason', () => {
  const cases: [string, RegExp][] = [
    ['', /empty/],
    ['<!doctype html><title>404</title>', /web page/],
    ['[{"标题":"a"},', /line 1, column 13: it is cut off there/],
    ['[\n {"标题":"a"},\n {"标题":oops}\n]', /line 3, column 8\./],
    ['姓名,年龄\na,1\n', /No column is a dataset's title.*姓名, 年龄/],
    ['标题,摘要\n"a,b\n', /Quote/],
    ['{"@context":{},"@graph":[{"@id":"a"}],"x":[{}]}', /RDF/],
  ];
  for (const [text, words] of cases) expect(() => openSource(text)).toThrow(words);
});

test('the place where JSON breaks is found', () => {
  const cases: [string, string][] = [
    ['{"a":1,}', 'line 1, column 8'],
    ['[1 2]', 'line 1, column 4'],
    ['{"a" 1}', 'line 1, column 6'],
    ['{a:1}', 'line 1, column 2'],
    ['["\u0001"]', 'line 1, column 2'],
    ['[01]', 'line 1, column 3'],
    ['[1]\n]', 'line 2, column 1'],
    ['["a\\u12"]', 'line 1, column 2'],
    ['{"a":[', 'line 1, column 7: it is cut off there'],
  ];
  for (const [text, place] of cases) expect([text, jsonFaultPlace(text)]).toEqual([text, place]);
});
