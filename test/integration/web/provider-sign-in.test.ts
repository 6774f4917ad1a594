// Signing in at a city's own identity provider: a real one, on a socket of its own, by foreign code.
import { generateKeyPairSync } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { type CookieBrowser, createBrowser, type Visit } from '../../support/cookie-browser.ts';
import { startIdentityProvider } from '../../support/identity-provider.ts';
import { LI, PUBLIC_URL, send, withHouse } from '../api/house.ts';

const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const jwk = { ...publicKey.export({ format: 'jwk' }), kid: 'yihao-1' };
const folder = await mkdtemp(join(tmpdir(), 'yihao-provider-'));
const key_file = join(folder, 'key.json');
await writeFile(
  key_file,
  JSON.stringify({ ...privateKey.export({ format: 'jwk' }), kid: 'yihao-1' }),
);
const start = (id: string, isInIdToken: boolean) =>
  startIdentityProvider({
    clientId: 'yihao',
    redirectUri: `${PUBLIC_URL}/sign-in/from/${id}`,
    jwk,
    isInIdToken,
  });
const city = await start('city', true);
const staff = await start('staff', false);
const common = { client_id: 'yihao', key_file, acr: { face: 'substantial' } };
const house = withHouse({
  OIDC_PROVIDERS: JSON.stringify([
    {
      ...common,
      id: 'city',
      issuer: city.issuer,
      label: { zh: '云珠市统一身份认证', en: 'Yunzhu sign-in' },
      citizen_id_claim: 'id_number',
    },
    {
      ...common,
      id: 'staff',
      issuer: staff.issuer,
      label: { zh: '工作人员统一认证', en: 'staff sign-in' },
      officer_claim: 'username',
    },
  ]),
});

afterAll(async () => {
  await city.close();
  await staff.close();
  await rm(folder, { recursive: true });
});

let browser: CookieBrowser;
beforeEach(() => {
  browser = createBrowser((url) => url.replace(PUBLIC_URL, house.baseUrl));
  city.answer = { claims: { id_number: LI.value }, acr: 'face' };
  staff.answer = { claims: { username: 'housing-desk-1' } };
});

const isCallback = (url: string) => url.startsWith(`${PUBLIC_URL}/sign-in/from/`);

/** Goes to the provider and stops where it sends the browser back to us. */
async function goTo(provider: string, next = ''): Promise<Visit> {
  const begun = await browser.get(`${PUBLIC_URL}/sign-in/with/${provider}${next}`);
  return browser.follow(begun, isCallback);
}

async function signIn(provider: string, next = ''): Promise<Visit> {
  return browser.get((await goTo(provider, next)).url);
}

async function sessionNow() {
  const { text } = await browser.get(`${PUBLIC_URL}/v1/me/sessions`);
  return JSON.parse(text).items?.find((one: { isCurrent: boolean }) => one.isCurrent);
}

describe('signing in at a provider elsewhere', () => {
  test('is offered by name, in both languages', async () => {
    const zh = await browser.get(`${PUBLIC_URL}/sign-in?next=/me/sessions`);
    expect(zh.text).toContain('使用云珠市统一身份认证登录');
    expect(zh.text).toContain('/sign-in/with/city?next=%2Fme%2Fsessions');
    const en = await browser.get(`${PUBLIC_URL}/sign-in?lang=en`);
    expect(en.text).toContain('Sign in with staff sign-in');
  });

  test('makes a citizen of whoever the claim names, as sure as the provider is', async () => {
    const back = await signIn('city', '?next=/me/sessions');
    expect([back.status, back.headers.get('location')]).toEqual([303, '/me/sessions']);
    expect(await sessionNow()).toMatchObject({
      assurance: 'substantial',
      method: 'provider',
      device: { browser: 'firefox', system: 'linux' },
    });
    const me = JSON.parse((await browser.get(`${PUBLIC_URL}/v1/me`)).text);
    expect(me).toMatchObject({ kind: 'citizen', name: LI.name });
  });

  test('is low when the provider says no level, or one that nobody mapped', async () => {
    for (const acr of [undefined, 'sms']) {
      const { acr: _, ...answer } = city.answer;
      city.answer = acr === undefined ? answer : { ...answer, acr };
      browser = createBrowser((url) => url.replace(PUBLIC_URL, house.baseUrl));
      await signIn('city');
      expect(await sessionNow()).toMatchObject({ assurance: 'low', method: 'provider' });
    }
  });

  test('makes an officer of a user name, told by the userinfo endpoint alone', async () => {
    const back = await signIn('staff');
    expect([back.status, back.headers.get('location')]).toEqual([303, '/desk']);
    const me = JSON.parse((await browser.get(`${PUBLIC_URL}/v1/me`)).text);
    expect(me).toMatchObject({ kind: 'officer', officer: 'housing-desk-1' });
  });

  test('ends the session that was there before', async () => {
    await signIn('staff');
    const before = browser.cookies(PUBLIC_URL).get('yihao_session');
    await signIn('city');
    const stale = await send(house, 'GET', '/v1/me', {
      headers: { Cookie: `yihao_session=${before}` },
    });
    expect(stale.status).toBe(401);
  });

  test('leads back to no other site', async () => {
    const back = await signIn('city', `?next=${encodeURIComponent('//evil.example')}`);
    expect(back.headers.get('location')).toBe('/me');
  });
});

