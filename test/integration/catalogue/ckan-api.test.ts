// CKAN's read API as its clients meet it: envelopes, errors, ways to send parameters (spec: catalogue 2.1).
import { beforeAll, describe, expect, test } from 'vitest';
import { installSample } from '../../../catalogue/index.ts';
import { withDatabase } from '../../support/database.ts';
import { catalogueOn, siteUrl } from './setup.ts';

const { database } = withDatabase();
const { catalogue, app } = catalogueOn(database);
const help = (name: string) => `${siteUrl}/api/3/action/help_show?name=${name}`;

beforeAll(async () => {
  await installSample(catalogue);
});

async function get(path: string) {
  const response = await app.request(path);
  return { status: response.status, body: JSON.parse(await response.text()) };
}

async function post(name: string, body: string, type = 'application/json', base = '/api/action') {
  const response = await app.request(`${base}/${name}`, {
    method: 'POST',
    body,
    headers: { 'Content-Type': type },
  });
  return { status: response.status, body: JSON.parse(await response.text()) };
}

const names = [
  'bus-stops',
  'food-inspections',
  'licence-statistics',
  'question-times',
  'underground-pipelines',
];

test('an action answers in CKAN’s envelope under both paths, by GET and by POST', async () => {
  const envelope = { help: help('package_list'), success: true, result: names };
  expect(await get('/api/3/action/package_list')).toEqual({ status: 200, body: envelope });
  expect(await get('/api/action/package_list')).toEqual({ status: 200, body: envelope });
  for (const base of ['/api/action', '/api/3/action']) {
    for (const body of ['', '{}', '{"unknown":true,"include_private":false}']) {
      expect(await post('package_list', body, 'application/json', base)).toEqual({
        status: 200,
        body: envelope,
      });
    }
  }
  const response = await app.request('/api/3/action/status_show');
  expect(response.headers.get('content-type')).toBe('application/json;charset=utf-8');
});

test('parameters come as query, JSON, form, multipart, or JSON in a form’s key', async () => {
  const expected = { help: help('package_list'), success: true, result: names.slice(1, 3) };
  const form = new FormData();
  form.set('limit', '2');
  form.set('offset', '1');
  const multipart = await app.request('/api/action/package_list', { method: 'POST', body: form });
  const answers = [
    (await get('/api/3/action/package_list?limit=2&offset=1')).body,
    (await post('package_list', '{"limit":2,"offset":"1"}')).body,
    (await post('package_list', 'limit=2&offset=1', 'application/x-www-form-urlencoded')).body,
    (await post('package_list', '{"limit":2,"offset":1}=', 'application/x-www-form-urlencoded'))
      .body,
    (await post('package_list', '{"limit":2,"offset":1}=1', 'application/x-www-form-urlencoded'))
      .body,
    (await post('package_list', '{"limit":2,"offset":1}', 'text/plain')).body,
    await multipart.json(),
  ];
  for (const answer of answers) expect(answer).toEqual(expected);
});

test('a callback wraps a GET answer, and only a name is taken for one', async () => {
  const response = await app.request('/api/3/action/package_list?callback=jQuery.cb_1');
  expect(response.headers.get('content-type')).toBe('application/javascript;charset=utf-8');
  const body = JSON.stringify({ help: help('package_list'), success: true, result: names });
  expect(await response.text()).toBe(`jQuery.cb_1(${body});`);
  const odd = await app.request('/api/3/action/package_list?callback=alert(1)//');
  expect([odd.headers.get('content-type'), await odd.text()]).toEqual([
    'application/json;charset=utf-8',
    body,
  ]);
  const failed = await app.request('/api/3/action/package_show?id=none&callback=cb');
  expect([failed.status, failed.headers.get('content-type')]).toEqual([
    404,
    'application/json;charset=utf-8',
  ]);
});

test('what is no action or no JSON is a bare string with 400', async () => {
  const cases: [() => Promise<{ status: number; body: unknown }>, string][] = [
    [() => get('/api/3/action/x'), 'Bad request: Action name not known: x'],
    [() => get('/api/action/package_create'), 'Bad request: Action name not known: package_create'],
    [() => get('/api/action/constructor'), 'Bad request: Action name not known: constructor'],
    [() => post('package_show', '{"id":'), 'Bad request: JSON Error: Error decoding JSON data.'],
    [
      () => post('package_show', '["id"]'),
      'Bad request: JSON Error: Request data JSON needs to be a dictionary.',
    ],
  ];
  for (const [act, body] of cases) expect(await act()).toEqual({ status: 400, body });
});

