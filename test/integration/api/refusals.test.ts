// What the edge refuses, in which order and in which form (contract section 3; RFC 9457).
import { describe, expect, test } from 'vitest';
import {
  healthCertificate,
  LI,
  maritalQuestion,
  Problem,
  PUBLIC_URL,
  refusal,
  send,
  sessionOf,
  withHouse,
} from './house.ts';

const house = withHouse();
const json = { 'Content-Type': 'application/json' };

describe('a stranger', () => {
  const closed: [method: string, path: string, body?: string][] = [
    ['POST', '/v1/licences', '{broken'],
    ['POST', '/v1/licences', 'x'.repeat(2_000_000)],
    ['POST', '/v1/licences/search', '{}'],
    ['GET', '/v1/licences/1.2.3'],
    ['POST', '/v1/licence-types', '{}'],
    ['POST', '/v1/verification-services', '{}'],
    ['POST', '/v1/verifications', '{}'],
    ['GET', '/v1/verifications'],
    ['GET', '/v1/questions'],
    ['GET', '/v1/agreements'],
    ['GET', '/v1/me'],
    ['GET', '/v1/me/licences'],
    ['POST', '/v1/audit/search', '{}'],
    ['DELETE', '/v1/session'],
    ['GET', '/v1/nothing-here'],
  ];
  for (const [method, path, body] of closed) {
    test(`is asked who it is at ${method} ${path} before anything is read`, async () => {
      const reply = await send(house, method, path, body === undefined ? {} : { body });
      expect(refusal(reply)).toBe('401 identity.unauthenticated');
      expect(reply.headers.get('www-authenticate')).toBe('DPoP algs="ES256"');
    });
  }

  test('reads licence types and verification services, and what calls they allow', async () => {
    const paths = [
      '/v1/licence-types',
      '/v1/licence-types/LT-HEALTHCERT',
      '/v1/licence-types/11990100009900048E003',
      '/v1/verification-services',
      '/v1/verification-services/VS-MARITAL',
    ];
    for (const path of paths)
      expect([path, (await send(house, 'GET', path)).status]).toEqual([path, 200]);
    const { json } = await send(house, 'GET', '/v1/verification-services/VS-MARITAL');
    expect(json).toMatchObject({ code: 'VS-MARITAL', callable: false });
  });
});

describe('a wrong token is refused with what was wrong', () => {
  const cases: [what: string, authorization: string, code: string, error: RegExp][] = [
    ['the Bearer scheme', 'Bearer abc', 'identity.token_invalid', /error="invalid_token"/],
    ['no JWT', 'DPoP abc', 'identity.proof_invalid', /error="invalid_dpop_proof"/],
    ['Basic credentials', 'Basic eA==', 'identity.token_invalid', /error="invalid_token"/],
  ];
  for (const [what, authorization, code, error] of cases) {
    test(`${what}, also where none is needed`, async () => {
      for (const path of ['/v1/licence-types', '/v1/me']) {
        const reply = await send(house, 'GET', path, { headers: { Authorization: authorization } });
        expect(refusal(reply)).toBe(`401 ${code}`);
        expect(reply.headers.get('www-authenticate')).toMatch(error);
      }
    });
  }

  test('a proof that was used before', async () => {
    const housing = house.client('housing');
    const { value } = await housing.fetchToken();
    const headers = {
      Authorization: `DPoP ${value}`,
      DPoP: housing.proof('GET', `${PUBLIC_URL}/v1/me`, value),
    };
    expect((await send(house, 'GET', '/v1/me', { headers })).status).toBe(200);
    const again = await send(house, 'GET', '/v1/me', { headers });
    expect(refusal(again)).toBe('401 identity.proof_invalid');
  });

  test('is ignored where nobody is asked: CKAN, OAuth, lists, pages', async () => {
    const headers = { Authorization: 'an-api-key-of-somewhere-else' };
    for (const path of [
      '/api/3/action/status_show',
      '/oauth/jwks',
      '/pki/root.crt',
      '/',
      '/log/vkey',
    ]) {
      expect([path, (await send(house, 'GET', path, { headers })).status]).toEqual([path, 200]);
    }
  });
});

test('another method is answered with those that the address takes, also to strangers', async () => {
  const cases: [method: string, path: string, allow: string][] = [
    ['DELETE', '/v1/licences', 'POST'],
    ['PUT', '/v1/licences/1.2.3', 'GET, HEAD'],
    ['GET', '/v1/licences/1.2.3/revoke', 'POST'],
    ['PATCH', '/v1/licence-types', 'GET, HEAD, POST'],
    ['GET', '/v1/session', 'DELETE'],
    ['POST', '/v1/me/licences', 'GET, HEAD'],
    ['PUT', '/v1/verifications', 'GET, HEAD, POST'],
    ['DELETE', '/status-lists/1', 'GET, HEAD'],
    ['POST', '/healthz', 'GET, HEAD'],
    ['GET', '/oauth/token', 'POST'],
    ['POST', '/oauth/jwks', 'GET, HEAD'],
  ];
  for (const [method, path, allow] of cases) {
    const reply = await send(house, method, path);
    expect([method, path, refusal(reply)]).toEqual([method, path, '405 api.method_not_allowed']);
    expect([path, reply.headers.get('allow')]).toEqual([path, allow]);
  }
});

