// Acting for another over the whole house: what each item opens, and what stands in the principal's log.
import { beforeAll, describe, expect, test } from 'vitest';
import { DELEGABLE_ITEMS, type DelegableItem } from '../../../identity/index.ts';
import { addDays, cityDay, type JsonObject } from '../../../platform/index.ts';
import { eventually } from '../../support/eventually.ts';
import { citizenId } from '../identity/house.ts';
import {
  healthCertificate,
  LI,
  PIN,
  PUBLIC_URL,
  refusal,
  send,
  sessionOf,
  withHouse,
} from './house.ts';

const house = withHouse();
const today = cityDay(new Date(), 'Asia/Shanghai');
const DAUGHTER = { scheme: 'cn-id', value: citizenId('20000101', 7) } as const;
let li: string;
let number: string;

beforeAll(async () => {
  const { identity, database } = house.services;
  const id = await identity.ensurePerson(database.db, DAUGHTER, '李小明之女');
  await database.transaction((tx) => identity.putPersonSecret(tx, id, PIN, 'first-use'));
  const issued = await house.client('health').call('POST', '/v1/licences', healthCertificate());
  number = String((issued.json as JsonObject).number);
  li = await sessionOf(house, 'li');
});

async function call(cookie: string, method: string, path: string, body?: JsonObject) {
  return send(house, method, path, {
    headers: {
      Cookie: cookie,
      Origin: PUBLIC_URL,
      ...(body && { 'Content-Type': 'application/json' }),
    },
    ...(body && { body: JSON.stringify(body) }),
  });
}

async function daughter(): Promise<string> {
  const reply = await send(house, 'POST', '/sign-in', {
    headers: { 'Content-Type': 'application/json', Origin: PUBLIC_URL },
    body: JSON.stringify({ ...DAUGHTER, pin: PIN }),
  });
  return (reply.headers.get('set-cookie') ?? '').split(';')[0] ?? '';
}

/** A session of the daughter's that acts for Li in these items. */
async function actingIn(items: readonly DelegableItem[]) {
  const given = await call(li, 'POST', '/v1/me/delegations', {
    agent: { ...DAUGHTER },
    items: [...items],
    validTo: addDays(today, 10),
  });
  expect(given.status, given.text).toBe(201);
  const { id } = given.json as { id: string };
  const cookie = await daughter();
  expect((await call(cookie, 'POST', `/v1/me/delegations/${id}/accept`)).status).toBe(200);
  expect((await call(cookie, 'POST', '/v1/me/act-for', { delegation: id })).status).toBe(204);
  await eventually(async () => (await tracesOf(id)).length === 2);
  return {
    id,
    cookie,
    revoke: async () => {
      const reply = await call(li, 'POST', `/v1/me/delegations/${id}/revoke`);
      expect(reply.json).toMatchObject({ state: 'revoked' });
    },
  };
}

/** Types and outcomes in Li's access log that her agent left by this delegation, newest first. */
async function tracesOf(delegation: string): Promise<string[]> {
  const { json } = await call(li, 'GET', '/v1/me/access-log?limit=200');
  const { items } = json as { items: JsonObject[] };
  return items
    .filter((item) => item.delegation === delegation && item.role === 'agent')
    .map(({ type, outcome, department }) => {
      expect(department).toEqual({ id: null, name: '代理人' });
      return `${type} ${outcome}`;
    });
}

const reads: { path: string; item: DelegableItem; type: string; refused: string }[] = [
  { path: '/v1/me/licences', item: 'licences.view', type: 'licence.read', refused: 'licence.list' },
  { path: '/v1/licences/$', item: 'licences.view', type: 'licence.read', refused: 'licence.read' },
  {
    path: '/v1/licences/$/history',
    item: 'licences.view',
    type: 'licence.read',
    refused: 'licence.history',
  },
  {
    path: '/v1/licences/$/credential',
    item: 'licences.copy',
    type: 'licence.read',
    refused: 'licence.credential',
  },
  {
    path: '/v1/me/access-log',
    item: 'access_log.view',
    type: 'access_log.read',
    refused: 'access_log.read',
  },
  {
    path: '/v1/me/consents',
    item: 'consents.answer',
    type: 'consent.listed',
    refused: 'consent.list',
  },
];