const validation = (fields: object) => ({ ...fields, __type: 'Validation Error' });
const searchError = (message: string) => ({
  __type: 'Search Query Error',
  message: `Search Query is invalid: ${message}`,
});

describe('refusals carry CKAN’s type and status', () => {
  const cases: [path: string, status: number, error: object][] = [
    ['package_show', 409, validation({ id: ['Missing value'] })],
    ['package_show?id=', 409, validation({ id: ['Missing value'] })],
    ['organization_show', 409, validation({ id: ['Missing value'] })],
    ['resource_show', 409, validation({ id: ['Missing value'] })],
    ['datastore_search', 409, validation({ resource_id: ['Missing value'] })],
    ['datastore_info', 409, validation({ id: ['Missing value'] })],
    ['help_show', 409, validation({ name: ['Missing value'] })],
    [
      'package_search?rows=x&start=-1',
      409,
      validation({ rows: ['Invalid integer'], start: ['Must be a natural number'] }),
    ],
    ['package_search?foo=1&bar=2', 400, searchError("Invalid search parameters: ['foo', 'bar']")],
    ['package_search?sort=notes+asc', 400, searchError('Invalid "sort" parameter')],
    ['package_search?sort=constructor+asc', 400, searchError('Invalid "sort" parameter')],
    ['resource_search?query=size:1', 409, validation({ query: [expect.any(String)] })],
    ...(
      [
        ['package_show?id=none', 'There is no such dataset.'],
        ['package_show?id=bus-network-plan', 'There is no such dataset.'],
        ['organization_show?id=none', 'There is no such organisation.'],
        ['group_show?id=none', 'There is no such group.'],
        ['resource_show?id=none', 'There is no such resource.'],
        ['datastore_search?resource_id=none', 'Resource "none" was not found.'],
        ['help_show?name=none', 'There is no action none.'],
        ['tag_list?vocabulary_id=x', 'There is no such vocabulary.'],
      ] as const
    ).map(([path, why]): [string, number, object] => [
      path,
      404,
      { __type: 'Not Found Error', message: `Not found: ${why}` },
    ]),
  ];
  test.each(cases)('%s', async (path, status, error) => {
    const name = path.replace(/\?.*/, '');
    const body = { help: help(name), success: false, error };
    expect(await get(`/api/3/action/${path}`)).toEqual({ status, body });
  });
});

test('a dataset has CKAN’s keys and our own beside them', async () => {
  const { body } = await get('/api/3/action/package_show?id=bus-stops');
  const { result } = body;
  const resource = result.resources[0];
  expect(result).toEqual({
    id: expect.stringMatching(/^[0-9a-f-]{36}$/),
    name: 'bus-stops',
    title: '公交站点信息',
    notes: expect.stringContaining('站点编码前面的零有意义'),
    type: 'dataset',
    state: 'active',
    private: false,
    version: '',
    url: '',
    author: null,
    author_email: null,
    maintainer: null,
    maintainer_email: null,
    license_id: 'cc-by',
    license_title: 'Creative Commons Attribution 4.0',
    license_url: 'https://creativecommons.org/licenses/by/4.0/',
    isopen: true,
    owner_org: result.organization.id,
    creator_user_id: null,
    metadata_created: '2026-03-04T05:00:00.000000',
    metadata_modified: '2026-03-04T05:00:00.000000',
    open_level: 'unconditional',
    open_level_words: '无条件开放',
    open_condition: '',
    login_required: false,
    application_required: false,
    theme: ['交通出行'],
    frequency: 'monthly',
    frequency_words: '每月',
    issued: '2025-03-01',
    modified: '2026-07-01',
    num_resources: 1,
    num_tags: 3,
    organization: {
      id: result.owner_org,
      name: 'transport',
      title: '云珠市公共交通管理中心',
      type: 'organization',
      description: '公交线网、站点与场站。',
      image_url: '',
      created: '2026-03-04T05:00:00.000000',
      is_organization: true,
      approval_status: 'approved',
      state: 'active',
    },
    resources: [
      {
        id: expect.stringMatching(/^[0-9a-f-]{36}$/),
        package_id: result.id,
        name: '公交站点',
        description: '',
        format: 'CSV',
        mimetype: 'text/csv',
        mimetype_inner: null,
        url: `${siteUrl}/datastore/dump/${resource.id}`,
        url_type: 'datastore',
        resource_type: null,
        hash: '',
        size: null,
        position: 0,
        state: 'active',
        created: '2026-03-04T05:00:00.000000',
        last_modified: '2026-03-04T05:00:00.000000',
        metadata_modified: '2026-03-04T05:00:00.000000',
        cache_url: null,
        cache_last_updated: null,
        datastore_active: true,
      },
    ],
    tags: ['公交', '站点', '坐标'].map((name) => ({
      id: expect.any(String),
      name,
      display_name: name,
      state: 'active',
      vocabulary_id: null,
    })),
    groups: [
      {
        id: expect.any(String),
        name: 'transport',
        title: '交通出行',
        display_name: '交通出行',
        description: 'Transport',
        image_display_url: '',
      },
    ],
    extras: [
      { key: 'open_level', value: 'unconditional' },
      { key: 'open_level_words', value: '无条件开放' },
      { key: 'theme', value: '交通出行' },
      { key: 'frequency', value: 'monthly' },
      { key: 'frequency_words', value: '每月' },
      { key: 'issued', value: '2025-03-01' },
      { key: 'modified', value: '2026-07-01' },
    ],
    relationships_as_subject: [],
    relationships_as_object: [],
  });
  expect((await get(`/api/3/action/package_show?id=${result.id}`)).body.result).toEqual(result);
  expect((await get(`/api/3/action/resource_show?id=${resource.id}`)).body.result).toEqual(
    resource,
  );
});

