// Operators at /v1/clients and /ops/clients, over a real port: two accounts for each change.
import { exportJWK, generateKeyPair } from 'jose';
import { beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { PUBLIC_URL, refusal, send, sessionOf, withHouse } from './house.ts';

const house = withHouse();
const cookies: Record<string, string> = {};

beforeAll(async () => {
  for (const who of ['govsvc-operator-1', 'govsvc-operator-2', 'housing-desk-1', 'li']) {
    cookies[who] = await sessionOf(house, who);
  }
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

const Made = z.looseObject({ id: z.string(), state: z.string() });
const [wang, li] = ['govsvc-operator-1', 'govsvc-operator-2'];

async function registration(client: string) {
  const { publicKey } = await generateKeyPair('ES256');
  return {
    kind: 'create',
    client,
    organisation: 'housing',
    name: 'A second system',
    keys: [{ ...(await exportJWK(publicKey)), kid: 'k1' }],
    scopes: ['licences:read'],
    reason: 'a second system',
  };
}

describe('over the API', () => {
  test('one operator registers a system, another approves, and both see it', async () => {
    const proposed = await call(
      wang,
      'POST',
      '/v1/clients/changes',
      await registration('housing-2'),
    );
    expect(proposed.status).toBe(201);
    const { id } = Made.parse(proposed.json);
    expect(proposed.headers.get('location')).toBe(`/v1/clients/changes/${id}`);
    const waiting = await call(li, 'GET', '/v1/clients/changes?open=true');
    expect(waiting.json).toEqual({ items: [proposed.json], nextCursor: null });
    const decide = `/v1/clients/changes/${id}/approve`;
    const own = await call(wang, 'POST', decide, { reason: 'fine' });
    expect(refusal(own)).toBe('403 identity.own_client_change');
    const applied = await call(li, 'POST', decide, { reason: 'fine' });
    expect([applied.status, Made.parse(applied.json).state]).toEqual([200, 'applied']);
    const again = await call(li, 'POST', decide, { reason: 'fine' });
    expect(refusal(again)).toBe('409 identity.client_change_decided');
    const shown = await call(wang, 'GET', '/v1/clients/housing-2');
    expect(shown.json).toMatchObject({ id: 'housing-2', state: 'active', organisation: 'housing' });
    const list = z
      .object({ items: z.array(z.looseObject({ id: z.string() })) })
      .parse((await call(li, 'GET', '/v1/clients')).json);
    expect(list.items.map(({ id: each }) => each)).toContain('housing-2');
  });

  test('one operator holds a system at once', async () => {
    const path = '/v1/clients/health/hold';
    const held = await call(wang, 'POST', path, { reason: 'key stolen' });
    expect([held.status, Made.parse(held.json).state]).toEqual([201, 'proposed']);
    expect((await call(li, 'GET', '/v1/clients/health')).json).toMatchObject({ state: 'held' });
    const { id } = Made.parse(held.json);
    await call(li, 'POST', `/v1/clients/changes/${id}/refuse`, { reason: 'false alarm' });
    expect((await call(li, 'GET', '/v1/clients/health')).json).toMatchObject({ state: 'active' });
  });

  test('a repeated proposal with an Idempotency-Key is the first one', async () => {
    const body = JSON.stringify(await registration('housing-3'));
    const headers = {
      Cookie: cookies[wang] ?? '',
      Origin: PUBLIC_URL,
      'Content-Type': 'application/json',
      'Idempotency-Key': 'k-1',
    };
    const replies = [
      await send(house, 'POST', '/v1/clients/changes', { headers, body }),
      await send(house, 'POST', '/v1/clients/changes', { headers, body }),
    ];
    expect(replies.map(({ status }) => status)).toEqual([201, 201]);
    expect(replies[1]?.json).toEqual(replies[0]?.json);
    expect(replies[1]?.headers.get('idempotent-replayed')).toBe('true');
  });

  test('nobody but an operator finds anything there', async () => {
    const places: [string, string, object?][] = [
      ['GET', '/v1/clients'],
      ['GET', '/v1/clients/housing'],
      ['GET', '/v1/clients/changes'],
      ['GET', '/v1/clients/changes/00000000-0000-7000-8000-000000000000'],
      ['POST', '/v1/clients/changes', { kind: 'suspend', client: 'housing', reason: 'x' }],
      ['POST', '/v1/clients/housing/hold', { reason: 'x' }],
      ['POST', '/v1/clients/changes/00000000-0000-7000-8000-000000000000/approve', { reason: 'x' }],
    ];
    for (const [method, path, body] of places) {
      for (const who of ['housing-desk-1', 'li']) {
        const reply = await call(who, method, path, body);
        expect([path, refusal(reply)]).toEqual([path, '403 identity.role_missing']);
      }
      const machine = await house
        .client('govsvc')
        .call(method, path, body ? { ...body } : undefined);
      expect([path, refusal(machine)]).toEqual([path, '403 identity.role_missing']);
      const stranger = await send(house, method, path);
      expect([path, refusal(stranger)]).toEqual([path, '401 identity.unauthenticated']);
    }
  });

  test.each([
    [{ d: 'x'.repeat(43) }, '/keys/0'],
    [{ kid: undefined }, '/keys/0/kid'],
    [{ jku: 'https://elsewhere.example' }, '/keys/0'],
    [{ crv: 'P-384' }, '/keys/0/crv'],
    [{ x: 'A'.repeat(43) }, '/keys/0'],
  ])('a key with %j is refused where it is wrong', async (changes, pointer) => {
    const body = await registration('housing-9');
    const keys = [{ ...body.keys[0], ...changes }];
    const reply = await call(wang, 'POST', '/v1/clients/changes', { ...body, keys });
    expect(refusal(reply)).toMatch(new RegExp(`^422 (api|identity)\\.\\w+ ${pointer}$`));
  });
});

describe('on the pages', () => {
  async function page(who: string, path: string, lang = 'en') {
    const cookie = `${cookies[who]}; yihao_lang=${lang}`;
    const reply = await send(house, 'GET', path, { headers: { Cookie: cookie } });
    const [, token = ''] = /name="form_token" value="([^"]+)"/.exec(reply.text) ?? [];
    const post = (fields: Record<string, string>, to = path) =>
      send(house, 'POST', to, {
        headers: { Cookie: cookie },
        body: new URLSearchParams({ form_token: token, ...fields }),
      });
    return { ...reply, post };
  }

  test('an operator proposes by a form, and another approves by one', async () => {
    const form = await page(wang, '/ops/clients/new');
    expect(form.status).toBe(200);
    const { keys, organisation, name, reason } = await registration('housing-4');
    const sent = await form.post({
      client: 'housing-4',
      organisation,
      name,
      method: 'private_key_jwt',
      keys: JSON.stringify({ keys }),
      'scope-licences-read': 'on',
      reason,
    });
    expect(sent.status).toBe(303);
    const place = sent.headers.get('location') ?? '';
    expect((await page(wang, place)).text).toContain('Another operator must decide');
    const other = await page(li, place);
    expect(other.text).toContain('a second system');
    expect((await other.post({ decision: 'approve', reason: 'checked' })).status).toBe(303);
    expect((await page(li, place)).text).toContain('govsvc-operator-2');
    const shown = await page(wang, '/ops/clients/housing-4');
    expect(shown.text).toContain('read licences');
    expect((await page(wang, '/ops/clients', 'zh')).text).toContain('housing-4');
  });

  test('keys change and scopes change by forms, with what stands there already ticked', async () => {
    const scopes = await page(wang, '/ops/clients/civil/change_scopes');
    expect(scopes.text).toMatch(/name="scope-verifications-answer" checked/);
    expect((await scopes.post({ reason: 'less', 'scope-licences-read': 'on' })).status).toBe(303);
    const { keys } = await registration('x');
    const rotation = await page(wang, '/ops/clients/housing/rotate_keys');
    const key = JSON.stringify({ ...keys[0], kid: 'k2' });
    const sent = await rotation.post({ keys: key, oldKeysUntil: '2026-12-01', reason: 'yearly' });
    expect([sent.status, sent.headers.get('location')]).toEqual([
      303,
      expect.stringMatching(/^\/ops\/clients\/changes\//),
    ]);
  });

  test('a refused form comes back with what was typed and links to the wrong fields', async () => {
    const form = await page(wang, '/ops/clients/new');
    const typed = { client: 'Housing 5', organisation: 'housing', name: 'kept', reason: '' };
    const broken = await form.post({ ...typed, keys: 'not JSON' });
    expect(broken.status).toBe(422);
    expect(broken.text).toContain('href="#keys"');
    expect(broken.text).toContain('value="kept"');
    const wrong = await form.post({ ...typed, keys: '[{"kty":"EC","d":"secret"}]' });
    expect(wrong.status).toBe(422);
    for (const field of ['client', 'keys', 'reason']) {
      expect(wrong.text).toContain(`href="#${field}"`);
    }
    const empty = await page(wang, '/ops/clients/civil/hold');
    expect((await empty.post({ reason: '' })).status).toBe(422);
  });

  test('a form without our token, or of somebody else, does nothing', async () => {
    const form = await page(wang, '/ops/clients/housing/suspend');
    const forged = await form.post({ form_token: 'x', reason: 'x' });
    expect(forged.status).toBe(403);
    for (const path of ['/ops', '/ops/clients', '/ops/clients/new', '/ops/clients/housing']) {
      expect((await page('housing-desk-1', path)).status).toBe(403);
      expect((await send(house, 'GET', path)).headers.get('location')).toContain('/sign-in');
    }
    expect((await page(wang, '/ops/clients/nobody')).status).toBe(404);
    expect((await page(wang, '/ops/clients/housing/delete')).status).toBe(404);
    expect((await page(wang, '/ops')).text).toContain('href="/ops/clients"');
  });
});
