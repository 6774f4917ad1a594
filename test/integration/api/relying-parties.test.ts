// Relying parties in a running house: two operators register one by API or pages, an openid-client signs
// people in there over a socket, and what operators change or suspend holds at once.
import { sql } from 'drizzle-orm';
import { beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { databaseFault } from '../../../platform/index.ts';
import { createBrowser } from '../../support/cookie-browser.ts';
import { eventually } from '../../support/eventually.ts';
import { createRelyingParty, makePartyKey } from '../../support/relying-party.ts';
import { LI, PIN, PUBLIC_URL, refusal, send, sessionOf, withHouse } from './house.ts';

const house = withHouse();
const resolve = (url: string) => url.replace(PUBLIC_URL, house.baseUrl);
const [wang, li] = ['govsvc-operator-1', 'govsvc-operator-2'];
const cookies: Record<string, string> = {};
const Made = z.looseObject({ id: z.string(), state: z.string() });
const CHANGES = '/v1/clients/changes';

beforeAll(async () => {
  for (const who of [wang, li, 'housing-desk-1', 'li']) cookies[who] = await sessionOf(house, who);
});

const call = (who: string, method: string, path: string, body?: object) =>
  send(house, method, path, {
    headers: {
      Cookie: cookies[who] ?? '',
      Origin: PUBLIC_URL,
      ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });

const hostOf = (client: string) => `https://${client}.example`;

function registration(client: string, key: object) {
  return {
    kind: 'register_party',
    client,
    organisation: 'housing',
    nameZh: '住建门户',
    nameEn: 'Housing portal',
    keys: [key],
    redirectUris: [`${hostOf(client)}/back`],
    postLogoutRedirectUris: [`${hostOf(client)}/out`],
    backchannelLogoutUri: null,
    reason: 'the portal goes live',
  };
}

/** Proposed by one operator and approved by the other. */
async function agreed(proposal: object): Promise<void> {
  const proposed = await call(wang, 'POST', CHANGES, proposal);
  expect([proposed.status, proposed.text]).toEqual([201, expect.any(String)]);
  const { id } = Made.parse(proposed.json);
  const decided = await call(li, 'POST', `${CHANGES}/${id}/approve`, { reason: 'checked' });
  expect(Made.parse(decided.json).state).toBe('applied');
}

type Key = Awaited<ReturnType<typeof makePartyKey>>;

const partyOf = (clientId: string, { privateKey }: Key, redirectUri = `${hostOf(clientId)}/back`) =>
  createRelyingParty({
    clientId,
    redirectUri,
    privateKey,
    issuer: `${PUBLIC_URL}/openid`,
    resolve,
  });

async function registered(client: string) {
  const key = await makePartyKey();
  await agreed(registration(client, key.jwk));
  return { key, party: partyOf(client, key) };
}

/** A browser of somebody signed in here, and where it ends up outside. */
async function signedIn() {
  const browser = createBrowser(resolve);
  const page = await browser.get(`${PUBLIC_URL}/sign-in`);
  const [, token = ''] = /name="form_token" value="([\w-]+)"/.exec(page.text) ?? [];
  await browser.post(`${PUBLIC_URL}/sign-in`, {
    scheme: LI.scheme,
    value: LI.value,
    pin: PIN,
    next: '/me',
    form_token: token,
  });
  const isOutside = (url: string) => !url.startsWith(PUBLIC_URL);
  const visit = async (url: string) => browser.follow(await browser.get(url), isOutside);
  return { browser, visit };
}

async function subjectAt(party: ReturnType<typeof partyOf>): Promise<string> {
  const { visit } = await signedIn();
  const started = await party.start();
  const { url } = await visit(started.url);
  return (await party.finish(url, started)).claims.sub;
}

describe('a relying party', () => {
  test('is registered by two operators, and people sign in there', async () => {
    const key = await makePartyKey();
    const party = partyOf('portal', key);
    const { browser, visit } = await signedIn();
    const proposed = await call(wang, 'POST', CHANGES, registration('portal', key.jwk));
    const { id } = Made.parse(proposed.json);
    const started = await party.start();
    expect((await browser.get(started.url)).status).toBe(400);
    const decide = `${CHANGES}/${id}/approve`;
    const own = await call(wang, 'POST', decide, { reason: 'fine' });
    expect(refusal(own)).toBe('403 identity.own_client_change');
    expect((await call(li, 'POST', decide, { reason: 'fine' })).status).toBe(200);
    const again = await call(li, 'POST', decide, { reason: 'fine' });
    expect(refusal(again)).toBe('409 identity.client_change_decided');
    const { url } = await visit(started.url);
    const { claims } = await party.finish(url, started);
    expect(claims).toMatchObject({ aud: 'portal', kind: 'citizen' });
    const shown = await call(wang, 'GET', '/v1/relying-parties/portal');
    expect(shown.json).toEqual({
      id: 'portal',
      organisation: 'housing',
      nameZh: '住建门户',
      nameEn: 'Housing portal',
      redirectUris: ['https://portal.example/back'],
      postLogoutRedirectUris: ['https://portal.example/out'],
      backchannelLogoutUri: null,
      state: 'active',
      heldUntil: null,
      createdAt: expect.any(String),
      changedAt: expect.any(String),
      keys: [expect.objectContaining({ kid: 'party-1', serves: true })],
    });
    const list = await call(li, 'GET', '/v1/relying-parties');
    expect(list.json).toEqual({ items: [shown.json], nextCursor: null });
  });

  test('is held apart from one operator alone by the database itself', async () => {
    const { jwk } = await makePartyKey();
    const { json } = await call(wang, 'POST', CHANGES, registration('four-eyes', jwk));
    const { database } = house.services;
    const { id } = Made.parse(json);
    const fault = await database.db
      .execute(
        sql`update identity.client_changes set state = 'applied', decided_by = proposed_by,
          decided_at = now(), decision_reason = 'alone' where id = ${id}`,
      )
      .catch(databaseFault);
    expect(fault).toMatchObject({ constraint: 'client_changes_four_eyes' });
  });

  test('that is suspended signs nobody in, a code it holds is worth nothing, and all it had ends', async () => {
    const { party } = await registered('kiosk');
    const { browser, visit } = await signedIn();
    const before = await subjectAt(party);
    const started = await party.start();
    const { url } = await visit(started.url);
    const records = () =>
      house.ownerSql`select model from identity.openid_records where client_id = 'kiosk'`;
    expect((await records()).length).toBeGreaterThan(0);
    await agreed({ kind: 'suspend_party', client: 'kiosk', reason: 'stolen from the hall' });
    expect(await records()).toEqual([]);
    expect((await browser.get(started.url)).status).toBe(400);
    await expect(party.finish(url, started)).rejects.toMatchObject({ error: 'invalid_client' });
    const twice = await call(wang, 'POST', CHANGES, {
      kind: 'suspend_party',
      client: 'kiosk',
      reason: 'again',
    });
    expect(refusal(twice)).toBe('409 identity.client_change_not_allowed');
    await agreed({ kind: 'resume_party', client: 'kiosk', reason: 'found' });
    await expect(party.finish(url, started)).rejects.toMatchObject({ error: 'invalid_grant' });
    expect(await subjectAt(party)).toBe(before);
  });

  test('is held by one operator at once; another ends it either way, or it lifts itself', async () => {
    const { party } = await registered('held');
    const { browser, visit } = await signedIn();
    const started = await party.start();
    const { url } = await visit(started.url);
    const hold = () =>
      call(wang, 'POST', '/v1/relying-parties/held/hold', { reason: 'looks broken into' });
    const held = await hold();
    expect([held.status, held.json]).toEqual([
      201,
      expect.objectContaining({ kind: 'hold_party', state: 'proposed' }),
    ]);
    const { id } = Made.parse(held.json);
    const shown = async () => (await call(li, 'GET', '/v1/relying-parties/held')).json;
    expect(await shown()).toMatchObject({ state: 'held', heldUntil: expect.any(String) });
    expect((await browser.get((await party.start()).url)).status).toBe(400);
    await expect(party.finish(url, started)).rejects.toMatchObject({ error: 'invalid_client' });
    const alone = await call(wang, 'POST', `${CHANGES}/${id}/refuse`, { reason: 'a mistake' });
    expect(refusal(alone)).toBe('403 identity.own_client_change');
    expect(
      (await call(li, 'POST', `${CHANGES}/${id}/refuse`, { reason: 'a mistake' })).status,
    ).toBe(200);
    await expect(party.finish(url, started)).rejects.toMatchObject({ error: 'invalid_grant' });
    expect(await shown()).toMatchObject({ state: 'active', heldUntil: null });
    expect(await subjectAt(party)).toEqual(expect.any(String));
    // Held again by who was refused: not for a week. By the other, and confirmed: suspended.
    expect(refusal(await hold())).toBe('409 identity.client_hold_repeated');
    const again = await call(li, 'POST', '/v1/relying-parties/held/hold', { reason: 'it is' });
    const confirm = `${CHANGES}/${Made.parse(again.json).id}/approve`;
    expect((await call(wang, 'POST', confirm, { reason: 'seen' })).status).toBe(200);
    expect(await shown()).toMatchObject({ state: 'suspended', heldUntil: null });
    await agreed({ kind: 'resume_party', client: 'held', reason: 'mended' });
    expect((await call(wang, 'GET', CHANGES)).text).toContain('hold_party');
    const nobody = await call(li, 'POST', '/v1/relying-parties/nobody/hold', { reason: 'x' });
    expect(refusal(nobody)).toBe('404 identity.relying_party_not_found');
    const refused = await call('housing-desk-1', 'POST', '/v1/relying-parties/held/hold', {
      reason: 'x',
    });
    expect(refusal(refused)).toBe('403 identity.role_missing');
  });

  test('that is stopped at the moment a code is made for it keeps no code', async () => {
    const { party } = await registered('raced');
    const { browser, visit } = await signedIn();
    await visit((await party.start()).url);
    const started = await party.start();
    let pending: Promise<{ url: string; status: number }> | undefined;
    await house.ownerSql.begin(async (tx) => {
      // As a decision holds it: whoever makes a code now waits.
      await tx`select from identity.relying_parties where id = 'raced' for no key update`;
      pending = visit(started.url);
      await eventually(async () => {
        const waiting =
          await house.ownerSql`select from pg_locks l join pg_stat_activity a using (pid)
          where not l.granted and a.datname = current_database()`;
        return waiting.length > 0;
      });
      await tx`update identity.relying_parties set state = 'suspended' where id = 'raced'`;
      await tx`delete from identity.openid_records where client_id = 'raced'`;
    });
    const { url } = (await pending) ?? { url: '' };
    expect(url).not.toContain('code=');
    const left = await house.ownerSql`select model from identity.openid_records
      where client_id = 'raced'`;
    expect(left).toEqual([]);
    expect((await browser.get(started.url)).status).toBe(400);
  });

  test('and of many codes at once not one outlives a hold, however they fall', async () => {
    const { party } = await registered('stormy');
    const browsers = await Promise.all(Array.from({ length: 6 }, signedIn));
    const started = await Promise.all(browsers.map(() => party.start()));
    const [held, ...answers] = await Promise.all([
      call(wang, 'POST', '/v1/relying-parties/stormy/hold', { reason: 'now' }),
      ...browsers.map(({ visit }, at) => visit(started[at]?.url ?? '')),
    ]);
    const { id } = Made.parse(held.json);
    expect((await call(li, 'POST', `${CHANGES}/${id}/refuse`, { reason: 'no' })).status).toBe(200);
    for (const [at, answer] of answers.entries()) {
      const begun = started[at];
      if (!begun || !answer.url.includes('code=')) continue;
      await expect(party.finish(answer.url, begun)).rejects.toMatchObject({
        error: 'invalid_grant',
      });
    }
  });

  test('changes keys: old and new serve side by side, or the old ones end at once', async () => {
    const { party } = await registered('keyed');
    const second = await makePartyKey();
    const rotation = (kid: string, key: Key, oldKeysUntil: string) => ({
      kind: 'change_party_keys',
      client: 'keyed',
      keys: [{ ...key.jwk, kid }],
      oldKeysUntil,
      reason: 'yearly',
    });
    const inADay = new Date(Date.now() + 86_400_000).toISOString();
    await agreed(rotation('party-2', second, inADay));
    const subject = await subjectAt(party);
    const newer = createRelyingParty({
      clientId: 'keyed',
      redirectUri: 'https://keyed.example/back',
      privateKey: second.privateKey,
      kid: 'party-2',
      issuer: `${PUBLIC_URL}/openid`,
      resolve,
    });
    expect(await subjectAt(newer)).toBe(subject);
    const known = await call(wang, 'POST', CHANGES, rotation('party-1', second, inADay));
    expect(refusal(known)).toBe('422 identity.client_invalid /keys/0/kid');
    await agreed(rotation('party-3', await makePartyKey(), '1970-01-01T00:00:00Z'));
    for (const old of [party, newer]) {
      await expect(subjectAt(old)).rejects.toMatchObject({ error: 'invalid_client' });
    }
  });

  test('changes addresses, and a code on its way to the old one is worth nothing', async () => {
    const { key, party } = await registered('moving');
    const { browser, visit } = await signedIn();
    const subject = await subjectAt(party);
    const started = await party.start();
    const { url } = await visit(started.url);
    const addresses = {
      kind: 'change_party_addresses',
      client: 'moving',
      redirectUris: ['https://moving.example/new'],
      postLogoutRedirectUris: [],
      backchannelLogoutUri: null,
      reason: 'new paths',
    };
    await agreed(addresses);
    await expect(party.finish(url, started)).rejects.toMatchObject({ error: 'invalid_grant' });
    expect((await browser.get((await party.start()).url)).status).toBe(400);
    expect(await subjectAt(partyOf('moving', key, 'https://moving.example/new'))).toBe(subject);
    const elsewhere = { ...addresses, redirectUris: ['https://elsewhere.example/back'] };
    expect(refusal(await call(wang, 'POST', CHANGES, elsewhere))).toBe(
      '422 identity.client_invalid /redirectUris',
    );
  });
});

describe('a proposal is refused', () => {
  const wrong: [string, (key: object) => object, pointer: string][] = [
    ['with plain http', () => ({ redirectUris: ['http://p.example/'] }), '/redirectUris/0'],
    ['with a fragment', () => ({ redirectUris: ['https://p.example/#a'] }), '/redirectUris/0'],
    ['with a wildcard', () => ({ redirectUris: ['https://p.example/*'] }), '/redirectUris/0'],
    ['with a name in it', () => ({ redirectUris: ['https://a@p.example/'] }), '/redirectUris/0'],
    [
      'of two hosts',
      () => ({ redirectUris: ['https://p.example/', 'https://q.example/'] }),
      '/redirectUris',
    ],
    ['without an address', () => ({ redirectUris: [] }), '/redirectUris'],
    [
      'with a way out in plain http',
      () => ({ postLogoutRedirectUris: ['http://p.example/'] }),
      '/postLogoutRedirectUris/0',
    ],
    [
      'with notices to plain http',
      () => ({ backchannelLogoutUri: 'http://p.example/' }),
      '/backchannelLogoutUri',
    ],
    ['with a private key', (key) => ({ keys: [{ ...key, d: 'x'.repeat(43) }] }), '/keys/0'],
    [
      'with a key to fetch',
      (key) => ({ keys: [{ ...key, jku: 'https://p.example/' }] }),
      '/keys/0',
    ],
    ['with one kid twice', (key) => ({ keys: [key, key] }), '/keys/1'],
    ['of no department', () => ({ organisation: 'nobody' }), '/organisation'],
    ['under a client’s id', () => ({ client: 'housing' }), '/client'],
    ['under an id that is a place', () => ({ client: 'new' }), '/client'],
    ['that sets its state', () => ({ state: 'active' }), ''],
  ];
  test.each(wrong)('%s', async (_, change, pointer) => {
    const { jwk } = await makePartyKey();
    const body = { ...registration('refused', jwk), ...change(jwk) };
    const reply = await call(wang, 'POST', CHANGES, body);
    expect(refusal(reply)).toMatch(new RegExp(`^422 (api|identity)\\.\\w+ ${pointer}$`));
  });

  test('while another waits, and under the id of a relying party for a client', async () => {
    const { key } = await registered('busy');
    const suspend = { kind: 'suspend_party', client: 'busy', reason: 'x' };
    expect((await call(wang, 'POST', CHANGES, suspend)).status).toBe(201);
    const second = await call(li, 'POST', CHANGES, suspend);
    expect(refusal(second)).toBe('409 identity.client_change_open');
    const client = {
      kind: 'create',
      client: 'busy',
      organisation: 'housing',
      name: 'a system',
      keys: [key.jwk],
      scopes: [],
      reason: 'x',
    };
    expect(refusal(await call(li, 'POST', CHANGES, client))).toBe(
      '422 identity.client_invalid /client',
    );
    const asClient = { kind: 'suspend', client: 'busy', reason: 'x' };
    expect(refusal(await call(li, 'POST', CHANGES, asClient))).toBe(
      '404 identity.client_not_found',
    );
    const nobody = { ...suspend, client: 'nobody' };
    expect(refusal(await call(li, 'POST', CHANGES, nobody))).toBe(
      '404 identity.relying_party_not_found',
    );
  });

  test('to whoever is no operator, who finds nothing either', async () => {
    const { jwk } = await makePartyKey();
    for (const who of ['housing-desk-1', 'li']) {
      const proposed = await call(who, 'POST', CHANGES, registration('theirs', jwk));
      expect(refusal(proposed)).toBe('403 identity.role_missing');
      for (const path of ['/v1/relying-parties', '/v1/relying-parties/portal']) {
        expect(refusal(await call(who, 'GET', path))).toBe('403 identity.role_missing');
      }
      expect((await call(who, 'GET', '/ops/parties')).status).toBe(403);
    }
    expect((await send(house, 'GET', '/ops/parties')).headers.get('location')).toContain(
      '/sign-in',
    );
  });
});

describe('on the pages', () => {
  async function page(who: string, path: string, lang = 'en') {
    const cookie = `${cookies[who]}; yihao_lang=${lang}`;
    const reply = await send(house, 'GET', path, { headers: { Cookie: cookie } });
    const [, token = ''] = /name="form_token" value="([^"]+)"/.exec(reply.text) ?? [];
    const post = (fields: Record<string, string>) =>
      send(house, 'POST', path, {
        headers: { Cookie: cookie },
        body: new URLSearchParams({ form_token: token, ...fields }),
      });
    return { ...reply, post };
  }

  async function form(client: string) {
    const { jwk } = await makePartyKey();
    const { keys, organisation, nameZh, nameEn, reason } = registration(client, jwk);
    return {
      client,
      organisation,
      nameZh,
      nameEn,
      reason,
      keys: JSON.stringify({ keys }),
      redirectUris: `${hostOf(client)}/back\r\n${hostOf(client)}/again\r\n`,
      postLogoutRedirectUris: '',
      backchannelLogoutUri: '',
    };
  }

  test('one operator proposes by a form, another approves, and both see it in their language', async () => {
    const sent = await (await page(wang, '/ops/parties/new')).post(await form('by-form'));
    expect(sent.status).toBe(303);
    const place = sent.headers.get('location') ?? '';
    expect((await page(wang, place)).text).toContain('Another operator must decide');
    const waiting = (await page(li, '/ops/parties', 'zh')).text;
    for (const words of ['登记接入应用', 'by-form']) expect(waiting).toContain(words);
    expect((await page(li, '/ops/clients')).text).not.toContain('by-form');
    const other = await page(li, place);
    expect(other.text).toContain('https://by-form.example/again');
    expect((await other.post({ decision: 'approve', reason: 'checked' })).status).toBe(303);
    const shown = await page(wang, '/ops/parties/by-form', 'zh');
    for (const words of ['住建门户', 'https://by-form.example/back', '紧急停用接入应用']) {
      expect(shown.text).toContain(words);
    }
    const addresses = await page(wang, '/ops/parties/by-form/change_party_addresses');
    expect(addresses.text).toContain('https://by-form.example/again');
    expect((await page(wang, '/ops')).text).toContain('href="/ops/parties"');
  });

  test('one operator holds by a form, and the other lifts it', async () => {
    await registered('paged');
    const at = await page(wang, '/ops/parties/paged/hold_party');
    expect(at.text).toContain('nobody signs in there from this moment');
    const sent = await at.post({ reason: 'in the news' });
    expect(sent.status).toBe(303);
    expect((await page(wang, '/ops/parties/paged')).text).toContain('the hold lifts itself at');
    const other = await page(li, sent.headers.get('location') ?? '', 'zh');
    expect(other.text).toContain('不予批准即解除停用');
    expect((await other.post({ decision: 'refuse', reason: 'not ours' })).status).toBe(303);
    expect((await page(wang, '/ops/parties/paged')).text).not.toContain('the hold lifts itself at');
  });

  test('a refused form comes back with what was typed and links to the wrong fields', async () => {
    const typed = await form('typed');
    const at = await page(wang, '/ops/parties/new', 'zh');
    const wrong = await at.post({ ...typed, redirectUris: 'http://x.example/', nameZh: '' });
    expect(wrong.status).toBe(422);
    expect(wrong.text).toContain('http://x.example/');
    for (const field of ['redirectUris', 'nameZh']) {
      expect(wrong.text).toContain(`href="#${field}"`);
    }
    const unreadable = await at.post({ ...typed, keys: 'not JSON' });
    expect([unreadable.status, unreadable.text.includes('这不是 JSON 格式的公钥')]).toEqual([
      422,
      true,
    ]);
    const taken = await at.post({ ...typed, client: 'housing' });
    expect([taken.status, taken.text.includes('这个标识已被使用')]).toEqual([422, true]);
    expect((await at.post({ ...typed, form_token: 'forged' })).status).toBe(403);
    expect((await page(wang, '/ops/parties/nobody')).status).toBe(404);
  });
});