async function found(query: Record<string, string>): Promise<string[]> {
  const path = `/api/3/action/package_search?${new URLSearchParams(query)}`;
  const { status, body } = await get(path);
  expect([path, status]).toEqual([path, 200]);
  const found: { name: string }[] = body.result.results;
  expect(body.result.count).toBe(found.length);
  return found.map(({ name }) => name).sort();
}

test('search understands words, fields, filters and ranges', async () => {
  const food = ['food-inspections'];
  const cases: [Record<string, string>, string[]][] = [
    [{}, names],
    [{ q: '*:*', rows: '5000' }, names],
    [{ q: '许可证' }, ['food-inspections', 'licence-statistics']],
    [{ q: '证' }, ['food-inspections', 'licence-statistics']],
    [{ q: '证许' }, []],
    [{ q: '许可证 抽检' }, food],
    [{ q: '许可证 OR 公交' }, ['bus-stops', 'food-inspections', 'licence-statistics']],
    [{ q: '许可证 -抽检' }, ['licence-statistics']],
    [{ q: 'title:许可证' }, food],
    [{ q: 'bus-stops' }, ['bus-stops']],
    [{ q: 'name:bus-*' }, ['bus-stops']],
    [{ q: '安全' }, ['underground-pipelines']],
    [{ fq: 'open_level:conditional' }, food],
    [{ fq: 'organization:govsvc' }, ['licence-statistics', 'question-times']],
    [{ fq: 'organization:(transport OR natres)' }, ['bus-stops', 'underground-pipelines']],
    [{ fq: '+tags:"统计" -tags:核验' }, ['licence-statistics']],
    [{ fq: 'groups:transport' }, ['bus-stops']],
    [{ fq: 'res_format:csv' }, names.slice(0, 4)],
    [{ fq: 'license_id:cc-by' }, ['bus-stops', 'licence-statistics', 'question-times']],
    [{ fq: 'state:active dataset_type:dataset' }, names],
    [{ fq: 'capacity:private' }, []],
    [{ fq: 'disclosure_rule:*' }, ['licence-statistics']],
    [{ fq: 'nobody_knows:this' }, []],
    [{ fq: 'constructor:x' }, []],
    [{ fq: 'metadata_modified:[2026-03-04T05:00:00Z TO *]' }, names],
    [{ fq: 'metadata_modified:{2026-03-04T05:00:00Z TO *]' }, []],
    [{ fq: 'issued:[2026-02-10 TO 2026-02-28]' }, food],
    [{ fq: 'issued:[yesterday TO *]' }, []],
    [{ fq_list: '["tags:统计","frequency:monthly"]' }, ['licence-statistics', 'question-times']],
    [{ q: "'); drop table catalogue.datasets; --" }, []],
    [{ ext_foo: 'bar', use_default_schema: 'true', q: '公交' }, ['bus-stops']],
  ];
  for (const [query, expected] of cases) {
    expect([query, await found(query)]).toEqual([query, expected]);
  }
});

test('rows are clamped, pages go on until they are empty, and a title ranks before a description', async () => {
  const page = async (query: string) =>
    (await get(`/api/3/action/package_search?${query}`)).body.result;
  expect((await page('rows=0')).results).toEqual([]);
  expect((await page('start=5&rows=1000')).results).toEqual([]);
  expect((await page('start=4&rows=100000')).results).toHaveLength(1);
  const ranked = await page(`q=${encodeURIComponent('电子证照 OR 统计')}`);
  expect(ranked.sort).toBe('score desc, metadata_modified desc');
  expect(ranked.results[0].name).toBe('licence-statistics');
  const sorted = await page('sort=name+desc&fl=name');
  expect(sorted.results).toEqual([...names].reverse().map((name) => ({ name })));
});

