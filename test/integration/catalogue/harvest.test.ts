// Harvests against the database: what is stored, what a second run does, holds, leases, hostile text.
import { beforeEach, describe, expect, test } from 'vitest';
import {
  anyone,
  type HarvestReport,
  harvestLines,
  installSample,
  type PackageDict,
} from '../../../catalogue/index.ts';
import { withDatabase } from '../../support/database.ts';
import { catalogueOn } from './setup.ts';

const { database, ownerSql } = withDatabase();
const { catalogue, clock } = catalogueOn(database);

let source = '';
let sourceNumber = 0;
beforeEach(() => {
  source = `source ${++sourceNumber}`;
});

function harvest(list: unknown, more: { allowDeletes?: boolean } = {}): Promise<HarvestReport> {
  return catalogue.harvest({ source, bytes: Buffer.from(JSON.stringify(list)), ...more });
}

function lastLine(report: HarvestReport): string | undefined {
  return harvestLines(report).at(-1);
}

const records = (count: number) =>
  Array.from({ length: count }, (_, at) => ({
    标题: `测试目录${at}号`,
    数据提供方: at % 2 === 0 ? '市甲局' : '市乙局',
    标签: `${source}专用`,
    网址: `https://example.cn/${at}`,
    格式: 'csv',
  }));

async function listed(): Promise<string[]> {
  const { results } = await catalogue.packageSearch(anyone, {
    fq: `tags:"${source}专用"`,
    rows: 1000,
    sort: 'title asc',
  });
  return results.map(({ title }) => title);
}

test('records become datasets with publishers, and the same list again writes nothing', async () => {
  expect(lastLine(await harvest(records(4)))).toBe(
    'added 4, changed 0, unchanged 0, deleted 0, duplicates 0, errors 0',
  );
  const { results } = await catalogue.packageSearch(anyone, { fq: `tags:"${source}专用"` });
  expect(results.map(({ organization }) => organization?.title).sort()).toEqual([
    '市乙局',
    '市乙局',
    '市甲局',
    '市甲局',
  ]);
  const before = await snapshot();
  clock.advance(60_000);
  expect(lastLine(await harvest(records(4)))).toBe(
    'added 0, changed 0, unchanged 4, deleted 0, duplicates 0, errors 0',
  );
  expect(await snapshot()).toEqual(before);
});

/** Row versions of everything a harvest writes about datasets. */
async function snapshot(): Promise<unknown[]> {
  return Promise.all(
    ['datasets', 'resources', 'organisations', 'harvest_records'].map((table) =>
      ownerSql.unsafe(`select xmin, ctid, * from catalogue.${table} order by ctid`),
    ),
  );
}

test('a change keeps id, name and first date, and touches no other dataset', async () => {
  await harvest(records(3));
  const [before] = (
    await catalogue.packageSearch(anyone, { fq: `tags:"${source}专用"`, sort: 'title asc' })
  ).results;
  clock.advance(60_000);
  const changed = records(3).map((each, at) =>
    at === 0 ? { ...each, 标题: '改名后的目录' } : each,
  );
  expect(lastLine(await harvest(changed))).toBe(
    'added 0, changed 1, unchanged 2, deleted 0, duplicates 0, errors 0',
  );
  const after = await catalogue.packageShow(anyone, { id: before?.id });
  expect(after).toEqual({
    ...before,
    title: '改名后的目录',
    metadata_modified: after.metadata_modified,
    resources: before?.resources.map((resource) => ({
      ...resource,
      metadata_modified: after.metadata_modified,
    })),
  });
  expect(after.metadata_modified > (before?.metadata_modified ?? '')).toBe(true);
});

test('up to a fifth may vanish; more is held until it is allowed, and comes back under its name', async () => {
  await harvest(records(10));
  const names = await catalogue.packageList(anyone);
  expect(lastLine(await harvest(records(8)))).toBe(
    'added 0, changed 0, unchanged 8, deleted 2, duplicates 0, errors 0',
  );
  expect(await listed()).toHaveLength(8);
  const fewer = [...records(6), { 标题: '新的', 标签: `${source}专用` }];
  const held = await harvest(fewer);
  expect(held.held).toEqual({ vanishing: 2, stored: 8 });
  expect(lastLine(held)).toBe('added 0, changed 0, unchanged 6, deleted 0, duplicates 0, errors 0');
  expect(await listed()).toHaveLength(8);
  expect(lastLine(await harvest(fewer, { allowDeletes: true }))).toBe(
    'added 1, changed 0, unchanged 6, deleted 2, duplicates 0, errors 0',
  );
  expect(await listed()).toHaveLength(7);
  expect(lastLine(await harvest([...records(10), ...fewer.slice(6)]))).toBe(
    'added 4, changed 0, unchanged 7, deleted 0, duplicates 0, errors 0',
  );
  expect(await catalogue.packageList(anyone)).toEqual(expect.arrayContaining(names));
});

