// datastore_search and datastore_info over a small table, and loading rows.
import { sql } from 'drizzle-orm';
import { beforeAll, expect, test } from 'vitest';
import { anyone, type DatasetInput, type Viewer } from '../../../catalogue/index.ts';
import { AppError, databaseFault } from '../../../platform/index.ts';
import { withDatabase } from '../../support/database.ts';
import { catalogueOn } from './setup.ts';

const { database, ownerSql } = withDatabase();
const { catalogue, app } = catalogueOn(database);

const csv = [
  '编码,站名,区,客流,启用日期,首班',
  '007,望湖路口,东湖区,120.5,2019-05-01,2024-01-01 06:00',
  '008,望湖路东,东湖区,80,2020-02-29,2024-01-01 06:05',
  '009,金桂巷,西山区,,2021-07-15,',
  '010,金桂巷,南河区,15,2022-01-01,2024-01-01 06:15',
].join('\n');

const dataset: DatasetInput = {
  name: 'stops',
  organisation: 'transit',
  title: '站点',
  state: 'published',
  openLevel: 'unconditional',
  resources: [{ name: '站点表', format: 'CSV' }],
};
let id = '';

beforeAll(async () => {
  await catalogue.putOrganisation({ name: 'transit', title: '公交公司', department: 'transit' });
  id = (await catalogue.putDataset(dataset)).resourceIds[0] ?? '';
  await catalogue.loadRows(id, Buffer.from(csv));
});

async function search(input: object) {
  const response = await app.request('/api/action/datastore_search', {
    method: 'POST',
    body: JSON.stringify({ resource_id: id, ...input }),
    headers: { 'Content-Type': 'application/json' },
  });
  return { status: response.status, body: JSON.parse(await response.text()) };
}

test('rows come typed, with the parameters, the columns and the number of all', async () => {
  const { body } = await search({ limit: 2 });
  expect(body.result).toEqual({
    include_total: true,
    limit: 2,
    offset: 0,
    records_format: 'objects',
    resource_id: id,
    fields: [
      { id: '_id', type: 'int' },
      { id: '编码', type: 'text' },
      { id: '站名', type: 'text' },
      { id: '区', type: 'text' },
      { id: '客流', type: 'numeric' },
      { id: '启用日期', type: 'date' },
      { id: '首班', type: 'timestamp' },
    ],
    records: [
      {
        _id: 1,
        编码: '007',
        站名: '望湖路口',
        区: '东湖区',
        客流: 120.5,
        启用日期: '2019-05-01',
        首班: '2024-01-01T06:00:00',
      },
      {
        _id: 2,
        编码: '008',
        站名: '望湖路东',
        区: '东湖区',
        客流: 80,
        启用日期: '2020-02-29',
        首班: '2024-01-01T06:05:00',
      },
    ],
    total: 4,
    total_was_estimated: false,
    _links: {
      start: `/api/3/action/datastore_search?resource_id=${id}&limit=2`,
      next: `/api/3/action/datastore_search?resource_id=${id}&limit=2&offset=2`,
    },
  });
});

test('filters, words, sort and pages choose rows', async () => {
  const cases: [object, number[], number][] = [
    [{}, [1, 2, 3, 4], 4],
    [{ filters: { 区: '东湖区' } }, [1, 2], 2],
    [{ filters: '{"区":"东湖区"}' }, [1, 2], 2],
    [{ filters: { 编码: ['007', '010'] } }, [1, 4], 2],
    [{ filters: { 编码: [] } }, [], 0],
    [{ filters: { 编码: '7' } }, [], 0],
    [{ filters: { 客流: 80 } }, [2], 1],
    [{ filters: { 客流: { gte: 80, lt: '120.5' } } }, [2], 1],
    [{ filters: { 启用日期: { gt: '2020-02-29' } } }, [3, 4], 2],
    [{ filters: { _id: { gt: 2 } }, limit: 1 }, [3], 2],
    [{ q: '金桂' }, [3, 4], 2],
    [{ q: '金桂 南河' }, [4], 1],
    [{ q: '桂金' }, [], 0],
    [{ q: { 站名: '湖路' } }, [1, 2], 2],
    [{ q: '{"站名":"湖路"}' }, [1, 2], 2],
    [{ sort: '客流 desc' }, [1, 2, 4, 3], 4],
    [{ sort: '"编码" desc, 客流' }, [4, 3, 2, 1], 4],
    [{ limit: 2, offset: 3 }, [4], 4],
    [{ limit: 0 }, [], 4],
    [{ limit: 100_000 }, [1, 2, 3, 4], 4],
    [{ unknown: 'key', plain: false, language: 'simple' }, [1, 2, 3, 4], 4],
  ];
  for (const [input, expected, total] of cases) {
    const { status, body } = await search(input);
    const records: { _id: number }[] = body.result?.records ?? [];
    const ids = records.map(({ _id }) => _id);
    expect([input, status, ids, body.result?.total]).toEqual([input, 200, expected, total]);
  }
});

