// Sessions over HTTP: the cookies of signing in, the list of one's own, ending them (contract section 5).
import { describe, expect, test } from 'vitest';
import { LI, PASSWORD, PIN, PUBLIC_URL, refusal, send, sessionOf, withHouse } from './house.ts';

const house = withHouse();
const sameOrigin = { Origin: PUBLIC_URL };

async function list(cookie: string) {
  const { status, json } = await send(house, 'GET', '/v1/me/sessions', {
    headers: { Cookie: cookie },
  });
  expect(status).toBe(200);
  return Object(json).items;
}

const wrongPin = () =>
  send(house, 'POST', '/sign-in', {
    headers: { ...sameOrigin, 'Content-Type': 'application/json' },
    body: JSON.stringify({ scheme: 'cn-id', value: '990101199001011117', pin: '000000' }),
  });

/** The form's token on a page of this session. */
async function formToken(cookie: string, path: string): Promise<string> {
  const { text } = await send(house, 'GET', path, { headers: { Cookie: cookie } });
  return /name="form_token" value="([\w-]+)"/.exec(text)?.[1] ?? '';
}

function post(path: string, cookie: string, fields: Record<string, string>) {
  return send(house, 'POST', path, {
    headers: {
      ...sameOrigin,
      Cookie: cookie,
      'Content-Type': 'application/x-www-form-urlencoded',
    },
    body: new URLSearchParams(fields).toString(),
  });
}

describe('signing in', () => {
  test('sets the session first, then the browser’s own cookie, neither readable by scripts', async () => {
    const reply = await send(house, 'POST', '/sign-in', {
      headers: { ...sameOrigin, 'Content-Type': 'application/json' },
      body: JSON.stringify({ scheme: LI.scheme, value: LI.value, pin: PIN }),
    });
    expect(reply.status).toBe(204);
    expect(reply.headers.getSetCookie()).toEqual([
      expect.stringMatching(/^yihao_session=[\w-]{43}; Path=\/; HttpOnly; SameSite=Lax$/),
      expect.stringMatching(
        /^yihao_device=[\w-]{22}\.[\w-]{43}; Path=\/; HttpOnly; SameSite=Lax; Max-Age=34560000$/,
      ),
    ]);
  });

  test('ends the session that the browser brings, and takes no cookie value from outside', async () => {
    const before = await sessionOf(house, 'li');
    const reply = await send(house, 'POST', '/sign-in', {
      headers: { ...sameOrigin, 'Content-Type': 'application/json', Cookie: before },
      body: JSON.stringify({ username: 'housing-desk-1', password: PASSWORD }),
    });
    const after = reply.headers.getSetCookie()[0]?.split(';')[0] ?? '';
    expect(after).not.toBe(before);
    const stale = await send(house, 'GET', '/v1/me', { headers: { Cookie: before } });
    expect(refusal(stale)).toBe('401 identity.unauthenticated');
    const fixed = 'yihao_session=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA';
    const planted = await send(house, 'POST', '/sign-in', {
      headers: { ...sameOrigin, 'Content-Type': 'application/json', Cookie: fixed },
      body: JSON.stringify({ scheme: LI.scheme, value: LI.value, pin: PIN }),
    });
    expect(planted.headers.getSetCookie()[0]).not.toContain(fixed);
    const guess = await send(house, 'GET', '/v1/me', { headers: { Cookie: fixed } });
    expect(refusal(guess)).toBe('401 identity.unauthenticated');
  });

  test('tells who is locked out when to come back, by JSON and on the page', async () => {
    for (let attempt = 0; attempt < 5; attempt += 1) expect((await wrongPin()).status).toBe(401);
    const locked = await wrongPin();
    expect(refusal(locked)).toBe('429 identity.sign_in_locked');
    const page = await post('/sign-in', 'yihao_lang=en', {
      scheme: 'cn-id',
      value: '990101199001011117',
      pin: '000000',
    });
    expect(page.status).toBe(429);
    expect(page.text).toContain('Too many wrong tries. Come back in 15 minutes.');
    for (const { headers } of [locked, page]) {
      expect(Number(headers.get('retry-after'))).toBeGreaterThan(850);
      expect(Number(headers.get('retry-after'))).toBeLessThanOrEqual(900);
    }
  });

  test('is refused on the page in plain words, with 401 or 422', async () => {
    const headers = 'yihao_lang=en';
    const wrong = await post('/sign-in', headers, { username: 'nobody', password: 'x' });
    expect(wrong.status).toBe(401);
    expect(wrong.text).toContain('These details are not right.');
    const empty = await post('/sign-in', headers, {});
    expect(empty.status).toBe(422);
    expect(empty.text).toContain('Fill in all of the sign-in details.');
  });
});

