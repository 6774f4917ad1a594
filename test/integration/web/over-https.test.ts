// A house that is reached by https: what only then can be asked of browsers.
import { expect, test } from 'vitest';
import { PASSWORD, send, withHouse } from '../api/house.ts';

const PUBLIC_URL = 'https://yihao.test';
// Off loopback only the sample city has the local sign-in.
const house = withHouse({
  PUBLIC_URL,
  SAMPLE: 'yunzhu',
  SECURITY_CONTACT: 'mailto:security@yihao.test',
});

test('every reply asks for https from now on', async () => {
  for (const path of ['/', '/v1/me', '/healthz', '/oauth/jwks', '/nothing', '/assets/style.css']) {
    const { headers } = await send(house, 'GET', path);
    expect([path, headers.get('strict-transport-security')]).toEqual([path, 'max-age=31536000']);
  }
});

test('every cookie is Secure, and those that open something are __Host- ones', async () => {
  const page = await send(house, 'GET', '/sign-in?lang=en');
  const [form, lang] = page.headers.getSetCookie().sort();
  expect(form).toMatch(/^__Host-yihao_form=[\w-]{43}; Path=\/; HttpOnly; SameSite=Lax; Secure$/);
  expect(lang).toMatch(/^yihao_lang=en; .*; Secure/);
  const body = JSON.stringify({ username: 'housing-desk-1', password: PASSWORD });
  const signedIn = await send(house, 'POST', '/sign-in', {
    headers: { 'Content-Type': 'application/json', Origin: PUBLIC_URL },
    body,
  });
  expect(signedIn.headers.getSetCookie()).toEqual([
    expect.stringMatching(
      /^__Host-yihao_session=[\w-]{43}; Path=\/; HttpOnly; SameSite=Lax; Secure$/,
    ),
    expect.stringMatching(
      /^__Host-yihao_device=[\w.-]+; Path=\/; HttpOnly; SameSite=Lax; Secure; Max-Age=\d+$/,
    ),
  ]);
});

test('a session’s cookie under its http name opens nothing', async () => {
  const signedIn = await send(house, 'POST', '/sign-in', {
    headers: { 'Content-Type': 'application/json', Origin: PUBLIC_URL },
    body: JSON.stringify({ username: 'housing-desk-1', password: PASSWORD }),
  });
  const value = (signedIn.headers.get('set-cookie') ?? '').split(/[=;]/)[1];
  const statusWith = async (name: string): Promise<number> =>
    (await send(house, 'GET', '/v1/me', { headers: { Cookie: `${name}=${value}` } })).status;
  expect(await statusWith('__Host-yihao_session')).toBe(200);
  expect(await statusWith('yihao_session')).toBe(401);
});

test('who finds a weakness is told whom to tell (RFC 9116)', async () => {
  const { status, headers, text } = await send(house, 'GET', '/.well-known/security.txt');
  expect([status, headers.get('content-type')]).toEqual([200, 'text/plain; charset=UTF-8']);
  const [, expires = ''] = /^Expires: (.*)$/m.exec(text) ?? [];
  expect(text.replace(expires, 'soon')).toBe(
    [
      'Contact: mailto:security@yihao.test',
      'Expires: soon',
      'Preferred-Languages: zh, en',
      `Canonical: ${PUBLIC_URL}/.well-known/security.txt`,
      '',
    ].join('\n'),
  );
  const days = (new Date(expires).getTime() - Date.now()) / 86_400_000;
  expect(days).toBeGreaterThan(170);
  expect(days).toBeLessThan(365);
});