test('facets count the hits, their items by display name, last first', async () => {
  const { body } = await post(
    'package_search',
    JSON.stringify({
      rows: 0,
      'facet.field': ['organization', 'open_level', 'groups', 'nothing'],
      'facet.mincount': 1,
    }),
  );
  expect(body.result.facets).toEqual({
    organization: { govsvc: 2, market: 1, natres: 1, transport: 1 },
    open_level: { unconditional: 3, conditional: 1, not_open: 1 },
    groups: { society: 2, economy: 1, transport: 1 },
    nothing: {},
  });
  expect(body.result.search_facets.groups).toEqual({
    title: 'groups',
    items: [
      { name: 'economy', display_name: '经济产业', count: 1 },
      { name: 'society', display_name: '民生服务', count: 2 },
      { name: 'transport', display_name: '交通出行', count: 1 },
    ],
  });
  const limited = await get(
    '/api/3/action/package_search?facet.field=["tags"]&facet.limit=1&rows=0&q=',
  );
  expect(Object.keys(limited.body.result.facets.tags)).toHaveLength(1);
  const without = await get('/api/3/action/package_search?facet=false&facet.field=["tags"]');
  expect(without.body.result.facets).toEqual({});
});

test('organisations, groups, tags and licences are listed', async () => {
  const result = async (path: string) => (await get(`/api/3/action/${path}`)).body.result;
  expect((await result('organization_list')).sort()).toEqual([
    'govsvc',
    'market',
    'natres',
    'transport',
  ]);
  expect(await result('organization_list?sort=package_count+desc&limit=1')).toEqual(['govsvc']);
  const whole = await result('organization_list?all_fields=true&q=market');
  expect(whole).toEqual([
    expect.objectContaining({
      name: 'market',
      display_name: '云珠市市场监督管理局',
      package_count: 1,
    }),
  ]);
  const shown = await result('organization_show?id=govsvc&include_datasets=true');
  const packages: { name: string }[] = shown.packages;
  expect(packages.map(({ name }) => name).sort()).toEqual(['licence-statistics', 'question-times']);
  expect(await result('group_list')).toHaveLength(8);
  expect((await result('group_show?id=transport')).package_count).toBe(1);
  expect(await result(`tag_list?query=${encodeURIComponent('许可')}`)).toEqual(['许可证']);
  expect(await result('tag_list')).not.toContain('线网规划');
  expect((await result('license_list')).map(({ id }: { id: string }) => id)).toContain('cc-by');
  expect(await result(`package_autocomplete?q=${encodeURIComponent('公交')}`)).toEqual([
    {
      name: 'bus-stops',
      title: '公交站点信息',
      match_field: 'title',
      match_displayed: '公交站点信息 (bus-stops)',
    },
  ]);
  expect((await result('package_autocomplete?q=bus')).length).toBe(1);
  const resources = await result(`resource_search?query=${encodeURIComponent('name:站点')}`);
  expect([resources.count, resources.results[0].name]).toEqual([1, '公交站点']);
  expect(await result('resource_search?query=format:csv&offset=50')).toEqual({
    count: 4,
    results: [],
  });
  expect(await result('help_show?name=package_show')).toMatch(/metadata of a dataset/);
});

test('rows come as a file; not there and not allowed are the same', async () => {
  const idOf = async (name: string) =>
    (await get(`/api/3/action/package_show?id=${name}`)).body.result.resources[0].id;
  const response = await app.request(`/datastore/dump/${await idOf('question-times')}?bom=true`);
  expect(response.headers.get('content-type')).toBe('text/csv; charset=utf-8');
  const text = new TextDecoder('utf-8', { ignoreBOM: true }).decode(await response.arrayBuffer());
  const lines = text.split('\r\n');
  expect(lines[0]).toBe('\uFEFF_id,month,service,answers,mean_seconds');
  expect(lines[1]).toMatch(/^1,2026-01,婚姻登记核验,\d+,[\d.]+$/);
  expect(lines).toHaveLength(26);
  const tsv = await app.request(`/datastore/dump/${await idOf('bus-stops')}?format=tsv`);
  expect((await tsv.text()).split('\r\n')[1]).toMatch(/^1\t00101\t/);
  for (const id of [await idOf('food-inspections'), 'none', crypto.randomUUID()]) {
    const refused = await app.request(`/datastore/dump/${id}`);
    expect([refused.status, (await refused.json()).code]).toEqual([
      404,
      'catalogue.resource_not_found',
    ]);
  }
});