test('a source with nothing good deletes nothing, whatever is allowed', async () => {
  await harvest(records(3));
  const report = await harvest([{ 摘要: 'no title' }], { allowDeletes: true });
  expect(harvestLines(report)).toEqual([
    'record 1: title: is missing',
    'added 0, changed 0, unchanged 0, deleted 0, duplicates 0, errors 1',
  ]);
  expect(await listed()).toHaveLength(3);
});

test('what a person withdrew stays withdrawn when its record changes', async () => {
  await harvest(records(1));
  await ownerSql`update catalogue.datasets set state = 'withdrawn'
    where ${`${source}专用`} = any(tags)`;
  expect(lastLine(await harvest([{ ...records(1)[0], 摘要: '新摘要' }]))).toBe(
    'added 0, changed 1, unchanged 0, deleted 0, duplicates 0, errors 0',
  );
  expect(await listed()).toEqual([]);
});

test('publishers of one name in two regions or two sources are two', async () => {
  const list = ['甲区', '乙区'].map((region) => ({
    标题: `${region}的目录`,
    发布部门: '区数据局',
    所属区县: region,
    标签: `${source}专用`,
  }));
  await harvest(list);
  const { results } = await catalogue.packageSearch(anyone, {
    fq: `tags:"${source}专用"`,
    sort: 'title asc',
  });
  expect(results.map(({ organization }) => organization?.title).sort()).toEqual([
    '区数据局（乙区）',
    '区数据局（甲区）',
  ]);
  expect(new Set(results.map(({ owner_org }) => owner_org)).size).toBe(2);
});

test('text that PostgreSQL or a page can’t hold is made harmless', async () => {
  const hostile = [
    { 标题: 'a\u0000b', 标签: `${source}专用`, 网址: 'https://example.cn/0' },
    { 标题: 'x\ud800y', 标签: `${source}专用`, 摘要: "'); drop table catalogue.datasets; --" },
    { 标题: '<script>alert(1)</script>', 标签: `${source}专用`, 网址: 'javascript:alert(1)' },
    { 标题: 'it\'s \\ "quoted" \':*&|!()<->', 标签: `${source}专用` },
  ];
  expect(lastLine(await harvest(hostile))).toBe(
    'added 4, changed 0, unchanged 0, deleted 0, duplicates 0, errors 0',
  );
  expect((await listed()).sort()).toEqual(
    ['ab', 'x\ufffdy', '<script>alert(1)</script>', 'it\'s \\ "quoted" \':*&|!()<->'].sort(),
  );
  const { results } = await catalogue.packageSearch(anyone, { q: `${source} OR quoted` });
  expect(results.map(({ title }) => title)).toContain('it\'s \\ "quoted" \':*&|!()<->');
});

test('another CKAN’s answers and dumps are read as what they say', async () => {
  await installSample(catalogue);
  const answer = {
    help: '',
    success: true,
    result: await catalogue.packageSearch(anyone, { q: '公交' }),
  };
  const [original] = answer.result.results;
  const report = await harvest(answer);
  expect([report.format, lastLine(report)]).toEqual([
    'ckan',
    'added 1, changed 0, unchanged 0, deleted 0, duplicates 0, errors 0',
  ]);
  const dump = answer.result.results.map((each) => `${JSON.stringify(each)}\n`).join('');
  const again = await catalogue.harvest({ source, bytes: Buffer.from(dump) });
  expect(again).toMatchObject({ format: 'ckan', unchanged: 1 });
  const { results } = await catalogue.packageSearch(anyone, {
    q: '公交',
    sort: 'metadata_created desc, name asc',
  });
  const copy = results.find(({ name }) => name !== original?.name);
  const told = (dataset: PackageDict | undefined) => ({
    title: dataset?.title,
    notes: dataset?.notes,
    level: dataset?.open_level,
    frequency: dataset?.frequency,
    licence: dataset?.license_id,
    tags: dataset?.tags,
    groups: dataset?.groups,
    issued: dataset?.issued,
    organisation: dataset?.organization?.title,
    resources: dataset?.resources.map(({ name, format, url }) => ({ name, format, url })),
  });
  expect(told(copy)).toEqual(told(original));
  const hidden = await harvest([
    { ...original, private: true },
    { ...original, id: 'b', state: 'deleted' },
    { ...original, id: null },
  ]);
  expect(hidden.errors.map(({ faults }) => faults)).toEqual([
    [{ field: '/private', why: 'is true: it is not public there' }],
    [{ field: '/state', why: 'is deleted, not active' }],
    [{ field: '/id', why: 'is missing' }],
  ]);
});

