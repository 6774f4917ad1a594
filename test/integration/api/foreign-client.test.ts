// A foreign client gets a token and uses it, on two processes of one house; and whatever is wrong with
// what it sends is refused with the standard's error (RFC 6749, 6750, 7523, 9449; FAPI 2.0).
import * as jose from 'jose';
import * as oauth from 'oauth4webapi';
import { beforeAll, describe, expect, test } from 'vitest';
import type { Scope } from '../../../identity/index.ts';
import {
  type Fetch,
  type ForeignClient,
  foreignClient,
  refused,
  toHouse,
} from './foreign-client.ts';
import { LI, maritalQuestion, PUBLIC_URL, withHouse } from './house.ts';

const house = withHouse();
const now = () => Math.floor(Date.now() / 1000);
const TOKEN_URL = `${PUBLIC_URL}/oauth/token`;
let secondDoor: string;
let housing: ForeignClient;
let signing: { key: CryptoKey; kid: string };
let token: string;

/** A system of housing's with a key of its own. */
async function register(clientId: string, scopes: Scope[]) {
  const { publicKey, privateKey } = await oauth.generateKeyPair('ES256', { extractable: true });
  const jwk = { ...(await jose.exportJWK(publicKey)), kid: `${clientId}-1` };
  const { identity, database } = house.services;
  await database.transaction((tx) =>
    identity.createClient(tx, {
      clientId,
      organisationId: 'housing',
      name: clientId,
      jwks: { keys: [jwk] },
      scopes,
    }),
  );
  return { key: privateKey, kid: jwk.kid };
}

beforeAll(async () => {
  secondDoor = await house.openSecondDoor();
  signing = await register('foreign', ['licences:read', 'verifications:ask']);
  housing = await foreignClient('foreign', signing, house.baseUrl);
  token = (await housing.token()).access_token;
});

describe('a foreign client', () => {
  test('finds the house, gets a token for a scope, and asks with it', async () => {
    expect(housing.as).toMatchObject({ issuer: PUBLIC_URL, token_endpoint: TOKEN_URL });
    const granted = await housing.token({ form: { scope: 'verifications:ask' } });
    expect(granted).toEqual({
      access_token: expect.any(String),
      token_type: 'dpop',
      expires_in: 300,
      scope: 'verifications:ask',
    });
    const asked = await housing.call(granted.access_token, {
      method: 'POST',
      path: '/v1/verifications',
      body: maritalQuestion({ subject: { scheme: LI.scheme, value: LI.value } }),
    });
    expect([200, 202]).toContain(asked.status);
  });

  test('is served by another process of the house with the same token and key', async () => {
    expect((await housing.call(token, { at: secondDoor })).status).toBe(200);
    expect((await housing.token({ at: secondDoor })).token_type).toBe('dpop');
  });

  test('gets a token again and again', async () => {
    for (let time = 0; time < 3; time += 1) {
      expect((await housing.call((await housing.token()).access_token)).status).toBe(200);
    }
  });
});

