import { expect, test } from 'vitest';
import type { HarvestReport } from '../../../catalogue/harvest.ts';
import { harvestExitCode, harvestLines } from '../../../catalogue/harvest-lines.ts';
import {
  type HarvestPlan,
  planHarvest,
  type StoredRecord,
} from '../../../catalogue/harvest-plan.ts';
import { openSource, readRecordsOf } from '../../../catalogue/source-format.ts';

/** What is stored once a plan over nothing was carried out. */
function stored(plan: HarvestPlan): StoredRecord[] {
  return plan.added.map(({ key, ordinal, hash }, at) => ({
    key,
    ordinal,
    hash,
    datasetId: `dataset ${at + 1}`,
    isDeleted: false,
  }));
}

function plan(records: unknown[], before: StoredRecord[] = []): HarvestPlan {
  return planHarvest(readRecordsOf(openSource(JSON.stringify(records))), before);
}

function counts({ added, changed, unchanged, deleted, duplicates, errors }: HarvestPlan) {
  return {
    added: added.map(({ record }) => record.content.title),
    changed: changed.map(({ record }) => record.content.title),
    unchanged,
    deleted: deleted.map(({ datasetId }) => datasetId),
    duplicates,
    errors: errors.length,
  };
}

const nothing = { added: [], changed: [], unchanged: 0, deleted: [], duplicates: 0, errors: 0 };
const page = (id: number) => `https://data.example.cn/detail?id=${id}`;

test('a record is known by its link: another title is a change', () => {
  const before = stored(
    plan([
      { 标题: '甲', 网址: page(1) },
      { 标题: '乙', 网址: page(2) },
    ]),
  );
  const after = plan(
    [
      { 标题: '丙', 网址: page(2) },
      { 标题: '甲', 网址: page(1) },
    ],
    before,
  );
  expect(counts(after)).toEqual({ ...nothing, changed: ['丙'], unchanged: 1 });
  expect(after.changed[0]?.stored?.datasetId).toBe('dataset 2');
});

test('a link that records with other titles share identifies none of them', () => {
  const records = ['甲', '乙', '丙'].map((title) => ({ 标题: title, 网址: page(1) }));
  const first = plan([...records, records[0]]);
  expect(counts(first)).toEqual({ ...nothing, added: ['甲', '乙', '丙'], duplicates: 1 });
  expect(counts(plan(records, stored(first)))).toEqual({ ...nothing, unchanged: 3 });
});

test('records that nothing but their content tells apart are paired by content, in any order', () => {
  const twins = [1, 2, 3].map((volume) => ({ 标题: '甲', 数据量: volume }));
  const before = stored(plan(twins));
  expect(before.map(({ ordinal }) => ordinal)).toEqual([1, 2, 3]);
  expect(counts(plan([...twins].reverse(), before))).toEqual({ ...nothing, unchanged: 3 });
  const after = plan([twins[2], { 标题: '甲', 数据量: 9 }], before);
  expect(counts(after)).toEqual({
    ...nothing,
    changed: ['甲'],
    unchanged: 1,
    deleted: ['dataset 2'],
  });
  expect(after.changed[0]?.stored?.datasetId).toBe('dataset 1');
});

test('of one identifier the first record counts, and another that says otherwise is told', () => {
  const after = plan([
    { id: 'a', 标题: '甲' },
    { id: 'a', 标题: '甲' },
    { id: 'a', 标题: '乙' },
  ]);
  expect(counts(after)).toEqual({ ...nothing, added: ['甲'], duplicates: 2 });
  expect(after.notices).toEqual([
    {
      position: 3,
      id: 'a',
      faults: [{ field: 'identifier', why: "is record 1's too, which says otherwise" }],
    },
  ]);
});

test('a record that is broken now keeps what was taken from it before', () => {
  const before = stored(
    plan([
      { id: 'a', 标题: '甲' },
      { id: 'b', 标题: '乙' },
    ]),
  );
  const after = plan([{ id: 'a', 标题: '' }], before);
  expect(counts(after)).toEqual({ ...nothing, deleted: ['dataset 2'], errors: 1 });
});

test('a record that comes back is added under its old dataset', () => {
  const gone = stored(plan([{ id: 'a', 标题: '甲' }])).map((each) => ({
    ...each,
    isDeleted: true,
  }));
  const after = plan([{ id: 'a', 标题: '甲' }], gone);
  expect(counts(after)).toEqual({ ...nothing, added: ['甲'] });
  expect(after.added[0]?.stored?.datasetId).toBe('dataset 1');
  expect(after.storedCount).toBe(0);
});

const report: HarvestReport = {
  format: 'json',
  added: 1,
  changed: 2,
  unchanged: 3,
  deleted: 4,
  duplicates: 5,
  errors: [],
  notices: [],
};

test('the report becomes one line per bad record and the counts last', () => {
  const faults = [
    { field: '/title', why: 'is missing' },
    { field: '/keyword', why: 'is a string,\n\u001b[31mnot a list' },
  ];
  const lines = harvestLines({
    ...report,
    errors: [
      { position: 7, id: 'bus-stops', faults },
      { position: 9, id: '', faults: [{ field: 'row', why: 'has 1 values for 2 columns' }] },
      { position: 0, id: '', faults: [{ field: 'source', why: 'The source is empty.' }] },
    ],
  });
  expect(lines).toEqual([
    'record 7 (bus-stops): /title: is missing; /keyword: is a string, [31mnot a list',
    'record 9: row: has 1 values for 2 columns',
    'source: The source is empty.',
    'added 1, changed 2, unchanged 3, deleted 4, duplicates 5, errors 3',
  ]);
});

test('the exit code says taken, nothing taken, or held', () => {
  const none = { added: 0, changed: 0, unchanged: 0, deleted: 0 };
  const held = { vanishing: 30, stored: 100 };
  expect(harvestExitCode(report)).toBe(0);
  expect(harvestExitCode({ ...report, ...none, unchanged: 3 })).toBe(0);
  expect(harvestExitCode({ ...report, ...none })).toBe(1);
  expect(harvestExitCode({ ...report, held })).toBe(3);
  expect(harvestLines({ ...report, ...none, unchanged: 70, held })).toEqual([
    'held: 30 of 100 records (30 %) would vanish, so nothing was applied; look at the source, then run again with --allow-deletes',
    'added 0, changed 0, unchanged 70, deleted 0, duplicates 5, errors 0',
  ]);
});