describe('an agent reads her principal’s data by each item, one entry a look, and nothing by others', () => {
  for (const item of DELEGABLE_ITEMS) {
    test(item, async () => {
      const { id, cookie, revoke } = await actingIn([item]);
      for (const read of reads) {
        const path = read.path.replace('$', number);
        const isAllowed = read.item === item;
        for (const _ of isAllowed ? [1, 2] : [1]) {
          const before = await tracesOf(id);
          const reply = await call(cookie, 'GET', path);
          if (isAllowed) expect(reply.status, reply.text).toBe(200);
          else {
            expect(refusal(reply), path).toBe('403 identity.not_delegated');
            await eventually(async () => (await tracesOf(id)).length > before.length);
          }
          // What was read left no sooner than its entry had its place in the log.
          const trace = isAllowed ? `${read.type} ok` : `${read.refused} refused`;
          expect(await tracesOf(id), path).toEqual([trace, ...before]);
        }
      }
      await revoke();
      for (const read of reads) {
        const reply = await call(cookie, 'GET', read.path.replace('$', number));
        expect(refusal(reply)).toBe('403 identity.delegation_ended');
      }
    });
  }
});

test('what an agent reads is her principal’s, and her own again after she has stopped', async () => {
  const { cookie, revoke } = await actingIn(['licences.view', 'access_log.view']);
  const numbers = async (session: string) => {
    const { json } = await call(session, 'GET', '/v1/me/licences');
    return (json as { items: { number: string }[] }).items.map((one) => one.number);
  };
  expect(await numbers(cookie)).toEqual([number]);
  expect((await call(cookie, 'GET', '/v1/me')).json).toMatchObject({
    name: '李小明之女',
    actingFor: { name: LI.name, items: ['licences.view', 'access_log.view'], hasEnded: false },
  });
  // The proof of a look at Li, for the agent as for herself.
  const { json } = await call(li, 'GET', '/v1/me/access-log?limit=1');
  const [{ index = -1 } = {}] = (json as { items: { index: number }[] }).items;
  const proof = await call(cookie, 'GET', `/v1/me/access-log/${index}/receipt`);
  expect([200, 409]).toContain(proof.status);
  expect((await call(cookie, 'DELETE', '/v1/me/act-for')).status).toBe(204);
  expect(await numbers(cookie)).toEqual([]);
  await revoke();
});

test('an agent answers a consent in the name of her principal', async () => {
  const { id, cookie, revoke } = await actingIn(['consents.answer']);
  const unknown = '019a0000-0000-7000-8000-000000000001';
  expect(refusal(await call(cookie, 'POST', `/v1/me/consents/${unknown}/grant`, {}))).toBe(
    '404 exchange.consent_not_found',
  );
  expect(await tracesOf(id)).toEqual(['delegation.used ok', 'delegation.accepted ok']);
  await revoke();
});

test('the same key gives the same delegation once; an agent’s key is not her own', async () => {
  const body = { agent: { ...DAUGHTER }, items: ['licences.view'], validTo: today };
  const keyed = (cookie: string) =>
    send(house, 'POST', '/v1/me/delegations', {
      headers: {
        Cookie: cookie,
        Origin: PUBLIC_URL,
        'Content-Type': 'application/json',
        'Idempotency-Key': 'delegation-1',
      },
      body: JSON.stringify(body),
    });
  const first = await keyed(li);
  const again = await keyed(li);
  expect(again.json).toEqual(first.json);
  expect(again.headers.get('idempotent-replayed')).toBe('true');
  const { id } = first.json as { id: string };
  await call(li, 'POST', `/v1/me/delegations/${id}/revoke`);
});