describe('a token is refused', () => {
  const invalidClient: Record<string, Parameters<ForeignClient['token']>[0]> = {
    'when aud is a list, even of the issuer alone': {
      assertion: { claims: { aud: [PUBLIC_URL] } },
    },
    'when aud is the token endpoint': { assertion: { claims: { aud: TOKEN_URL } } },
    'when aud is the issuer with a slash': { assertion: { claims: { aud: `${PUBLIC_URL}/` } } },
    'when aud is another house': { assertion: { claims: { aud: 'https://other.example' } } },
    'when aud is missing': { assertion: { claims: { aud: undefined } } },
    'for an assertion that has expired': {
      assertion: { claims: { iat: now() - 90, nbf: undefined, exp: now() - 40 } },
    },
    'for an assertion that lives 61 seconds': { assertion: { claims: { exp: now() + 300 } } },
    'for an assertion without an end': { assertion: { claims: { exp: undefined } } },
    'for an assertion without a jti': { assertion: { claims: { jti: undefined } } },
    'for an assertion of the future': {
      assertion: { claims: { iat: now() + 3600, nbf: now() + 3600, exp: now() + 3640 } },
    },
    'for an assertion without a kid': { assertion: { header: { kid: undefined } } },
    'for an assertion with an unknown kid': { assertion: { header: { kid: 'nobody-1' } } },
    'for a key in the assertion’s own header': {
      assertion: { header: { jwk: { kty: 'EC', crv: 'P-256', x: 'x', y: 'y' } } },
    },
    'for an address of keys in the assertion’s header': {
      assertion: { header: { jku: 'https://other.example/jwks' } },
    },
    'for an address of a certificate in its header': {
      assertion: { header: { x5u: 'https://other.example/crt' } },
    },
    'when sub and iss name different clients': { assertion: { claims: { iss: 'housing' } } },
    'when the client is unknown': { clientId: 'nobody' },
    'when the client is another than the key’s': { clientId: 'housing' },
  };
  test.each(Object.entries(invalidClient))('%s', async (_, bend) => {
    expect(await refused(housing.token(bend))).toBe('401 invalid_client');
  });

  test('for an assertion signed by nobody, by a shared secret, or by another key', async () => {
    const claims = {
      iss: 'foreign',
      sub: 'foreign',
      aud: PUBLIC_URL,
      iat: now(),
      exp: now() + 30,
    };
    const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const unsigned = `${part({ alg: 'none', kid: signing.kid })}.${part({ ...claims, jti: 'n' })}.`;
    const shared = await new jose.SignJWT({ ...claims, jti: 'h' })
      .setProtectedHeader({ alg: 'HS256', kid: signing.kid })
      .sign(Buffer.from(JSON.stringify(await jose.exportJWK(housing.proving.publicKey))));
    for (const assertion of [unsigned, shared]) {
      const forged = toHouse(house.baseUrl, (init) => {
        const body = new URLSearchParams(String(init.body));
        body.set('client_assertion', assertion);
        return { ...init, body };
      });
      expect(await refused(housing.token({ fetch: forged }))).toBe('401 invalid_client');
    }
    const other = await oauth.generateKeyPair('ES256');
    const key = { key: other.privateKey, kid: signing.kid };
    expect(await refused(housing.token({ key }))).toBe('401 invalid_client');
  });

  test('for an assertion used before, here or on another process', async () => {
    const claims = { jti: 'once-and-no-more' };
    await housing.token({ assertion: { claims } });
    for (const at of [house.baseUrl, secondDoor]) {
      expect(await refused(housing.token({ assertion: { claims }, at }))).toBe(
        '401 invalid_client',
      );
    }
  });

  const invalidProof: Record<string, Parameters<ForeignClient['token']>[0]> = {
    'without a proof': { proof: null },
    'for a proof of another method': { proof: { claims: { htm: 'GET' } } },
    'for a proof of another address': { proof: { claims: { htu: `${PUBLIC_URL}/v1/me` } } },
    'for a proof that is too old': { proof: { claims: { iat: now() - 120 } } },
    'for a proof of the future': { proof: { claims: { iat: now() + 3600 } } },
    'for a proof of another type': { proof: { header: { typ: 'jwt' } } },
    'for a proof without a key': { proof: { header: { jwk: undefined } } },
  };
  test.each(Object.entries(invalidProof))('%s', async (_, bend) => {
    expect(await refused(housing.token(bend))).toBe('400 invalid_dpop_proof');
  });

  test('for a proof that shows its private key', async () => {
    const jwk = await jose.exportJWK(housing.proving.privateKey);
    expect(await refused(housing.token({ proof: { header: { jwk } } }))).toBe(
      '400 invalid_dpop_proof',
    );
  });

  test('for a proof used before, here or on another process', async () => {
    const proof = { claims: { jti: 'this-proof-once' } };
    await housing.token({ proof });
    for (const at of [secondDoor, house.baseUrl]) {
      expect(await refused(housing.token({ proof, at }))).toBe('400 invalid_dpop_proof');
    }
  });

  test.each([
    [{ scope: 'audit:read' }, '400 invalid_scope'],
    [{ scope: 'licences:read everything' }, '400 invalid_scope'],
    [{ resource: 'https://other.example' }, '400 invalid_target'],
  ])('for what was not granted: %j', async (form, error) => {
    expect(await refused(housing.token({ form }))).toBe(error);
  });

  test('when what authenticates the client stands in the address', async () => {
    const inUrl: Fetch = (url, init = {}) =>
      fetch(`${url.replace(PUBLIC_URL, house.baseUrl)}?${init.body}`, {
        ...init,
        body: 'grant_type=client_credentials',
      });
    expect(await refused(housing.token({ fetch: inUrl }))).toBe('400 invalid_request');
  });

  test('to a client that is suspended, and its token stops at once', async () => {
    const key = await register('to-be-suspended', ['licences:read']);
    const client = await foreignClient('to-be-suspended', key, house.baseUrl);
    const { access_token } = await client.token();
    expect((await client.call(access_token)).status).toBe(200);
    await house.ownerSql`update identity.clients set state = 'suspended' where id = 'to-be-suspended'`;
    expect(await refused(client.token())).toBe('401 invalid_client');
    for (const at of [house.baseUrl, secondDoor]) {
      expect(await refused(client.call(access_token, { at }))).toBe('401 dpop invalid_token');
    }
  });

  test('to a key that has been rotated out', async () => {
    const key = await register('rotated', ['licences:read']);
    const client = await foreignClient('rotated', key, house.baseUrl);
    await client.token();
    await house.ownerSql`update identity.client_keys set ends_at = now() where client_id = 'rotated'`;
    expect(await refused(client.token())).toBe('401 invalid_client');
  });
});