test('columns, distinct values, lists, csv and the next page are given as asked', async () => {
  const result = async (input: object) => (await search(input)).body.result;
  expect((await result({ fields: '区', distinct: true, sort: '区' })).records.length).toBe(3);
  expect((await result({ fields: '区', distinct: true })).total).toBe(3);
  expect(await result({ fields: ['站名', '_id'], limit: 1, include_total: false })).toMatchObject({
    fields: [
      { id: '站名', type: 'text' },
      { id: '_id', type: 'int' },
    ],
    records: [{ 站名: '望湖路口', _id: 1 }],
  });
  expect(await result({ limit: 1, include_total: 'false' })).not.toHaveProperty('total');
  const lists = await result({ records_format: 'lists', fields: '编码,客流' });
  expect(lists.records).toEqual([
    ['007', 120.5],
    ['008', 80],
    ['009', null],
    ['010', 15],
  ]);
  const text = await result({ records_format: 'csv', fields: '编码,客流', limit: 3 });
  expect(text.records).toBe('007,120.5\r\n008,80\r\n009,\r\n');
  const first = await result({ include_next_page: true, limit: 3 });
  expect(first.next_page).toEqual({ _id: { gt: 3 } });
  const second = await result({ include_next_page: true, limit: 3, filters: first.next_page });
  expect([second.records.length, second.next_page]).toEqual([1, undefined]);
});

test('what doesn’t fit the table is refused under its parameter', async () => {
  const cases: [object, object][] = [
    [{ fields: 'x' }, { fields: ['field "x" not in table'] }],
    [{ sort: 'x desc' }, { sort: ['field "x" not in table'] }],
    [{ sort: '客流; drop table x' }, { sort: [expect.stringContaining('not in table')] }],
    [{ q: { x: 'a' } }, { q: ['field "x" not in table'] }],
    [{ filters: { x: 1 } }, { filters: ['invalid value "x"'] }],
    [{ filters: '{' }, { filters: ['Cannot parse JSON'] }],
    [{ filters: [1] }, { filters: ['Not a JSON object'] }],
    [
      { filters: { 客流: 'many' } },
      { filters: ['invalid value "many" for the numeric column "客流"'] },
    ],
    [
      { filters: { 启用日期: '2023-02-30' } },
      { filters: ['invalid value "2023-02-30" for the date column "启用日期"'] },
    ],
    [{ filters: { 首班: '2024-01-01T25:00' } }, { filters: [expect.any(String)] }],
    [{ filters: { 客流: { like: 1 } } }, { filters: [expect.any(String)] }],
    [{ filters: { 客流: { gt: {} } } }, { filters: [expect.any(String)] }],
    [{ limit: -1 }, { limit: ['Must be a natural number'] }],
    [{ offset: 'x' }, { offset: ['Invalid integer'] }],
    [{ records_format: 'xml' }, { records_format: ['Must be objects, lists, csv or tsv'] }],
  ];
  for (const [input, fields] of cases) {
    const { status, body } = await search(input);
    expect([input, status, body.error]).toEqual([
      input,
      409,
      { ...fields, __type: 'Validation Error' },
    ]);
  }
});

test('new rows take the place of the old ones, whose table goes', async () => {
  const tables = async () =>
    (await ownerSql`select tablename from pg_tables where schemaname = 'catalogue_rows'`).length;
  const before = await tables();
  const { resourceIds } = await catalogue.putDataset({ ...dataset, name: 'stops-2' });
  const [resourceId = ''] = resourceIds;
  await catalogue.loadRows(resourceId, Buffer.from('a\n1\n'));
  expect(await catalogue.loadRows(resourceId, Buffer.from('b\nx\ny\n'))).toEqual({
    fields: [{ id: 'b', type: 'text' }],
    count: 2,
  });
  expect(await tables()).toBe(before + 1);
  const info = await catalogue.datastoreInfo(anyone, { id: resourceId });
  expect([info.meta.count, info.fields.map((field) => field.id)]).toEqual([2, ['b']]);
  await expect(catalogue.loadRows(resourceId, Buffer.from('a,b\n1\n'))).rejects.toMatchObject({
    code: 'catalogue.table_invalid',
  });
  expect((await catalogue.datastoreSearch(anyone, { resource_id: resourceId })).total).toBe(2);
  await catalogue.putDataset({ ...dataset, name: 'stops-2', resources: [] });
  expect(await tables()).toBe(before);
  await expect(catalogue.loadRows(resourceId, Buffer.from('a\n1\n'))).rejects.toMatchObject({
    code: 'catalogue.resource_not_found',
  });
});

