// Sign-in once, at many points: relying parties of foreign make have people signed in by the session
// they already have here, and lose them when it ends.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createRemoteJWKSet, customFetch, decodeJwt, jwtVerify } from 'jose';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type CookieBrowser, createBrowser, type Visit } from '../../support/cookie-browser.ts';
import { eventually } from '../../support/eventually.ts';
import { createRelyingParty, makePartyKey, type Started } from '../../support/relying-party.ts';
import { LI, PASSWORD, PIN, PUBLIC_URL, send, withHouse } from '../api/house.ts';

const house = withHouse();
const ISSUER = `${PUBLIC_URL}/openid`;
const TERMINAL = 'https://terminal.example';
const PORTAL = 'https://portal.example';
const resolve = (url: string) => url.replace(PUBLIC_URL, house.baseUrl);

/** Notices a relying party was sent. */
const notices: string[] = [];
const listener = createServer((req, res) => {
  let body = '';
  req.on('data', (part) => {
    body += part;
  });
  req.on('end', () => {
    notices.push(new URLSearchParams(body).get('logout_token') ?? '');
    res.end();
  });
});
const terminalKey = await makePartyKey();
const portalKey = await makePartyKey();
const strangerKey = await makePartyKey();
const terminal = createRelyingParty({
  clientId: 'terminal',
  redirectUri: `${TERMINAL}/back`,
  privateKey: terminalKey.privateKey,
  issuer: ISSUER,
  resolve,
});
const portal = createRelyingParty({
  clientId: 'portal',
  redirectUri: `${PORTAL}/back`,
  privateKey: portalKey.privateKey,
  issuer: ISSUER,
  resolve,
});

async function register(changes: Record<string, unknown> = {}) {
  const { identity, database } = house.services;
  await identity.createRelyingParty(database.db, {
    id: 'terminal',
    organisationId: 'govsvc',
    nameZh: '自助终端',
    nameEn: 'Terminal',
    keys: [terminalKey.jwk],
    redirectUris: [`${TERMINAL}/back`],
    postLogoutRedirectUris: [`${TERMINAL}/out`],
    ...changes,
  } as Parameters<typeof identity.createRelyingParty>[1]); // as the loader of a city would hold it
}

beforeAll(async () => {
  await new Promise<void>((done) => listener.listen(0, '127.0.0.1', done));
  const { port } = listener.address() as AddressInfo; // of a TCP port
  await register({ backchannelLogoutUri: `http://127.0.0.1:${port}/notice` });
  await register({ id: 'portal', keys: [portalKey.jwk], redirectUris: [`${PORTAL}/back`] });
});
afterAll(() => new Promise((done) => listener.close(done)));

let browser: CookieBrowser;
beforeEach(() => {
  browser = createBrowser(resolve);
});

const isBack = (url: string) => url.startsWith(TERMINAL) || url.startsWith(PORTAL);
const visit = async (url: string) => browser.follow(await browser.get(url), isBack);

function tokenOn(page: Visit): string {
  return /name="form_token" value="([\w-]+)"/.exec(page.text)?.[1] ?? '';
}

/** Fills in the sign-in page somebody stands before, and goes on. */
async function signInOn(page: Visit, who: 'li' | 'housing-desk-1'): Promise<Visit> {
  const fields: Record<string, string> =
    who === 'li'
      ? { scheme: LI.scheme, value: LI.value, pin: PIN }
      : { username: who, password: PASSWORD };
  const next = new URL(page.url).searchParams.get('next') ?? '';
  const posted = await browser.post(`${PUBLIC_URL}/sign-in`, {
    ...fields,
    next,
    form_token: tokenOn(page),
  });
  return browser.follow(posted, isBack);
}

const signIn = async (who: 'li' | 'housing-desk-1') =>
  signInOn(await browser.get(`${PUBLIC_URL}/sign-in`), who);

async function claimsAt(party: typeof terminal, parameters: Record<string, string> = {}) {
  const started = await party.start(parameters);
  const { url } = await visit(started.url);
  return party.finish(url, started);
}

/** The session cookie as a header. */
const cookie = () => ({
  Cookie: `yihao_session=${browser.cookies(PUBLIC_URL).get('yihao_session')}`,
});

