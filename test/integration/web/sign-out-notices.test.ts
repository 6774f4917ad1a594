// What relying parties hear when a session of the house ends, however it ends: a server of foreign make
// that checks every notice, and isn't there at first.
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { freePort } from '../../../platform/free-port.ts';
import { type CookieBrowser, createBrowser } from '../../support/cookie-browser.ts';
import { eventually } from '../../support/eventually.ts';
import {
  createNoticeServer,
  createRelyingParty,
  makePartyKey,
} from '../../support/relying-party.ts';
import { LI, PASSWORD, PIN, PUBLIC_URL, send, sessionOf, withHouse } from '../api/house.ts';

const house = withHouse();
const ISSUER = `${PUBLIC_URL}/openid`;
const resolve = (url: string) => url.replace(PUBLIC_URL, house.baseUrl);

/** A registered relying party with a server for notices, which is closed. */
async function registered(clientId: string) {
  const { privateKey, jwk } = await makePartyKey();
  const redirectUri = `https://${clientId}.example/back`;
  const server = createNoticeServer({ clientId, port: await freePort(), issuer: ISSUER, resolve });
  const { identity, database } = house.services;
  await identity.createRelyingParty(database.db, {
    id: clientId,
    organisationId: 'govsvc',
    nameZh: '门户',
    nameEn: 'Portal',
    keys: [jwk],
    redirectUris: [redirectUri],
    postLogoutRedirectUris: [],
    backchannelLogoutUri: server.url,
  });
  const party = createRelyingParty({ clientId, redirectUri, privateKey, issuer: ISSUER, resolve });
  return { party, server, clientId };
}
type Registered = Awaited<ReturnType<typeof registered>>;

let terminal: Registered;
let portal: Registered;
let browser: CookieBrowser;

beforeAll(async () => {
  terminal = await registered('terminal');
  portal = await registered('portal');
  await portal.server.open();
});
afterAll(async () => {
  await terminal.server.close();
  await portal.server.close();
});
beforeEach(() => {
  browser = createBrowser(resolve);
});
afterEach(() => {
  for (const { server } of [terminal, portal]) expect(server.refused).toEqual([]);
});

const isOutside = (url: string) => !url.startsWith(PUBLIC_URL);

async function signIn(who: 'li' | 'housing-desk-1'): Promise<void> {
  const page = await browser.get(`${PUBLIC_URL}/sign-in`);
  const [, token = ''] = /name="form_token" value="([\w-]+)"/.exec(page.text) ?? [];
  const fields: Record<string, string> =
    who === 'li'
      ? { scheme: LI.scheme, value: LI.value, pin: PIN }
      : { username: who, password: PASSWORD };
  await browser.post(`${PUBLIC_URL}/sign-in`, { ...fields, next: '/', form_token: token });
}

/** Signs in at a relying party; by what name this is known there. */
async function enter({ party }: Registered) {
  const started = await party.start();
  const { url } = await browser.follow(await browser.get(started.url), isOutside);
  const { claims } = await party.finish(url, started);
  return { sid: String(claims.sid), sub: claims.sub };
}

const cookie = () => ({
  Cookie: `yihao_session=${browser.cookies(PUBLIC_URL).get('yihao_session')}`,
  Origin: PUBLIC_URL,
});

const told = ({ server }: Registered, sid: string) =>
  server.notices.filter((notice) => notice.sid === sid);

const hears = (at: Registered, sid: string) =>
  eventually(async () => told(at, sid).length > 0, { timeoutMs: 20_000 });

const undelivered = () =>
  house.ownerSql<{ key: string; attempts: number; state: string }[]>`
    select key, attempts, state from platform.outbox_deliveries where state <> 'delivered'`;

test('a party that is down hears of it when it is back, and the other doesn’t wait', async () => {
  await signIn('li');
  const [there, here] = [await enter(terminal), await enter(portal)];
  await send(house, 'DELETE', '/v1/session', { headers: cookie() });
  await hears(portal, here.sid);
  await eventually(async () => ((await undelivered())[0]?.attempts ?? 0) > 0);
  expect(terminal.server.notices).toEqual([]);
  await terminal.server.open();
  await hears(terminal, there.sid);
  expect(told(terminal, there.sid)).toMatchObject([{ sub: there.sub, aud: 'terminal' }]);
  expect(told(portal, here.sid)).toMatchObject([{ sub: here.sub, aud: 'portal' }]);
  expect(here.sub).not.toBe(there.sub);
  await eventually(async () => (await undelivered()).length === 0);
});

