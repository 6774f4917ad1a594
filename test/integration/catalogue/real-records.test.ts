// Real records of ten portals, when they are beside the repository (../shared/data/catalogue).
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { anyone, harvestExitCode, harvestLines } from '../../../catalogue/index.ts';
import { withDatabase } from '../../support/database.ts';
import { catalogueOn } from './setup.ts';

const folder = join(import.meta.dirname, '../../../../shared/data/catalogue');
const isThere = existsSync(folder);
if (!isThere) {
  process.stdout.write('Real catalogue records are not at ../shared/data/catalogue: skipped.\n');
}

interface SourceFile {
  file: string;
  /** Distinct records. */
  added: number;
  /** Records that are another one word for word: half of one portal's list. */
  duplicates: number;
}

const chinese: SourceFile[] = [
  { file: 'cn-guizhou-guiyang.json', added: 2469, duplicates: 0 },
  { file: 'cn-jiangsu-province.json', added: 965, duplicates: 0 },
  { file: 'cn-shanghai.json.gz', added: 2234, duplicates: 2260 },
  { file: 'cn-zhejiang-hangzhou.json.gz', added: 6590, duplicates: 0 },
  { file: 'cn-zhejiang-lishui.json', added: 845, duplicates: 0 },
  { file: 'cn-zhejiang-province.json', added: 1309, duplicates: 0 },
];
const others: SourceFile[] = [
  { file: 'tw-tainan-list-2018.csv', added: 602, duplicates: 0 },
  { file: 'us-cftc-dcat-us-1.1.json', added: 7, duplicates: 0 },
  { file: 'us-philadelphia-dcat-us-1.1.json.gz', added: 402, duplicates: 0 },
];

const bytesOf = (file: string): Buffer => readFileSync(join(folder, file));

/** What is searched of the distinct Chinese records: title, description, tags. */
function searchableTexts(): string[] {
  const labels = [
    '标题',
    '资源名称',
    '数据集名称',
    '摘要',
    '数据摘要',
    '资源描述',
    '标签',
    '数据标签',
  ];
  return chinese.flatMap(({ file }) => {
    const bytes = bytesOf(file);
    const text = (file.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('utf8');
    const records: Record<string, unknown>[] = JSON.parse(text);
    const distinct = new Map(records.map((record) => [JSON.stringify(record), record]));
    return [...distinct.values()].map((record) =>
      labels.map((label) => String(record[label] ?? '')).join('\n'),
    );
  });
}

describe.skipIf(!isThere)('real records', () => {
  const { database } = withDatabase();
  const { catalogue } = catalogueOn(database);

  test('16,672 records of six portals are taken, and then again unchanged', async () => {
    for (const { file, added, duplicates } of chinese) {
      const report = await catalogue.harvest({ source: file, bytes: bytesOf(file) });
      expect(harvestLines(report)).toEqual([
        `added ${added}, changed 0, unchanged 0, deleted 0, duplicates ${duplicates}, errors 0`,
      ]);
    }
    for (const { file, added, duplicates } of chinese) {
      const report = await catalogue.harvest({ source: file, bytes: bytesOf(file) });
      expect([harvestExitCode(report), ...harvestLines(report)]).toEqual([
        0,
        `added 0, changed 0, unchanged ${added}, deleted 0, duplicates ${duplicates}, errors 0`,
      ]);
    }
  }, 90_000);

  test('a word finds exactly the records that contain it', async () => {
    const texts = searchableTexts();
    for (const word of ['许可证', '公交', '气象', '停车', '水质', '营业执照', '食品', '证']) {
      const expected = texts.filter((text) => text.includes(word)).length;
      const { count } = await catalogue.packageSearch(anyone, { q: word, rows: 20 });
      expect([word, count]).toEqual([word, expected]);
    }
  });

  test('paging as ckanapi does gives every dataset once', async () => {
    const seen: string[] = [];
    for (let start = 0; ; start += 1000) {
      const { results } = await catalogue.packageSearch(anyone, { rows: 1000, start });
      if (results.length === 0) break;
      seen.push(...results.map(({ id }) => id));
    }
    expect([seen.length, new Set(seen).size]).toEqual([14_412, 14_412]);
  });

  test('levels and frequencies are read where the words say them', async () => {
    const { facets } = await catalogue.packageSearch(anyone, {
      rows: 0,
      'facet.field': ['open_level', 'frequency'],
    });
    expect(facets.open_level).toEqual({ unconditional: 10_315, conditional: 2_175 });
    expect(Object.keys(facets.frequency ?? {})).toHaveLength(11);
  });

  test('a CSV list and two data.json are taken as well', async () => {
    for (const { file, added, duplicates } of others) {
      const report = await catalogue.harvest({ source: file, bytes: bytesOf(file) });
      expect([file, ...harvestLines(report)]).toEqual([
        file,
        `added ${added}, changed 0, unchanged 0, deleted 0, duplicates ${duplicates}, errors 0`,
      ]);
    }
  }, 60_000);
});
