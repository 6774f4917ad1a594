// The auditors' pages, by forms alone: search, keep, export, unmask, each with a second auditor.
import { beforeAll, expect, test } from 'vitest';
import { verify } from '../../../verifier/index.ts';
import { eventually } from '../../support/eventually.ts';
import { maritalQuestion, PUBLIC_URL, send, sessionOf, withHouse } from '../api/house.ts';

const house = withHouse();

/** A browser of an auditor: its pages as text, its forms sent with the page's own token. */
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

let one: Awaited<ReturnType<typeof browserOf>>;
let two: Awaited<ReturnType<typeof browserOf>>;

beforeAll(async () => {
  [one, two] = [await browserOf('audit-auditor-1'), await browserOf('audit-auditor-2')];
  for (const caseId of ['PAGES-1', 'PAGES-2']) {
    const officer = 'housing-desk-1';
    const asked = await house
      .client('housing')
      .call('POST', '/v1/verifications', maritalQuestion({ caseId, officer }));
    expect(asked.status).toBeLessThan(300);
  }
});

test('what a search found is exported by two, and the file taken from the page holds', async () => {
  const found = await one.post('/audit', { caseId: 'PAGES-1' });
  expect(found.text).toContain('PAGES-1');
  expect(found.text).toContain('action="/audit/exports"');
  const wrong = await one.post('/audit/exports', { caseId: 'PAGES-1', reason: '' });
  expect(wrong.status).toBe(422);
  expect(wrong.text).toContain('id="export-reason"');
  const { status, to } = await one.post('/audit/exports', { caseId: 'PAGES-1', reason: 'yearly' });
  expect([status, to]).toEqual([303, expect.stringMatching(/^\/audit\/exports\/.{36}$/)]);
  expect((await one.get(`${to}?lang=en`)).text).toContain('Another auditor must decide');
  const refused = await one.post(to, { decision: 'approve' });
  expect([refused.status, refused.text]).toEqual([403, expect.stringContaining('role="alert"')]);
  expect((await two.post(to, { decision: 'approve' })).status).toBe(303);
  const page = await eventually(
    async () => {
      const { text } = await one.get(`${to}?lang=en`);
      return text.includes(`${to}/file`) ? text : undefined;
    },
    { timeoutMs: 20_000 },
  );
  expect(page).toContain('Ready');
  const file = await two.get(`${to}/file`);
  expect(file.headers.get('content-disposition')).toContain('yihao-audit-');
  const vkey = await (await fetch(`${house.baseUrl}/log/vkey`)).text();
  expect(await verify(file.text, vkey.trim())).toMatchObject({ valid: true });
  expect((await one.get('/audit/exports')).text).toContain(to);
});

test('an officer is unmasked on the pages, and her department reads that it was done', async () => {
  const { text } = await one.post('/audit', { caseId: 'PAGES-2' });
  const index = /\/audit\/unmaskings\?index=(\d+)/.exec(text)?.[1] ?? '';
  expect((await one.get(`/audit/unmaskings?index=${index}`)).text).toContain(`value="${index}"`);
  const nothing = await one.post('/audit/unmaskings', { index: 'x', reason: 'r' });
  expect(nothing.status).toBe(404);
  const { to } = await one.post('/audit/unmaskings', { index, reason: 'complaint' });
  expect((await two.get(to)).text).not.toContain('housing-desk-1');
  await two.post(to, { decision: 'approve' });
  for (const auditor of [one, two]) {
    expect((await auditor.get(to)).text).toContain('housing-desk-1');
  }
  const steward = await sessionOf(house, 'housing-steward-1');
  const told = await send(house, 'GET', '/v1/unmaskings', { headers: { Cookie: steward } });
  expect(JSON.parse(told.text).items).toMatchObject([{ index: Number(index) }]);
});

test('a search is kept, run with a reason, and taken away', async () => {
  const kept = await one.post('/audit/searches', {
    name: 'the first case',
    caseId: 'PAGES-1',
    shared: 'on',
  });
  expect([kept.status, kept.to]).toEqual([303, '/audit/searches']);
  const list = (await two.get('/audit/searches')).text;
  expect(list).toContain('the first case');
  const run = /action="(\/audit\/searches\/[^"]+\/run)"/.exec(list)?.[1] ?? '';
  expect((await two.post(run, { reason: 'again' })).text).toContain('PAGES-1');
  expect(list).not.toContain('/delete"');
  expect((await one.post(run.replace('/run', '/delete'))).status).toBe(303);
  expect((await two.get('/audit/searches')).text).not.toContain('the first case');
});