describe('a person signed in once', () => {
  test('signs in at a relying party, and at the next one is asked nothing', async () => {
    const started = await terminal.start();
    const page = await visit(started.url);
    expect(page.url).toContain('/sign-in?next=%2Fopenid%2Finteraction%2F');
    expect(page.text).toContain('取消并返回');
    const back = await signInOn(page, 'li');
    expect(back.url).toMatch(/^https:\/\/terminal\.example\/back\?code=/);
    const { claims } = await terminal.finish(back.url, started);
    expect(claims).toMatchObject({
      iss: ISSUER,
      aud: 'terminal',
      acr: 'low',
      amr: ['pwd'],
      kind: 'citizen',
      sub: expect.stringMatching(/^[\w-]{43}$/),
      auth_time: expect.any(Number),
      sid: expect.any(String),
    });
    expect(Object.keys(claims)).not.toContain('organisation');

    const atPortal = await portal.start();
    const { url } = await visit(atPortal.url);
    const there = await portal.finish(url, atPortal);
    expect(there.claims.sub).not.toBe(claims.sub);
    expect(there.claims.auth_time).toBe(claims.auth_time);
  });

  test('is the same subject there each time, whatever the session', async () => {
    await signIn('li');
    const first = await claimsAt(terminal);
    browser = createBrowser(resolve);
    await signIn('li');
    expect((await claimsAt(terminal)).claims.sub).toBe(first.claims.sub);
    browser = createBrowser(resolve);
    await signIn('housing-desk-1');
    const officer = await claimsAt(terminal);
    expect(officer.claims.sub).not.toBe(first.claims.sub);
    expect(officer.claims).toMatchObject({
      kind: 'officer',
      organisation: 'housing',
      roles: ['desk'],
    });
  });

  test('is named nowhere in what the provider remembers', async () => {
    await signIn('li');
    const { url } = await visit((await terminal.start()).url);
    const code = new URL(url).searchParams.get('code') ?? '';
    const rows = await house.ownerSql`select *, encode(sealed, 'escape') as words
      from identity.openid_records`;
    expect(rows.length).toBeGreaterThan(2);
    const text = JSON.stringify(rows);
    const cookies = [...browser.cookies(PUBLIC_URL).values()];
    for (const secret of [LI.value, LI.name, code, 'accountId', ...cookies]) {
      expect(text).not.toContain(secret);
    }
  });
});

describe('another sign-in is asked for', () => {
  test('by prompt=login, and the answer is of the new one', async () => {
    await signIn('li');
    const started = await terminal.start({ prompt: 'login' });
    const page = await visit(started.url);
    expect(page.url).toContain('/sign-in?next=');
    const back = await signInOn(page, 'housing-desk-1');
    const { claims } = await terminal.finish(back.url, started);
    expect(claims.kind).toBe('officer');
  });

  test('when the session is older than max_age, not when it is younger', async () => {
    await signIn('li');
    expect((await claimsAt(terminal, { max_age: '60' })).claims.kind).toBe('citizen');
    await signIn('li');
    await house.ownerSql`update identity.sessions set created_at = created_at - interval '61 s'`;
    const page = await visit((await terminal.start({ max_age: '60' })).url);
    expect(page.url).toContain('/sign-in?next=');
  });

  test('when the level is too low, without going round in circles', async () => {
    await signIn('li');
    const acr = JSON.stringify({ id_token: { acr: { essential: true, values: ['high'] } } });
    const started = await terminal.start({ claims: acr });
    const page = await visit(started.url);
    expect(page.url).toContain('/sign-in?next=');
    const again = await signInOn(page, 'li');
    expect(again.url).toContain('/sign-in?next=');
    await house.ownerSql`update identity.sessions set assurance = 'high'`;
    const next = new URL(again.url).searchParams.get('next') ?? '';
    // Known to have been offered before: only a new session is another answer.
    expect((await visit(`${PUBLIC_URL}${next}`)).url).toContain('/sign-in?next=');
  });

  test('when she turned back: the relying party hears of it', async () => {
    const started = await terminal.start();
    const page = await visit(started.url);
    const next = new URL(page.url).searchParams.get('next') ?? '';
    const { url } = await visit(`${PUBLIC_URL}${next}/cancel`);
    expect(new URL(url).searchParams.get('error')).toBe('access_denied');
    await expect(terminal.finish(url, started)).rejects.toThrow();
  });

  test('but not where prompt=none forbids it', async () => {
    const { url } = await visit((await terminal.start({ prompt: 'none' })).url);
    expect(new URL(url).searchParams.get('error')).toBe('login_required');
    await signIn('li');
    expect((await claimsAt(terminal, { prompt: 'none' })).claims.kind).toBe('citizen');
  });

  test('when the session of the house has ended, at once', async () => {
    const none = async () =>
      new URL((await visit((await terminal.start({ prompt: 'none' })).url)).url).searchParams;
    await signIn('li');
    expect((await none()).has('code')).toBe(true);
    await send(house, 'DELETE', '/v1/me/sessions', {
      headers: { ...cookie(), Origin: PUBLIC_URL },
    });
    expect((await none()).get('error')).toBe('login_required');
    await signIn('housing-desk-1');
    expect((await none()).has('code')).toBe(true);
    // The browser lost it, though the row is still there.
    browser.cookies(PUBLIC_URL).delete('yihao_session');
    expect((await none()).get('error')).toBe('login_required');
  });

  test('when somebody else signs in on this browser meanwhile', async () => {
    await signIn('li');
    const first = await claimsAt(terminal);
    await signIn('housing-desk-1');
    const second = await claimsAt(terminal);
    expect(second.claims.sub).not.toBe(first.claims.sub);
    expect(second.claims.kind).toBe('officer');
  });
});