describe('one’s own sessions', () => {
  test('are listed and ended one by one', async () => {
    const here = await sessionOf(house, 'li');
    const there = await sessionOf(house, 'li');
    const items = await list(here);
    expect(items[0]).toEqual({
      id: expect.any(String),
      device: { browser: 'other', system: 'other' },
      since: expect.any(String),
      lastSeen: expect.any(String),
      assurance: 'low',
      method: 'secret',
      isCurrent: expect.any(Boolean),
    });
    const theirs = (await list(there)).find((one: { isCurrent: boolean }) => one.isCurrent);
    const ended = await send(house, 'DELETE', `/v1/me/sessions/${theirs.id}`, {
      headers: { ...sameOrigin, Cookie: here },
    });
    expect([ended.status, ended.headers.getSetCookie()]).toEqual([204, []]);
    const gone = await send(house, 'GET', '/v1/me', { headers: { Cookie: there } });
    expect(gone.status).toBe(401);
    const again = await send(house, 'DELETE', `/v1/me/sessions/${theirs.id}`, {
      headers: { ...sameOrigin, Cookie: here },
    });
    expect(refusal(again)).toBe('404 identity.session_not_found');
  });

  test('are ended elsewhere, then everywhere', async () => {
    const [here, there] = [await sessionOf(house, 'li'), await sessionOf(house, 'li')];
    const end = (where: string) =>
      send(house, 'DELETE', `/v1/me/sessions${where}`, {
        headers: { ...sameOrigin, Cookie: here },
      });
    expect((await end('?where=elsewhere')).status).toBe(204);
    expect((await send(house, 'GET', '/v1/me', { headers: { Cookie: there } })).status).toBe(401);
    expect(await list(here)).toHaveLength(1);
    expect(refusal(await end('?where=nowhere'))).toBe('422 api.input_invalid /where');
    const everywhere = await end('');
    expect(everywhere.headers.getSetCookie()).toEqual([
      'yihao_session=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0',
    ]);
    expect((await send(house, 'GET', '/v1/me', { headers: { Cookie: here } })).status).toBe(401);
  });

  test('are not ended from another site, nor by a system', async () => {
    const cookie = await sessionOf(house, 'li');
    const id = (await list(cookie))[0]?.id;
    const senders: Record<string, string>[] = [{}, { Origin: 'https://evil.example' }];
    for (const sender of senders) {
      const headers = { Cookie: cookie, ...sender };
      const reply = await send(house, 'DELETE', `/v1/me/sessions/${id}`, { headers });
      expect(refusal(reply)).toBe('403 api.foreign_origin');
    }
    const { status, json } = await house.client('housing').call('GET', '/v1/me/sessions');
    expect(refusal({ status, json })).toBe('403 identity.session_needed');
  });
});

describe('the page of sessions', () => {
  test.each([
    ['li', '/me/sessions', '/desk/sessions'],
    ['housing-desk-1', '/desk/sessions', '/me/sessions'],
    ['audit-auditor-1', '/desk/sessions', '/me/sessions'],
  ])('of %s lists, ends one, and signs out everywhere', async (who, path, otherPath) => {
    const [here, there] = [await sessionOf(house, who), await sessionOf(house, who)];
    const cookie = `${here}; yihao_lang=en`;
    const page = await send(house, 'GET', path, { headers: { Cookie: cookie } });
    expect(page.status).toBe(200);
    expect(page.text).toContain('This device');
    expect(page.text).toContain('PIN or password');
    const wrong = await send(house, 'GET', otherPath, { headers: { Cookie: cookie } });
    expect(wrong.status).toBe(403);
    const token = await formToken(here, path);
    const other = (await list(there)).find((one: { isCurrent: boolean }) => one.isCurrent);
    const unsigned = await post(`${path}/${other.id}`, here, {});
    expect(unsigned.status).toBe(403);
    const ended = await post(`${path}/${other.id}`, here, { form_token: token });
    expect([ended.status, ended.headers.get('location')]).toEqual([303, `${path}?ended`]);
    expect((await send(house, 'GET', '/v1/me', { headers: { Cookie: there } })).status).toBe(401);
    const missing = await post(`${path}/${other.id}`, here, { form_token: token });
    expect(missing.status).toBe(404);
    await post(path, here, { form_token: token, where: 'elsewhere' });
    expect(await list(here)).toHaveLength(1);
    const out = await post(path, here, { form_token: token, where: 'everywhere' });
    expect([out.status, out.headers.get('location')]).toEqual([303, '/sign-in']);
    expect(out.headers.getSetCookie()[0]).toContain('yihao_session=;');
    expect((await send(house, 'GET', '/v1/me', { headers: { Cookie: here } })).status).toBe(401);
  });

  test('sends a stranger to sign in and back', async () => {
    const reply = await send(house, 'GET', '/me/sessions');
    expect([reply.status, reply.headers.get('location')]).toEqual([
      303,
      '/sign-in?next=%2Fme%2Fsessions',
    ]);
  });
});