test('a new description keeps a resource’s id and its rows', async () => {
  const again = await catalogue.putDataset({ ...dataset, notes: '新的说明' });
  expect(again.resourceIds).toEqual([id]);
  expect((await catalogue.datastoreSearch(anyone, { resource_id: id })).total).toBe(4);
});

test('rows that aren’t open are refused to all but their own steward', async () => {
  const steward = (organisationId: string): Viewer => ({
    kind: 'officer',
    organisationId,
    roles: ['steward'],
  });
  const citizen: Viewer = { kind: 'citizen', organisationId: null, roles: [] };
  const closed: [Partial<DatasetInput>, Viewer[], Viewer[]][] = [
    [{ openLevel: 'conditional' }, [anyone, citizen, steward('other')], [steward('transit')]],
    [{ openLevel: null }, [anyone, citizen, steward('other')], [steward('transit')]],
    [{ openLevel: 'unconditional', isLoginRequired: true }, [anyone], [citizen]],
  ];
  for (const [index, [change, refused, taken]] of closed.entries()) {
    const name = `closed-${index}`;
    const { resourceIds } = await catalogue.putDataset({ ...dataset, ...change, name });
    const [resourceId = ''] = resourceIds;
    await catalogue.loadRows(resourceId, Buffer.from('a\nsecret\n'));
    for (const viewer of refused) {
      for (const act of [
        () => catalogue.datastoreSearch(viewer, { resource_id: resourceId }),
        () => catalogue.datastoreInfo(viewer, { id: resourceId }),
        () => catalogue.openRows(viewer, resourceId),
      ]) {
        await expect(act()).rejects.toMatchObject({ code: 'catalogue.rows_not_open' });
      }
    }
    for (const viewer of taken) {
      const { total } = await catalogue.datastoreSearch(viewer, { resource_id: resourceId });
      expect(total).toBe(1);
    }
    const shown = await catalogue.packageShow(anyone, { id: name });
    expect(shown.resources[0]?.datastore_active).toBe(false);
  }
});

test('the app role can make no other table than a row table', async () => {
  const [refused, denied] = ['P0001', '42501'];
  const attempts: [string, string][] = [
    [`select catalogue.make_row_table('r_x; drop schema catalogue', array['text'])`, refused],
    [
      `select catalogue.make_row_table('r_${'0'.repeat(32)}_00000000', array['text); --'])`,
      refused,
    ],
    [`select catalogue.make_row_table('r_${'0'.repeat(32)}_00000000', array[]::text[])`, refused],
    [`select catalogue.index_row_table('datasets')`, refused],
    [`select catalogue.drop_row_table('datasets')`, refused],
    ['create table catalogue_rows.x (a int)', denied],
    ['delete from catalogue.datasets', denied],
  ];
  for (const [statement, code] of attempts) {
    const fault = await database.db.execute(sql.raw(statement)).catch(databaseFault);
    expect([statement, fault]).toEqual([statement, expect.objectContaining({ code })]);
  }
});

test('bad descriptions are refused with pointers', async () => {
  const cases: [Partial<DatasetInput>, string, string[]][] = [
    [{ name: 'Not A Name' }, 'catalogue.dataset_invalid', ['/name']],
    [{ title: '' }, 'catalogue.dataset_invalid', ['/title']],
    [{ url: 'javascript:alert(1)' }, 'catalogue.dataset_invalid', ['/url']],
    [{ issued: '2023-02-30' }, 'catalogue.dataset_invalid', ['/issued']],
    [{ organisation: 'nobody' }, 'catalogue.organisation_not_found', []],
  ];
  for (const [change, code, pointers] of cases) {
    const refusal = await catalogue
      .putDataset({ ...dataset, ...change })
      .catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(AppError);
    if (!(refusal instanceof AppError)) continue;
    expect([refusal.code, (refusal.fields ?? []).map(({ pointer }) => pointer)]).toEqual([
      code,
      pointers,
    ]);
  }
});