describe('a session is told of when it ends', () => {
  const Sessions = z.object({
    items: z.array(z.object({ id: z.string(), isCurrent: z.boolean() })),
  });
  const ends: [string, () => Promise<unknown>][] = [
    [
      'by signing out everywhere',
      () => send(house, 'DELETE', '/v1/me/sessions', { headers: cookie() }),
    ],
    [
      'from the list of another browser',
      async () => {
        const { json } = await send(house, 'GET', '/v1/me/sessions', { headers: cookie() });
        const mine = Sessions.parse(json).items.find(({ isCurrent }) => isCurrent);
        const headers = { Cookie: await sessionOf(house, 'li'), Origin: PUBLIC_URL };
        return send(house, 'DELETE', `/v1/me/sessions/${mine?.id}`, { headers });
      },
    ],
    ['because somebody else signs in on this browser', () => signIn('housing-desk-1')],
    [
      'because it ran out',
      async () => {
        await house.ownerSql`update identity.sessions set idle_expires_at = platform.now() - interval '1 s'`;
        await house.services.identity.purgeExpired();
      },
    ],
    [
      'at a relying party',
      async () => {
        const { party } = portal;
        const started = await party.start();
        const { url } = await browser.follow(await browser.get(started.url), isOutside);
        const { idToken } = await party.finish(url, started);
        const page = await browser.get(`${ISSUER}/end-session?id_token_hint=${idToken}`);
        const [, xsrf = ''] = /name="xsrf" value="([\w-]+)"/.exec(page.text) ?? [];
        await browser.post(`${ISSUER}/end-session/confirm`, { xsrf, logout: 'yes' });
      },
    ],
  ];
  test.each(ends)('%s', async (_, end) => {
    await signIn('li');
    const { sid } = await enter(portal);
    await end();
    await hears(portal, sid);
    expect(told(portal, sid)).toHaveLength(1);
  });

  test('because its officer has left', async () => {
    await signIn('housing-desk-1');
    const { sid, sub } = await enter(portal);
    const headers = {
      Cookie: await sessionOf(house, 'govsvc-operator-1'),
      Origin: PUBLIC_URL,
      'Content-Type': 'application/json',
    };
    const body = JSON.stringify({ reason: 'moved away' });
    const left = await send(house, 'POST', '/v1/officers/housing-desk-1/leave', { headers, body });
    expect(left.status).toBe(200);
    await hears(portal, sid);
    expect(told(portal, sid)).toMatchObject([{ sub }]);
  });

  test('because its person is erased', async () => {
    await signIn('li');
    const { sid, sub } = await enter(portal);
    const { database, identity } = house.services;
    const [session] = await house.ownerSql<{ person_id: string }[]>`select person_id
      from identity.sessions where person_id is not null`;
    await database.transaction((tx) => identity.erasePerson(tx, session?.person_id ?? ''));
    await hears(portal, sid);
    expect(told(portal, sid)).toMatchObject([{ sub }]);
  });
});

test('no session ends when what is to be told can not be written', async () => {
  const who = await sessionOf(house, 'govsvc-operator-2');
  browser.cookies(PUBLIC_URL).set('yihao_session', who.split('=')[1] ?? '');
  await enter(portal);
  await house.ownerSql`alter table platform.outbox add constraint planted check (topic <> 'identity.session_ended') not valid`;
  const failed = await send(house, 'DELETE', '/v1/session', { headers: cookie() });
  expect(failed.status).toBe(500);
  expect((await send(house, 'GET', '/v1/me', { headers: cookie() })).status).not.toBe(401);
  await house.ownerSql`alter table platform.outbox drop constraint planted`;
});

test('what was given up is seen by operators, and sent again by one of them', async () => {
  const operator = await sessionOf(house, 'govsvc-operator-1');
  browser.cookies(PUBLIC_URL).set('yihao_session', operator.split('=')[1] ?? '');
  portal.server.answerWith(503);
  const { sid } = await enter(portal);
  const looks = portal.server.looks;
  await send(house, 'DELETE', '/v1/session', { headers: cookie() });
  await eventually(async () => portal.server.looks > looks, { timeoutMs: 20_000 });
  // The last of its attempts, without the hour and a half before it.
  await eventually(
    async () => {
      await house.ownerSql`update platform.outbox_deliveries set attempts = 14,
      next_attempt_at = platform.now() where state = 'pending' and next_attempt_at > platform.now()`;
      return (await undelivered()).some(({ state }) => state === 'dead');
    },
    { timeoutMs: 20_000 },
  );
  const Cookie = await sessionOf(house, 'govsvc-operator-1');
  const seen = await send(house, 'GET', '/v1/relying-parties/portal/notices', {
    headers: { Cookie },
  });
  expect(seen.json).toEqual({
    waiting: 0,
    dead: 1,
    oldestDeadAt: expect.any(String),
    lastError: 'NoticeRefused 503',
  });
  const page = await send(house, 'GET', '/ops/parties/portal', {
    headers: { Cookie: `${Cookie}; yihao_lang=en` },
  });
  for (const words of ['Sign-out notices', 'NoticeRefused 503', 'Send them again']) {
    expect(page.text).toContain(words);
  }
  portal.server.answerWith(undefined);
  const [, token = ''] = /name="form_token" value="([^"]+)"/.exec(page.text) ?? [];
  const sent = await send(house, 'POST', '/ops/parties/portal/notices', {
    headers: { Cookie },
    body: new URLSearchParams({ form_token: token }),
  });
  expect(sent.status).toBe(303);
  await hears(portal, sid);
  const after = await send(house, 'GET', '/ops/parties/portal', { headers: { Cookie } });
  expect(after.text).not.toContain('重新发送');
  const who = await sessionOf(house, 'health-issuer-1');
  for (const [method, path] of [
    ['GET', 'notices'],
    ['POST', 'notices/resend'],
  ] as const) {
    const refused = await send(house, method, `/v1/relying-parties/portal/${path}`, {
      headers: { Cookie: who, Origin: PUBLIC_URL },
    });
    expect(refused.status).toBe(403);
  }
});