describe('a code', () => {
  async function code(): Promise<{ answer: string; started: Started }> {
    await signIn('li');
    const started = await terminal.start();
    return { answer: (await visit(started.url)).url, started };
  }

  test('is exchanged once, of many at the same moment', async () => {
    const { answer, started } = await code();
    const tries = await Promise.allSettled(
      Array.from({ length: 6 }, () => terminal.finish(answer, started)),
    );
    expect(tries.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    await expect(terminal.finish(answer, started)).rejects.toMatchObject({
      error: 'invalid_grant',
    });
  });

  test('is worth nothing when the session ended before its exchange', async () => {
    const { answer, started } = await code();
    await send(house, 'DELETE', '/v1/session', { headers: { ...cookie(), Origin: PUBLIC_URL } });
    await expect(terminal.finish(answer, started)).rejects.toMatchObject({
      error: 'invalid_grant',
    });
  });

  test('is not exchanged with another verifier, by another party, or by a stranger', async () => {
    const { answer, started } = await code();
    const wrong = { ...started, codeVerifier: 'x'.repeat(43) };
    await expect(terminal.finish(answer, wrong)).rejects.toMatchObject({ error: 'invalid_grant' });
    await expect(portal.finish(answer, started)).rejects.toMatchObject({ error: 'invalid_grant' });
    const stranger = createRelyingParty({
      clientId: 'terminal',
      redirectUri: `${TERMINAL}/back`,
      privateKey: strangerKey.privateKey,
      issuer: ISSUER,
      resolve,
    });
    await expect(stranger.finish(answer, started)).rejects.toMatchObject({
      error: 'invalid_client',
    });
  });

  const assertions: [string, (payload: Record<string, unknown>) => void][] = [
    ['the token endpoint as audience', (p) => Object.assign(p, { aud: `${ISSUER}/token` })],
    ['the machines’ issuer as audience', (p) => Object.assign(p, { aud: PUBLIC_URL })],
    ['a list of audiences', (p) => Object.assign(p, { aud: [ISSUER] })],
    ['a long life', (p) => Object.assign(p, { exp: Number(p.iat) + 3600 })],
    ['no jti', (p) => Object.assign(p, { jti: undefined })],
  ];
  test.each(assertions)('is not exchanged by an assertion with %s', async (_, change) => {
    const { answer, started } = await code();
    await expect(
      terminal.finish(answer, started, (_header, payload) => change(payload)),
    ).rejects.toMatchObject({ error: 'invalid_client' });
  });
});

describe('a request is refused', () => {
  const wrong: [string, Record<string, string>, error: string][] = [
    ['without PKCE', { code_challenge: '', code_challenge_method: '' }, 'invalid_request'],
    ['with plain PKCE', { code_challenge_method: 'plain' }, 'invalid_request'],
    ['for a token in the address', { response_type: 'id_token' }, 'unsupported_response_type'],
  ];
  test.each(wrong)('%s, by an answer to the relying party', async (_, parameters, error) => {
    await signIn('li');
    const { url } = await visit((await terminal.start(parameters)).url);
    const answer = new URL(url.replace('#', '?')).searchParams;
    expect([answer.get('error'), answer.has('code')]).toEqual([error, false]);
  });

  const atPages: [string, Record<string, string>][] = [
    ['to another address', { redirect_uri: 'https://evil.example/back' }],
    ['to an address below it', { redirect_uri: `${TERMINAL}/back/x` }],
    ['of nobody known', { client_id: 'nobody' }],
    ['of a department’s system', { client_id: 'housing' }],
  ];
  test.each(atPages)('%s, by a page here and no redirect', async (_, parameters) => {
    const page = await browser.get((await terminal.start(parameters)).url);
    expect([page.status, page.headers.get('location')]).toEqual([400, null]);
    expect(page.headers.get('content-security-policy')).toContain("default-src 'none'");
  });

  test('at any other address of the library, or by another method', async () => {
    for (const path of ['/reg', '/userinfo', '/request', '/introspection', '/revocation', '']) {
      expect((await browser.get(`${ISSUER}${path}`)).status).toBe(404);
    }
    const nothing = await send(house, 'GET', '/openid/reg');
    expect([nothing.status, nothing.json]).toEqual([
      404,
      expect.objectContaining({ code: 'api.not_found', status: 404 }),
    ]);
    const page = await send(house, 'GET', '/openid/reg', { headers: { Accept: 'text/html' } });
    expect(page.headers.get('content-type')).toContain('text/html');
    expect(page.text).toContain('api.not_found');
    const method = await send(house, 'GET', '/openid/token');
    expect([method.status, method.headers.get('allow'), method.json]).toEqual([
      405,
      'POST',
      expect.objectContaining({ code: 'api.method_not_allowed' }),
    ]);
    expect((await browser.get(`${ISSUER}/token`)).status).toBe(405);
    expect((await browser.post(`${ISSUER}/authorize`, {})).status).toBe(405);
    expect((await browser.get(`${ISSUER}/interaction/unknown`)).status).toBe(400);
  });
});

describe('the machines’ token endpoint', () => {
  test('knows no relying party and grants no code', async () => {
    const { json } = await send(house, 'GET', '/.well-known/oauth-authorization-server');
    expect(json).toMatchObject({
      issuer: PUBLIC_URL,
      response_types_supported: [],
      grant_types_supported: ['client_credentials'],
    });
    const reply = await send(house, 'POST', '/oauth/token', {
      headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
      body: String(new URLSearchParams({ grant_type: 'authorization_code', code: 'x' })),
    });
    expect(reply.status).toBe(400);
  });
});

describe('signing out at a relying party', () => {
  const confirm = (page: Visit, fields: Record<string, string>) => {
    const xsrf = /name="xsrf" value="([\w-]+)"/.exec(page.text)?.[1] ?? '';
    return browser.post(`${ISSUER}/end-session/confirm`, { xsrf, ...fields });
  };

  test('asks, then ends the session here, and tells the others', async () => {
    await signIn('li');
    const { idToken, claims } = await claimsAt(terminal);
    const page = await browser.get(await terminal.signOutUrl(idToken, `${TERMINAL}/out`));
    expect(page.text).toContain('退出后，所有使用此次登录的服务都将退出。');
    expect(page.headers.get('content-security-policy')).toContain(`form-action 'self' ${TERMINAL}`);
    const held = cookie();
    const out = await confirm(page, { logout: 'yes' });
    expect(out.headers.get('location')).toBe(`${TERMINAL}/out?state=after`);
    expect((await send(house, 'GET', '/v1/me', { headers: held })).status).toBe(401);
    const notice = () => notices.find((one) => decodeJwt(one).sid === claims.sid);
    await eventually(async () => notice() !== undefined);
    const keys = createRemoteJWKSet(new URL(`${ISSUER}/jwks`), {
      [customFetch]: (url, init) => fetch(resolve(url), init),
    });
    const { payload } = await jwtVerify(notice() ?? '', keys, {
      issuer: ISSUER,
      audience: 'terminal',
    });
    expect(payload).toMatchObject({ sid: claims.sid });
    expect(Object.keys(Object(payload.events))).toEqual([
      'http://schemas.openid.net/event/backchannel-logout',
    ]);
  });

  test('may be thought better of', async () => {
    await signIn('li');
    const { idToken } = await claimsAt(terminal);
    const page = await browser.get(await terminal.signOutUrl(idToken, `${TERMINAL}/out`));
    const stayed = await confirm(page, {});
    expect(stayed.headers.get('location')).toBe(`${TERMINAL}/out?state=after`);
    expect((await send(house, 'GET', '/v1/me', { headers: cookie() })).status).toBe(200);
  });

  test('is not forged, and leads to no address that isn’t registered', async () => {
    await signIn('li');
    const { idToken } = await claimsAt(terminal);
    const page = await browser.get(await terminal.signOutUrl(idToken, `${TERMINAL}/out`));
    const forged = await confirm(page, { logout: 'yes', xsrf: 'invented' });
    expect(forged.status).toBe(400);
    expect((await send(house, 'GET', '/v1/me', { headers: cookie() })).status).toBe(200);
    const elsewhere = await browser.get(await terminal.signOutUrl(idToken, 'https://evil.example'));
    expect(elsewhere.status).toBe(400);
  });

  test('asks a browser that isn’t signed in without a script', async () => {
    await signIn('li');
    const { idToken } = await claimsAt(terminal);
    browser = createBrowser(resolve);
    const page = await browser.get(await terminal.signOutUrl(idToken, `${TERMINAL}/out`));
    expect(page.text).not.toContain('<script');
    const out = await confirm(page, { logout: 'yes' });
    expect(out.headers.get('location')).toBe(`${TERMINAL}/out?state=after`);
  });
});

describe('a registration is refused', () => {
  const wrong: [string, Record<string, unknown>, pointer: string][] = [
    ['of no department', { organisationId: 'nobody' }, '/organisationId'],
    ['with plain http', { redirectUris: ['http://portal.example/back'] }, '/redirectUris/0'],
    ['with a fragment', { redirectUris: [`${PORTAL}/back#x`] }, '/redirectUris/0'],
    ['with two hosts', { redirectUris: [`${PORTAL}/back`, `${TERMINAL}/x`] }, '/redirectUris'],
    ['with a wildcard', { redirectUris: ['https://*.portal.example/back'] }, '/redirectUris/0'],
    ['with an empty fragment', { redirectUris: [`${PORTAL}/back#`] }, '/redirectUris/0'],
    ['with a user', { redirectUris: ['https://u:p@portal.example/back'] }, '/redirectUris/0'],
    ['with a script', { redirectUris: ['javascript:alert(1)'] }, '/redirectUris/0'],
    [
      'with a wrong way out',
      { postLogoutRedirectUris: ['http://x.example/'] },
      '/postLogoutRedirectUris/0',
    ],
    ['without an address', { redirectUris: [] }, '/redirectUris'],
    ['without a key', { keys: [] }, '/keys'],
    ['with a private key', { keys: [{ ...terminalKey.jwk, d: 'x' }] }, '/keys/0'],
  ];

  test('under an id that is taken', async () => {
    await expect(register()).rejects.toMatchObject({ code: 'identity.relying_party_invalid' });
  });

  test.each(wrong)('%s', async (_, changes, pointer) => {
    await expect(register({ id: 'another', ...changes })).rejects.toMatchObject({
      code: 'identity.relying_party_invalid',
      fields: expect.arrayContaining([expect.objectContaining({ pointer })]),
    });
  });
});

test('an ID token is no access token here', async () => {
  await signIn('li');
  const { idToken } = await claimsAt(terminal);
  expect(decodeJwt(idToken).iss).toBe(ISSUER);
  const reply = await send(house, 'GET', '/v1/me', {
    headers: { Authorization: `DPoP ${idToken}`, DPoP: 'x' },
  });
  expect(reply.status).toBe(401);
});