describe('a call is refused', () => {
  const invalidProof: Record<string, Parameters<ForeignClient['call']>[1]> = {
    'for a proof of another method': { proof: { claims: { htm: 'POST' } } },
    'for a proof of another path': { proof: { claims: { htu: `${PUBLIC_URL}/v1/licences` } } },
    'for a proof of another house': { proof: { claims: { htu: 'https://other.example/v1/me' } } },
    'for a proof of another token': { proof: { claims: { ath: 'x'.repeat(43) } } },
    'for a proof of no token': { proof: { claims: { ath: undefined } } },
    'for a proof older than a minute': { proof: { claims: { iat: now() - 120 } } },
    'for a proof of the future': { proof: { claims: { iat: now() + 3600 } } },
    'for a proof without a jti': { proof: { claims: { jti: undefined } } },
  };
  test.each(Object.entries(invalidProof))('%s', async (_, bend) => {
    expect(await refused(housing.call(token, bend))).toBe('401 dpop invalid_dpop_proof');
  });

  test('for a proof at the edges of the clock’s tolerance, and not within', async () => {
    const at = (seconds: number) =>
      housing.call(token, { proof: { claims: { iat: now() + seconds } } });
    for (const seconds of [-57, -30, 5, 9]) expect((await at(seconds)).status).toBe(200);
    for (const seconds of [-62, 13]) {
      expect(await refused(at(seconds))).toBe('401 dpop invalid_dpop_proof');
    }
  });

  test('for a proof used before, on this process and on another', async () => {
    const proof = { claims: { jti: 'this-call-once' } };
    expect((await housing.call(token, { proof })).status).toBe(200);
    for (const at of [secondDoor, house.baseUrl]) {
      expect(await refused(housing.call(token, { proof, at }))).toBe('401 dpop invalid_dpop_proof');
    }
  });

  test('for a proof sent to both processes at the same moment, but once', async () => {
    const proof = { claims: { jti: 'both-at-once' } };
    const doors = [house.baseUrl, secondDoor, house.baseUrl, secondDoor];
    const answers = await Promise.allSettled(doors.map((at) => housing.call(token, { proof, at })));
    expect(answers.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  });

  test('for a proof with a private key, with a key of the token’s thief, or none at all', async () => {
    const jwk = await jose.exportJWK(housing.proving.privateKey);
    const open = housing.call(token, { proof: { header: { jwk } } });
    expect(await refused(open)).toBe('401 dpop invalid_dpop_proof');
    const thief = await oauth.generateKeyPair('ES256');
    expect(await refused(housing.call(token, { keys: thief }))).toBe('401 dpop invalid_token');
    const without = toHouse(house.baseUrl, (init) => {
      const headers = new Headers(init.headers);
      headers.delete('dpop');
      return { ...init, headers };
    });
    expect(await refused(housing.call(token, { fetch: without }))).toBe(
      '401 dpop invalid_dpop_proof',
    );
  });

  /** A call without the library, for what it would never send. */
  async function raw(path: string, headers: Record<string, string>, init: RequestInit = {}) {
    const reply = await fetch(`${house.baseUrl}${path}`, { ...init, headers });
    return `${reply.status} ${reply.headers.get('www-authenticate')?.replace(/error_description="[^"]*", /, '')}`;
  }

  test('for a bound token without its binding: as a bearer, in the address, in the body', async () => {
    expect(await raw('/v1/me', { Authorization: `Bearer ${token}` })).toBe(
      '401 DPoP error="invalid_token", algs="ES256"',
    );
    expect(await raw(`/v1/me?access_token=${token}`, {})).toBe(
      '400 DPoP error="invalid_request", algs="ES256"',
    );
    const form = { method: 'POST', body: new URLSearchParams({ access_token: token }) };
    const type = { 'Content-Type': 'application/x-www-form-urlencoded' };
    expect(await raw('/v1/licences/search', type, form)).toBe('401 DPoP algs="ES256"');
    expect(house.logLines.filter((line) => line.includes(token))).toEqual([]);
  });

  test('for a token in the address beside a right one in its header', async () => {
    const both = housing.call(token, { path: `/v1/me?access_token=${token}` });
    expect(await refused(both)).toBe('400 dpop invalid_request');
  });

  test('for a token that is not ours, or changed', async () => {
    const [header = '', payload = '', signature = ''] = token.split('.');
    const bytes = Buffer.from(payload, 'base64url')
      .toString()
      .replace('licences:read', 'audit:read');
    const changed = `${header}.${Buffer.from(bytes).toString('base64url')}.${signature}`;
    const unsigned = `${Buffer.from('{"alg":"none","typ":"at+jwt"}').toString('base64url')}.${payload}.`;
    for (const wrong of [changed, unsigned, 'abc']) {
      expect(await refused(housing.call(wrong))).toBe('401 dpop invalid_token');
    }
  });

  test('for a scope the token lacks', async () => {
    const { access_token } = await housing.token({ form: { scope: 'licences:read' } });
    const asked = housing.call(access_token, {
      method: 'POST',
      path: '/v1/licence-types',
      body: { id: 'LT-NEW' },
    });
    expect(await refused(asked)).toBe('403 dpop insufficient_scope');
  });

  test('for a token that another house signed for the same client', async () => {
    const stranger = await oauth.generateKeyPair('ES256');
    const forged = await new jose.SignJWT(jose.decodeJwt(token))
      .setProtectedHeader({ alg: 'ES256', typ: 'at+jwt', kid: 'k' })
      .sign(stranger.privateKey);
    expect(await refused(housing.call(forged))).toBe('401 dpop invalid_token');
  });
});
