// The link that a new officer is handed: shown to the operator who decides, used on /enrol, told to no log.
import { beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { makePasskey } from '../../support/authenticator.ts';
import { PASSWORD, PUBLIC_URL, send, withHouse } from '../api/house.ts';

const HOUSE_URL = 'http://localhost:4100';
const RP = { rpId: 'localhost', origin: HOUSE_URL };
const house = withHouse({ PUBLIC_URL: HOUSE_URL, PUBLIC_URL_ALIASES: PUBLIC_URL });
const [wang, li] = ['govsvc-operator-1', 'govsvc-operator-2'];
const cookies: Record<string, string> = {};
const codes: string[] = [];

beforeAll(async () => {
  for (const who of [wang, li]) {
    const reply = await send(house, 'POST', '/sign-in', {
      headers: { 'Content-Type': 'application/json', Origin: HOUSE_URL },
      body: JSON.stringify({ username: who, password: PASSWORD }),
    });
    cookies[who] = (reply.headers.get('set-cookie') ?? '').split(';')[0] ?? '';
  }
});

const call = (who: string, path: string, body: object) =>
  send(house, 'POST', path, {
    headers: {
      Cookie: cookies[who] ?? '',
      Origin: HOUSE_URL,
      'Content-Type': 'application/json',
    },
    body: JSON.stringify(body),
  });

const post = (cookie: string, path: string, fields: Record<string, string>) =>
  send(house, 'POST', path, {
    headers: { Cookie: cookie, Origin: HOUSE_URL },
    body: new URLSearchParams(fields),
  });

const tokenIn = (html: string): string => /name="form_token" value="([^"]*)"/.exec(html)?.[1] ?? '';

/** A new account and an open request for its first role; the request's id. */
async function wish(key: string): Promise<string> {
  const account = { key, username: key, organisation: 'housing' };
  expect((await call(wang, '/v1/officers', account)).status).toBe(201);
  const ask = { act: 'grant', officer: key, role: 'desk', reason: '新入职' };
  const { json } = await call(wang, '/v1/role-requests', ask);
  return z.looseObject({ id: z.string() }).parse(json).id;
}

/** What stands after the # of the link in a text. */
function codeIn(text: string): string {
  const [, code = ''] = /http:\/\/localhost:4100\/enrol#([\w-]{43})/.exec(text) ?? [];
  codes.push(code);
  return code;
}

/** A stranger's browser at the link's page: its form cookie and token. */
async function atLink() {
  const page = await send(house, 'GET', '/enrol?lang=en');
  const cookie = page.headers
    .getSetCookie()
    .map((line) => line.split(';')[0])
    .join('; ');
  return { text: page.text, cookie, form_token: tokenIn(page.text) };
}

describe('the link of a new officer', () => {
  test('is in the API’s reply, and in no later one', async () => {
    const id = await wish('housing-new-1');
    const approved = await call(li, `/v1/role-requests/${id}/approve`, { reason: '同意' });
    expect(approved.json).toMatchObject({
      state: 'approved',
      enrolment: {
        url: expect.stringContaining('/enrol#'),
        expiresAt: expect.stringMatching(/Z$/),
      },
    });
    const code = codeIn(approved.text);
    const list = await send(house, 'GET', '/v1/role-requests', {
      headers: { Cookie: cookies[li] ?? '' },
    });
    expect([list.status, list.text.includes('enrol'), list.text.includes(code)]).toEqual([
      200,
      false,
      false,
    ]);
  });

  test('is shown on the page of the operator who decides, once, and lets the officer in', async () => {
    const id = await wish('housing-new-2');
    const rights = await send(house, 'GET', '/ops/rights?lang=en', {
      headers: { Cookie: cookies[li] ?? '' },
    });
    const decision = { decision: 'approve', reason: 'ok', form_token: tokenIn(rights.text) };
    const path = `/ops/rights/requests/${id}`;
    const shown = await post(cookies[li] ?? '', path, decision);
    expect([shown.status, shown.headers.get('cache-control')]).toEqual([200, 'no-store']);
    const code = codeIn(shown.text);
    expect((await post(cookies[li] ?? '', path, decision)).status).toBe(409);

    const { text, cookie, form_token } = await atLink();
    expect(text).toContain('<script src="/assets/enrol.js"');
    const start = (value: string) =>
      post(cookie, '/enrol/start', { form_token, code: value, lang: 'en' });
    const wrong = await start(`${code.slice(1)}A`);
    expect([wrong.status, wrong.text.includes('role="alert"')]).toEqual([410, true]);
    const begin = async () => {
      const page = await start(` ${code} `);
      expect(page.status).toBe(200);
      const [, options = ''] = /data-options="([^"]*)"/.exec(page.text) ?? [];
      return z
        .looseObject({ challenge: z.string() })
        .parse(JSON.parse(options.replaceAll('&quot;', '"')));
    };
    const passkey = makePasskey(RP);
    const end = async (label: string) =>
      post(cookie, '/enrol', {
        form_token,
        code,
        label,
        response: JSON.stringify(passkey.create(await begin())),
      });
    const nameless = await end('');
    expect([nameless.status, nameless.text.includes('href="#label"')]).toEqual([422, true]);
    expect(nameless.text).toContain('action="/enrol"');
    const done = await end('office');
    expect([done.status, done.headers.get('location')]).toEqual([303, '/desk']);
    const session = (done.headers.getSetCookie()[0] ?? '').split(';')[0] ?? '';
    const me = await send(house, 'GET', '/v1/me', { headers: { Cookie: session } });
    expect(me.json).toMatchObject({ kind: 'officer', officer: 'housing-new-2', roles: ['desk'] });
    expect((await start(code)).status).toBe(410);
  });

  test('stands in no log line', () => {
    expect(codes.map(({ length }) => length)).toEqual([43, 43]);
    for (const code of codes)
      expect(house.logLines.filter((line) => line.includes(code))).toEqual([]);
  });
});