describe('nobody is signed in', () => {
  const lang = () => browser.cookies(PUBLIC_URL).set('yihao_lang', 'en');

  async function expectRefusal(visit: Visit, status: number, words: string): Promise<void> {
    expect(visit.status).toBe(status);
    expect(visit.text).toContain(words);
    expect(browser.cookies(PUBLIC_URL).has('yihao_session')).toBe(false);
  }

  const unknown = 'signed in somebody who has no account here';
  const people: [string, Record<string, unknown>][] = [
    ['no claim', {}],
    ['a claim that is no text', { id_number: 42 }],
    ['a number with a wrong check character', { id_number: '990101199001010010' }],
    ['a day that never was', { id_number: '990101199002300016' }],
    ['somebody born in the future', { id_number: '990101209901010014' }],
    ['an empty claim', { id_number: '' }],
  ];
  test.each(people)('for %s', async (_, claims) => {
    lang();
    city.answer = { claims };
    await expectRefusal(await signIn('city'), 403, unknown);
  });

  test('for an officer nobody appointed', async () => {
    lang();
    staff.answer = { claims: { username: 'housing-desk-99' } };
    await expectRefusal(await signIn('staff'), 403, unknown);
  });

  test('when the provider refuses, and its words are not repeated', async () => {
    lang();
    city.answer = { claims: {}, error: 'access_denied' };
    const back = await signIn('city');
    await expectRefusal(back, 403, 'did not sign you in');
    expect(back.text).not.toContain('said no');
  });

  test('with an answer used before', async () => {
    lang();
    const { url } = await goTo('city');
    await browser.get(url);
    browser.cookies(PUBLIC_URL).delete('yihao_session');
    await expectRefusal(await browser.get(url), 422, 'was used before');
  });

  test('with an answer that another browser asked for', async () => {
    const { url } = await goTo('city');
    const first = browser;
    browser = createBrowser((one) => one.replace(PUBLIC_URL, house.baseUrl));
    lang();
    await expectRefusal(await browser.get(url), 422, 'began in another browser');
    await goTo('city');
    await expectRefusal(await browser.get(url), 422, 'began in another browser');
    // Which doesn't spoil it for the browser that began.
    expect((await first.get(url)).headers.get('location')).toBe('/me');
  });

  test('with an answer of ten minutes ago, at another provider, or without state', async () => {
    lang();
    const { url } = await goTo('city');
    await expectRefusal(await browser.get(url.replace('/city?', '/staff?')), 422, 'too old');
    await expectRefusal(await browser.get(url.replace(/state=[^&]*/, '')), 422, 'too old');
    await house.ownerSql`update identity.provider_flows set expires_at = now()`;
    await expectRefusal(await browser.get(url), 422, 'too old');
  });

  const broken: [string, (url: string) => string][] = [
    ['another code', (url) => url.replace(/code=[^&]*/, 'code=invented')],
    ['no code', (url) => url.replace(/code=[^&]*&/, '')],
    ['another issuer', (url) => url.replace(/iss=[^&]*/, 'iss=https%3A%2F%2Fevil.example')],
  ];
  test.each(broken)('with %s', async (_, change) => {
    lang();
    const { url } = await goTo('city');
    await expectRefusal(await browser.get(change(url)), 503, 'can’t be used at the moment');
  });

  test('while the provider is down, and somebody is again afterwards', async () => {
    lang();
    const { url } = await goTo('city');
    city.isDown = true;
    await expectRefusal(await browser.get(url), 503, 'can’t be used at the moment');
    city.isDown = false;
    expect((await signIn('city')).headers.get('location')).toBe('/me');
  });

  test('by a provider this house doesn’t have', async () => {
    for (const path of ['/sign-in/with/other', '/sign-in/from/other?code=x&state=y']) {
      expect((await browser.get(`${PUBLIC_URL}${path}`)).status).toBe(404);
    }
  });
});

test('nothing of who signed in stands in the log or in the database', async () => {
  const { url } = await goTo('city');
  const state = new URL(url).searchParams.get('state') ?? '';
  const rows = JSON.stringify(await house.ownerSql`select * from identity.provider_flows`);
  expect(rows).not.toContain(state);
  await browser.get(url);
  city.answer = { claims: {}, error: 'access_denied' };
  await signIn('city');
  const log = house.logLines.join('');
  expect(log).toContain('A sign-in elsewhere failed');
  for (const secret of [LI.value, 'said no', state, new URL(url).searchParams.get('code') ?? '']) {
    expect(log).not.toContain(secret);
  }
});