test('a page says the same in HTML', async () => {
  const reply = await send(house, 'DELETE', '/verify');
  expect([reply.status, reply.headers.get('allow'), reply.headers.get('content-type')]).toEqual([
    405,
    'GET, HEAD, POST',
    'text/html; charset=UTF-8',
  ]);
  expect(reply.text).toContain('api.method_not_allowed');
});

test('an unknown address is not found, for those who may ask', async () => {
  const health = house.client('health');
  for (const path of ['/v1/nothing', '/v1/licences/1.2.3/devour', '/v1/me/nothing']) {
    expect([path, refusal(await health.call('POST', path, {}))]).toEqual([
      path,
      '404 api.not_found',
    ]);
  }
  for (const path of [
    '/nothing',
    '/oauth/nothing',
    '/.well-known/nothing',
    '/status-lists/unknown',
  ]) {
    expect([path, refusal(await send(house, 'GET', path))]).toEqual([path, '404 api.not_found']);
  }
});

describe('a body', () => {
  const at = '/v1/licences';
  const deep = `${'['.repeat(100_000)}${']'.repeat(100_000)}`;
  const unreadable: [what: string, body: BodyInit][] = [
    ['cut off', '{"type":'],
    ['with a comma too many', '{"type":"LT-HEALTHCERT",}'],
    ['of one word', 'hello'],
    ['that is not UTF-8', new Uint8Array([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d])],
    ['nested without end', deep],
    ['nested without end in a member', `{"type":"x","fields":${deep}}`],
    ['with a NUL in a text', JSON.stringify(healthCertificate({ type: 'LT-\0' }))],
    ['with a NUL in a key', '{"fields":{"\\u0000":1}}'],
    ['with half a surrogate pair', '{"type":"\\ud83d"}'],
  ];
  for (const [what, body] of unreadable) {
    test(`${what} is malformed`, async () => {
      const health = house.client('health');
      const { value } = await health.fetchToken();
      const reply = await send(house, 'POST', at, {
        headers: {
          ...json,
          Authorization: `DPoP ${value}`,
          DPoP: health.proof('POST', `${PUBLIC_URL}${at}`, value),
        },
        body,
      });
      expect(refusal(reply)).toBe('400 api.json_malformed');
    });
  }

  test('that says JSON and is empty is malformed, one that says nothing lacks its members', async () => {
    const health = house.client('health');
    expect(refusal(await health.call('POST', at, undefined, json))).toBe('400 api.json_malformed');
    expect(refusal(await health.call('POST', at))).toBe(
      '422 api.input_invalid /type /holder /fields',
    );
  });

  test('of another type is not supported', async () => {
    const health = house.client('health');
    for (const type of ['text/plain', 'application/xml', 'multipart/form-data; boundary=x', '']) {
      const reply = await health.call('POST', at, '{}', { 'Content-Type': type });
      expect([type, refusal(reply)]).toEqual([type, '415 api.content_type']);
    }
  });

  test('of JSON is taken however its type is spelt', async () => {
    const health = house.client('health');
    for (const type of [
      'application/json; charset=utf-8',
      'APPLICATION/JSON',
      'application/json ;x=y',
    ]) {
      const reply = await health.call('POST', at, '{"type":"LT-NONE"}', { 'Content-Type': type });
      expect([type, refusal(reply)]).toEqual([type, '422 api.input_invalid /holder /fields']);
    }
  });

  test('over 1 MiB is too large, with its length said or not', async () => {
    const health = house.client('health');
    const large = JSON.stringify({ ...healthCertificate(), more: 'x'.repeat(1024 * 1024) });
    expect(refusal(await health.call('POST', at, large))).toBe('413 api.body_too_large');
    const { value } = await health.fetchToken();
    // Node's fetch streams a body only when told that the answer waits for its end.
    const streamed: RequestInit & { duplex: 'half' } = {
      method: 'POST',
      headers: {
        ...json,
        Authorization: `DPoP ${value}`,
        DPoP: health.proof('POST', `${PUBLIC_URL}${at}`, value),
      },
      body: new Blob([large]).stream(),
      duplex: 'half',
    };
    const chunked = await fetch(`${house.baseUrl}${at}`, streamed);
    expect(Problem.parse(await chunked.json()).code).toBe('api.body_too_large');
  });

  test('with missing, unknown and wrong members names each by a pointer into it', async () => {
    const health = house.client('health');
    const cases: [body: object, pointers: string][] = [
      [{ type: 'LT-HEALTHCERT', fields: {} }, '/holder'],
      [
        healthCertificate({ holder: { scheme: 'passport', value: '1', name: '' } }),
        '/holder/scheme /holder/name',
      ],
      [healthCertificate({ validFrom: '2026-02-30' }), '/validFrom'],
      [healthCertificate({ surprise: true }), ''],
    ];
    for (const [body, pointers] of cases) {
      const reply = await health.call('POST', at, JSON.stringify(body));
      expect(refusal(reply)).toBe(`422 api.input_invalid ${pointers}`);
    }
    const wrongTrade = healthCertificate({
      fields: { certificate_no: 'JK-1', trade: 'piracy', examined_on: '2026-03-01' },
    });
    expect(refusal(await health.call('POST', at, wrongTrade))).toBe(
      '422 registry.fields_invalid /fields/trade',
    );
  });
});