test('a body that is not one is refused before anything is done', async () => {
  const good = { agent: { ...DAUGHTER }, items: ['licences.view'], validTo: today };
  const cases: [JsonObject, string][] = [
    [{ ...good, items: [] }, '/items'],
    [{ ...good, items: ['sessions'] }, '/items/0'],
    [{ ...good, validTo: '2026-02-30' }, '/validTo'],
    [{ ...good, agent: { scheme: 'uscc', value: '91990101MA0000001X' } }, '/agent/scheme'],
    [{ ...good, agent: DAUGHTER.value }, '/agent'],
  ];
  for (const [body, pointer] of cases) {
    const reply = await call(li, 'POST', '/v1/me/delegations', body);
    expect(refusal(reply), JSON.stringify(body)).toBe(`422 api.input_invalid ${pointer}`);
  }
  expect(refusal(await send(house, 'GET', '/v1/me/delegations'))).toBe(
    '401 identity.unauthenticated',
  );
  const foreign = await send(house, 'POST', '/v1/me/act-for', {
    headers: { Cookie: li, Origin: 'https://elsewhere.test', 'Content-Type': 'application/json' },
    body: '{"delegation":"x"}',
  });
  expect(refusal(foreign)).toBe('403 api.foreign_origin');
});

describe('the pages', () => {
  const page = (cookie: string, path: string) =>
    send(house, 'GET', path, { headers: { Cookie: `${cookie}; yihao_lang=en` } });
  const post = (cookie: string, path: string, form: Record<string, string>) =>
    send(house, 'POST', path, {
      headers: {
        Cookie: `${cookie}; yihao_lang=en`,
        Origin: PUBLIC_URL,
        'Content-Type': 'application/x-www-form-urlencoded',
      },
      body: new URLSearchParams(form).toString(),
    });
  const tokenOf = (html: string) => /name="form_token" value="([^"]+)"/.exec(html)?.[1] ?? '';

  test('give, accept, act, say for whom on every page, stop and revoke, by forms alone', async () => {
    const agent = await daughter();
    const form_token = tokenOf((await page(li, '/me/delegations')).text);
    const form = {
      form_token,
      'agent-value': DAUGHTER.value,
      'item-licences.view': 'on',
      validTo: today,
    };
    const wrong = await post(li, '/me/delegations', { ...form, 'item-licences.view': '' });
    expect(wrong.status).toBe(422);
    expect(wrong.text).toContain('<a href="#items">Choose at least one.</a>');
    expect(wrong.text).toContain(`value="${DAUGHTER.value}"`);
    expect((await post(li, '/me/delegations', form)).status).toBe(303);
    const asked = (await page(agent, '/me/delegations')).text;
    const id = /\/me\/delegations\/([0-9a-f-]{36})/.exec(asked)?.[1] ?? '';
    const agentToken = { form_token: tokenOf(asked) };
    const decide = (decision: string) =>
      post(agent, `/me/delegations/${id}`, { ...agentToken, decision });
    expect((await decide('accept')).status).toBe(303);
    expect((await post(agent, '/me/act-for', { ...agentToken, delegation: id })).status).toBe(303);
    for (const path of ['/me', '/', '/me/delegations', '/verify']) {
      const { text } = await page(agent, path);
      expect(text, path).toContain('You are acting for another');
      expect(text, path).toContain(`<strong>${LI.name}</strong>`);
    }
    const me = (await page(agent, '/me')).text;
    expect(me).toContain(number);
    expect(me).toContain('This is not part of what was delegated to you.');
    // A form of the page before she acted is not taken for her principal.
    expect((await post(agent, '/me/act-for/stop', agentToken)).status).toBe(403);
    const acting = { form_token: tokenOf(me) };
    expect(
      (await post(li, `/me/delegations/${id}`, { form_token, decision: 'revoke' })).status,
    ).toBe(303);
    const ended = await page(agent, '/me');
    expect(ended.text).toContain('The delegation has ended');
    expect(ended.text).not.toContain(number);
    expect((await post(agent, '/me/act-for/stop', acting)).status).toBe(303);
    expect((await page(agent, '/me')).text).not.toContain('acting for');
  });
});
