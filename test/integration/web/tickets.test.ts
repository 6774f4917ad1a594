// "Ask about this" by forms alone: the person on /me, the department on /desk, auditors on /audit; and her
// looks narrowed and taken out.
import { beforeAll, expect, test } from 'vitest';
import { verify } from '../../../verifier/index.ts';
import { maritalQuestion, PUBLIC_URL, send, sessionOf, withHouse } from '../api/house.ts';

const house = withHouse();

async function browserOf(who: string) {
  const Cookie = await sessionOf(house, who);
  const get = (path: string) => send(house, 'GET', path, { headers: { Cookie } });
  return {
    get,
    async post(path: string, fields: Record<string, string> = {}) {
      const token = /name="form_token" value="([^"]+)"/.exec((await get('/')).text)?.[1] ?? '';
      const body = new URLSearchParams({ form_token: token, ...fields });
      const headers = { Cookie, Origin: PUBLIC_URL };
      const reply = await send(house, 'POST', path, { headers, body });
      return { ...reply, to: reply.headers.get('location') ?? '' };
    },
  };
}
type Browser = Awaited<ReturnType<typeof browserOf>>;

let li: Browser;
let auditor: Browser;
beforeAll(async () => {
  li = await browserOf('li');
  auditor = await browserOf('audit-auditor-1');
  const asked = await house.client('housing').call('POST', '/v1/verifications', maritalQuestion());
  expect(asked.status).toBeLessThan(300);
});

test('asked on /me, answered on /desk, found wanting, concluded on /audit', async () => {
  const me = (await li.get('/me?lang=en')).text;
  const ask = /href="(\/me\/tickets\/new\?index=(\d+))"/.exec(me);
  const [, path = '', index = ''] = ask ?? [];
  expect((await li.get(path)).text).toContain(`value="${index}"`);
  const empty = await li.post('/me/tickets', { index, text: ' ' });
  expect([empty.status, empty.text]).toEqual([422, expect.stringContaining('id="text-error"')]);
  const asked = await li.post('/me/tickets', { index, text: '为什么查我？' });
  expect([asked.status, asked.to]).toEqual([303, expect.stringMatching(/^\/me\/tickets\/.{36}$/)]);
  expect((await li.get('/me')).text).toContain(asked.to);
  expect((await li.post('/me/tickets', { index, text: 'again' })).status).toBe(409);

  // Whose answer it was, is asked: the entry says which department.
  const { json } = await li.get(`/v1${asked.to}`);
  const department = JSON.parse(JSON.stringify(json)).department.id;
  const steward = await browserOf(`${department}-steward-1`);
  const list = (await steward.get('/desk/tickets')).text;
  const open = asked.to.replace('/me/', '/desk/');
  expect([list.includes(open), list.includes('为什么查我')]).toEqual([true, false]);
  expect((await steward.get(open)).text).toContain('为什么查我？');
  expect((await steward.post(`${open}/answer`, { text: '依法核查公租房申请。' })).to).toBe(open);
  expect((await steward.post(`${open}/answer`, { text: '再答' })).status).toBe(409);
  const other = await browserOf(department === 'civil' ? 'housing-steward-1' : 'civil-steward-1');
  expect((await other.get(open)).status).toBe(404);

  const answered = (await li.get(asked.to)).text;
  expect(answered).toContain('依法核查公租房申请。');
  expect((await auditor.get('/audit/tickets')).text).not.toContain(asked.to.slice(-36));
  expect((await li.post(`${asked.to}/not-satisfied`, {})).to).toBe(asked.to);
  const before = asked.to.replace('/me/', '/audit/');
  expect((await auditor.get('/audit/tickets')).text).toContain(before);
  expect((await auditor.post(`${before}/conclude`, { text: '' })).status).toBe(422);
  expect((await auditor.post(`${before}/conclude`, { text: '查询合法。' })).to).toBe(before);
  expect((await li.get(`${asked.to}?lang=en`)).text).toContain('The auditors have concluded it.');
});

test('her looks are narrowed, and what narrows them stays in the form and on the next page', async () => {
  const none = (await li.get('/me?from=2020-01-01&to=2020-01-02&lang=en')).text;
  expect(none).toContain('No look matches.');
  expect(none).toContain('value="2020-01-01"');
  const some = (await li.get('/me?service=VS-MARITAL&lang=zh')).text;
  expect(some).toContain('公共租赁住房资格审核');
  expect((await li.get('/me?from=yesterday')).text).toContain('role="alert"');
  expect((await li.get('/me?department=health')).text).not.toContain('公共租赁住房资格审核');
});

test('her own is taken out from the page and by the API', async () => {
  const json = await li.get('/me/export?format=json');
  expect(json.headers.get('content-disposition')).toContain('yihao-my-data.json');
  const own = JSON.parse(json.text);
  expect(Object.keys(own)).toEqual([
    'exportedAt',
    'person',
    'licences',
    'consents',
    'delegations',
    'accessLog',
  ]);
  expect((await li.get('/v1/me/export')).json).toMatchObject({ person: { kind: 'citizen' } });
  expect((await li.get('/me/export?format=csv')).text).toContain('VS-MARITAL');
  const vkey = await (await fetch(`${house.baseUrl}/log/vkey`)).text();
  const bundle = (await li.get('/v1/me/export?format=bundle')).text;
  expect(await verify(bundle, vkey.trim())).toMatchObject({ valid: true });
  expect((await li.get('/v1/me/export?format=pdf')).status).toBe(422);
});

test('the log is checked from the page, by a run that shows how far it is', async () => {
  const wrong = await auditor.post('/audit/integrity', { from: '9', to: '3' });
  expect([wrong.status, wrong.text]).toEqual([422, expect.stringContaining('id="to-error"')]);
  const { to } = await auditor.post('/audit/integrity');
  expect(to).toMatch(/^\/audit\/integrity\/.{36}$/);
  expect((await auditor.get(to)).text).toContain('role="status"');
  expect((await auditor.get('/audit/integrity')).text).toContain(to);
});