test('an address with a NUL is malformed before any database sees it', async () => {
  for (const path of [
    '/v1/licence-types/%00',
    '/dataset/a%00b',
    '/v1/verification-services?x=%00',
  ]) {
    expect([path, refusal(await send(house, 'GET', path))]).toEqual([
      path,
      '400 api.url_malformed',
    ]);
  }
});

test('a problem document has a stable type and code, and the request id as its instance', async () => {
  const reply = await send(house, 'GET', '/v1/me', { headers: { 'X-Request-Id': 'test-of-form' } });
  expect(reply.headers.get('content-type')).toBe('application/problem+json');
  expect(reply.headers.get('cache-control')).toBe('no-store');
  expect(Problem.parse(reply.json)).toEqual({
    type: 'urn:yihao:problem:identity.unauthenticated',
    title: 'Sign-in or a token is needed',
    status: 401,
    detail: 'Send a DPoP-bound access token, or sign in.',
    instance: 'urn:yihao:request:test-of-form',
    code: 'identity.unauthenticated',
  });
});

test('what is out of scope is not found, and a missing right is forbidden', async () => {
  const housing = house.client('housing');
  const asked = await housing.call('POST', '/v1/verifications', maritalQuestion());
  const id = String(Object(asked.json).id);
  expect((await housing.call('GET', `/v1/verifications/${id}`)).status).toBe(200);
  const { call } = house.client('health');
  expect(refusal(await call('GET', `/v1/verifications/${id}`))).toBe(
    '404 exchange.verification_not_found',
  );
  const audit = house.client('audit');
  expect(refusal(await audit.call('GET', `/v1/verifications/${id}`))).toBe('403 exchange.scope');
  const narrow = house.client('health', 'licences:read');
  const issue = await narrow.call('POST', '/v1/licences', healthCertificate());
  expect(refusal(issue)).toBe('403 identity.scope_missing');
  expect(issue.headers.get('www-authenticate')).toMatch(/insufficient_scope/);
  expect(refusal(await housing.call('POST', '/v1/licences', healthCertificate()))).toMatch(/^403 /);
});

test('a call with a session needs an Origin of this site, when it changes something', async () => {
  const cookie = await sessionOf(house, 'li');
  for (const origin of [undefined, 'https://evil.example', `${PUBLIC_URL}.evil.example`, 'null']) {
    const headers = { Cookie: cookie, ...(origin === undefined ? {} : { Origin: origin }) };
    const reply = await send(house, 'DELETE', '/v1/session', { headers });
    expect([origin, refusal(reply)]).toEqual([origin, '403 api.foreign_origin']);
  }
  expect((await send(house, 'GET', '/v1/me', { headers: { Cookie: cookie } })).status).toBe(200);
  const headers = { Cookie: cookie, Origin: PUBLIC_URL };
  const out = await send(house, 'DELETE', '/v1/session', { headers });
  expect([out.status, out.headers.get('set-cookie')]).toEqual([
    204,
    'yihao_session=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0',
  ]);
  expect(refusal(await send(house, 'GET', '/v1/me', { headers: { Cookie: cookie } }))).toBe(
    '401 identity.unauthenticated',
  );
});

test('an officer key that names a citizen, or is none, is a malformed header', async () => {
  const audit = house.client('audit');
  for (const key of [`officer-${LI.value}`, 'a b', 'x'.repeat(65)]) {
    const reply = await audit.call('POST', '/v1/audit/search', {}, { 'X-On-Behalf-Of': key });
    expect([key, refusal(reply)]).toEqual([key, '400 api.header_malformed']);
  }
  const known = await audit.call(
    'POST',
    '/v1/audit/search',
    {},
    { 'X-On-Behalf-Of': 'audit-auditor-1' },
  );
  expect(known.status).toBe(200);
});