describe('sources that can’t be read give a report, not an exception', () => {
  test.each([
    ['', 'source: The source is empty.'],
    ['<html></html>', /^source: This is XML or a web page/],
    ['[{"标题":"a"},', /^source: The JSON is broken at line 1, column 13: it is cut off there\.$/],
    ['姓名,年龄\n甲,1\n', /^source: No column is a dataset's title/],
  ])('%s', async (text, line) => {
    const report = await catalogue.harvest({ source, bytes: Buffer.from(text) });
    expect(harvestLines(report)).toEqual([
      typeof line === 'string' ? line : expect.stringMatching(line),
      'added 0, changed 0, unchanged 0, deleted 0, duplicates 0, errors 1',
    ]);
  });

  test('a stream that is too large is cut off', async () => {
    async function* endless() {
      for (;;) yield Buffer.alloc(16 * 1024 * 1024, ' ');
    }
    const report = await catalogue.harvest({ source, bytes: endless() });
    expect(harvestLines(report)[0]).toMatch(/^source: The source is larger than 64 MB/);
  });
});

test('of two harvests of one source at once, one is refused', async () => {
  const both = await Promise.allSettled([harvest(records(700)), harvest(records(700))]);
  const reasons = both.flatMap((each) => (each.status === 'rejected' ? [each.reason.code] : []));
  expect(reasons).toEqual(['catalogue.harvest_running']);
  expect(await listed()).toHaveLength(700);
});

test('a harvest that broke off is resumed by the next, once its lease is over', async () => {
  const stop = new Error('the process dies here');
  const dying = catalogue.harvest({
    source,
    bytes: Buffer.from(JSON.stringify(records(1200))),
    onProgress: ({ done }) => {
      if (done === 1000) throw stop;
    },
  });
  await expect(dying).rejects.toBe(stop);
  const jobs = await ownerSql`select state, added from catalogue.harvest_jobs
    order by started_at desc, id desc limit 1`;
  expect([...jobs]).toEqual([{ state: 'failed', added: 1000 }]);
  await ownerSql`update catalogue.harvest_sources
    set leased_by = gen_random_uuid(), leased_until = platform.now() + interval '1 minute'
    where location = ${source}`;
  await expect(harvest(records(1200))).rejects.toMatchObject({ code: 'catalogue.harvest_running' });
  await ownerSql`update catalogue.harvest_sources
    set leased_until = platform.now() - interval '1 second' where location = ${source}`;
  expect(lastLine(await harvest(records(1200)))).toBe(
    'added 200, changed 0, unchanged 1000, deleted 0, duplicates 0, errors 0',
  );
});

test('progress is told, and the job is recorded with its errors', async () => {
  const told: { done: number; total: number }[] = [];
  const list = [...records(600), { 摘要: 'no title' }];
  await catalogue.harvest({
    source,
    bytes: Buffer.from(JSON.stringify(list)),
    onProgress: (progress) => told.push(progress),
  });
  expect(told).toEqual([
    { done: 500, total: 600 },
    { done: 600, total: 600 },
  ]);
  const [job] = await ownerSql`select j.state, j.format, j.added, j.errors, s.leased_by
    from catalogue.harvest_jobs j join catalogue.harvest_sources s on s.id = j.source_id
    where s.location = ${source}`;
  expect(job).toEqual({
    state: 'partial',
    format: 'json',
    added: 600,
    errors: [{ position: 601, id: '', faults: [{ field: 'title', why: 'is missing' }] }],
    leased_by: null,
  });
});
