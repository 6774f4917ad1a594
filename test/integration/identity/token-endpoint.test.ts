// The token endpoint, asked by a client of foreign make: FAPI 2.0 with private_key_jwt and DPoP.
import { decodeJwt, decodeProtectedHeader, generateKeyPair } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { withDatabase } from '../../support/database.ts';
import { makeIdentity, makeKeys, PUBLIC_URL } from './house.ts';
import {
  askForToken,
  type Changes,
  getToken,
  listen,
  type MachineClient,
  makeMachineClient,
  TOKEN_URL,
} from './machine-client.ts';

const { database, ownerSql } = withDatabase();
const keys = makeKeys();
const ALIAS = 'https://yihao.example.org';
const publicUrlAliases = [ALIAS];
const identity = makeIdentity(database, { keys, publicUrlAliases });
const otherProcess = makeIdentity(database, { keys, publicUrlAliases });
const now = () => Math.floor(Date.now() / 1000);

let client: MachineClient;
let url: string;
let otherUrl: string;
const closers: (() => void)[] = [];

beforeAll(async () => {
  client = await makeMachineClient(identity, database);
  for (const house of [identity, otherProcess]) {
    const { url: base, close } = await listen(house);
    closers.push(close);
    if (house === identity) url = base;
    else otherUrl = base;
  }
});
afterAll(() => {
  for (const close of closers) close();
});

describe('a token', () => {
  it('is bound to the proof key, signed, for this house and short', async () => {
    const { status, body } = await askForToken(
      url,
      { client_assertion: await client.assertion(), scope: 'licences:read' },
      { dpop: await client.proof() },
    );
    expect({ status, ...body, access_token: '' }).toEqual({
      status: 200,
      access_token: '',
      token_type: 'DPoP',
      expires_in: 300,
      scope: 'licences:read',
    });
    const token = String(body.access_token);
    expect(decodeProtectedHeader(token)).toMatchObject({ alg: 'ES256', typ: 'at+jwt' });
    expect(decodeJwt(token)).toMatchObject({
      iss: PUBLIC_URL,
      aud: PUBLIC_URL,
      client_id: client.clientId,
      sub: client.clientId,
      scope: 'licences:read',
      cnf: { jkt: expect.stringMatching(/^[\w-]{43}$/) },
    });
  });

  it('carries all of the client’s scopes when none is asked for', async () => {
    expect(decodeJwt(await getToken(url, client)).scope).toBe('verifications:ask licences:read');
  });

  it('may be asked for under an alias of the public URL', async () => {
    const { status } = await askForToken(
      url,
      { client_assertion: await client.assertion() },
      { dpop: await client.proof({}, { url: `${ALIAS}/oauth/token` }) },
    );
    expect(status).toBe(200);
  });

  it('may name the house as its resource', async () => {
    const { status } = await askForToken(
      url,
      { client_assertion: await client.assertion(), resource: PUBLIC_URL },
      { dpop: await client.proof() },
    );
    expect(status).toBe(200);
  });

  it('is given to a client whose clock is five seconds ahead', async () => {
    const ahead = { iat: now() + 5 };
    const { status } = await askForToken(
      url,
      { client_assertion: await client.assertion({ claims: { ...ahead, exp: now() + 65 } }) },
      { dpop: await client.proof({ claims: ahead }) },
    );
    expect(status).toBe(200);
  });
});

const assertionFaults: Record<string, () => Changes | Promise<Changes>> = {
  'aud is an array': () => ({ claims: { aud: [PUBLIC_URL] } }),
  'aud is the token endpoint': () => ({ claims: { aud: TOKEN_URL } }),
  'aud is another house': () => ({ claims: { aud: 'https://elsewhere.example' } }),
  'aud is an alias': () => ({ claims: { aud: ALIAS } }),
  'aud is missing': () => ({ claims: { aud: undefined } }),
  'it has expired': () => ({ claims: { iat: now() - 90, exp: now() - 40 } }),
  'it has just expired': () => ({ claims: { iat: now() - 30, exp: now() - 2 } }),
  'it lives too long': () => ({ claims: { exp: now() + 300 } }),
  'it lives too long from its iat': () => ({ claims: { iat: now() - 30, exp: now() + 50 } }),
  'it lives too long and hides its iat': () => ({ claims: { iat: undefined, exp: now() + 300 } }),
  'iat lies in the future': () => ({ claims: { iat: now() + 30, exp: now() + 60 } }),
  'nbf lies in the future': () => ({ claims: { nbf: now() + 30, exp: now() + 60 } }),
  'exp is missing': () => ({ claims: { exp: undefined } }),
  'jti is missing': () => ({ claims: { jti: undefined } }),
  'iss is someone else': () => ({ claims: { iss: 'someone' } }),
  'sub is an unknown client': () => ({ claims: { iss: 'nobody', sub: 'nobody' } }),
  'kid is unknown': () => ({ header: { kid: 'key-9' } }),
  'kid is missing': () => ({ header: { kid: undefined } }),
  'the header brings its own key': () => ({ header: { jwk: client.provingJwk } }),
  'the header points to a key': () => ({ header: { jku: 'https://elsewhere.example/jwks' } }),
  'it is signed by another key': async () => ({ key: (await generateKeyPair('ES256')).privateKey }),
  'it is signed by HS256': () => ({ header: { alg: 'HS256' }, key: new Uint8Array(32) }),
};

describe('a token is refused as invalid_client when', () => {
  it.each(Object.entries(assertionFaults))('%s', async (_, fault) => {
    const { status, body } = await askForToken(
      url,
      { client_assertion: await client.assertion(await fault()) },
      { dpop: await client.proof() },
    );
    expect({ status, error: body.error }).toEqual({ status: 401, error: 'invalid_client' });
    expect(body.access_token).toBeUndefined();
  });

  it('the assertion is not signed at all', async () => {
    const [, payload] = (await client.assertion()).split('.');
    const header = Buffer.from('{"alg":"none","kid":"key-1"}').toString('base64url');
    const { status, body } = await askForToken(
      url,
      { client_assertion: `${header}.${payload}.` },
      { dpop: await client.proof() },
    );
    expect({ status, error: body.error }).toEqual({ status: 401, error: 'invalid_client' });
  });

  it('the assertion was used before, in this process or another, at once or after', async () => {
    const once = await client.assertion();
    const answers = await Promise.all(
      [url, otherUrl, url, otherUrl].map(async (base) =>
        askForToken(base, { client_assertion: once }, { dpop: await client.proof() }),
      ),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 401, 401, 401]);
    const later = await askForToken(
      otherUrl,
      { client_assertion: once },
      { dpop: await client.proof() },
    );
    expect(later).toMatchObject({ status: 401, body: { error: 'invalid_client' } });
  });

  it('the client is suspended', async () => {
    const suspended = await makeMachineClient(identity, database);
    await getToken(url, suspended);
    await ownerSql`update identity.clients set state = 'suspended' where id = ${suspended.clientId}`;
    const { status, body } = await askForToken(
      url,
      { client_assertion: await suspended.assertion() },
      { dpop: await suspended.proof() },
    );
    expect({ status, error: body.error }).toEqual({ status: 401, error: 'invalid_client' });
  });
});

const proofFaults: Record<string, () => Changes | Promise<Changes>> = {
  'htm is another method': () => ({ claims: { htm: 'GET' } }),
  'htu is another URL': () => ({ claims: { htu: `${PUBLIC_URL}/v1/licences` } }),
  'htu is another house': () => ({ claims: { htu: 'https://elsewhere.example/oauth/token' } }),
  'iat is too long ago': () => ({ claims: { iat: now() - 120 } }),
  'iat lies in the future': () => ({ claims: { iat: now() + 60 } }),
  'iat is missing': () => ({ claims: { iat: undefined } }),
  'jti is missing': () => ({ claims: { jti: undefined } }),
  'typ is another': () => ({ header: { typ: 'JWT' } }),
  'it is signed by another key than it shows': async () => ({
    key: (await generateKeyPair('ES256')).privateKey,
  }),
  'it is signed by HS256': () => ({ header: { alg: 'HS256' }, key: new Uint8Array(32) }),
  'it shows a private key': async () => ({
    header: { jwk: { ...client.provingJwk, d: client.provingJwk.x } },
  }),
  'it shows no key': () => ({ header: { jwk: undefined } }),
};

describe('a token is refused as invalid_dpop_proof when', () => {
  it.each(Object.entries(proofFaults))('%s', async (_, fault) => {
    const { status, body } = await askForToken(
      url,
      { client_assertion: await client.assertion() },
      { dpop: await client.proof(await fault()) },
    );
    expect({ status, error: body.error }).toEqual({ status: 400, error: 'invalid_dpop_proof' });
  });

  it('there is no proof, two of them, or one used before', async () => {
    const once = await client.proof();
    const ask = async (headers: Record<string, string>, base = url) =>
      askForToken(base, { client_assertion: await client.assertion() }, headers);
    expect((await ask({ dpop: once })).status).toBe(200);
    for (const answer of [
      await ask({}),
      await ask({ dpop: `${await client.proof()}, ${await client.proof()}` }),
      await ask({ dpop: once }),
      await ask({ dpop: once }, otherUrl),
    ]) {
      expect(answer).toMatchObject({ status: 400, body: { error: 'invalid_dpop_proof' } });
    }
  });
});

const requestFaults: Record<string, [Record<string, string | undefined>, number, string]> = {
  'a scope the client does not have': [{ scope: 'licences:issue' }, 400, 'invalid_scope'],
  'a scope nobody has': [{ scope: 'licences:read everything' }, 400, 'invalid_scope'],
  'another resource': [{ resource: 'https://elsewhere.example' }, 400, 'invalid_target'],
  'another grant': [{ grant_type: 'authorization_code', code: 'x' }, 400, 'unsupported_grant_type'],
  'a refresh': [{ grant_type: 'refresh_token', refresh_token: 'x' }, 400, 'unsupported_grant_type'],
  'no grant': [{ grant_type: undefined }, 400, 'invalid_request'],
  'an unknown kind of assertion': [{ client_assertion_type: 'x' }, 400, 'invalid_request'],
};

describe('a token is refused for', () => {
  it.each(Object.entries(requestFaults))('%s', async (_, [form, status, error]) => {
    const answer = await askForToken(
      url,
      { client_assertion: await client.assertion(), ...form },
      { dpop: await client.proof() },
    );
    expect(answer).toMatchObject({ status, body: { error } });
  });

  it('a client that brings a secret or nothing', async () => {
    const basic = `Basic ${Buffer.from(`${client.clientId}:secret`).toString('base64')}`;
    const dpop = await client.proof();
    const none = { client_assertion_type: undefined };
    expect(
      await askForToken(url, none, { dpop: await client.proof(), authorization: basic }),
    ).toMatchObject({ status: 401, body: { error: 'invalid_client' } });
    expect(await askForToken(url, { ...none, client_id: client.clientId }, { dpop })).toMatchObject(
      {
        status: 401,
        body: { error: 'invalid_client' },
      },
    );
  });
});

describe('the endpoint', () => {
  it('describes itself, and exactly what there is', async () => {
    const response = await fetch(`${url}/.well-known/oauth-authorization-server`);
    expect(response.headers.get('content-type')).toBe('application/json');
    expect(await response.json()).toEqual({
      issuer: PUBLIC_URL,
      token_endpoint: TOKEN_URL,
      jwks_uri: `${PUBLIC_URL}/oauth/jwks`,
      scopes_supported: expect.arrayContaining(['licences:issue', 'audit:read']),
      response_types_supported: [],
      grant_types_supported: ['client_credentials'],
      token_endpoint_auth_methods_supported: ['private_key_jwt'],
      token_endpoint_auth_signing_alg_values_supported: ['ES256'],
      dpop_signing_alg_values_supported: ['ES256'],
    });
  });

  it('shows the public key its tokens verify with, and nothing private', async () => {
    const { keys: shown } = await (await fetch(`${url}/oauth/jwks`)).json();
    const { kid } = decodeProtectedHeader(await getToken(url, client));
    expect(shown).toEqual([
      {
        kty: 'EC',
        crv: 'P-256',
        alg: 'ES256',
        use: 'sig',
        kid,
        x: expect.any(String),
        y: expect.any(String),
      },
    ]);
  });

  it.each([
    ['GET', '/auth'],
    ['GET', '/me'],
    ['POST', '/reg'],
    ['POST', '/token'],
    ['POST', '/request'],
    ['GET', '/session/end'],
    ['GET', '/.well-known/openid-configuration'],
    ['POST', '/oauth/token/'],
    ['POST', '/OAuth/Token'],
  ])('has nothing at %s %s', async (method, path) => {
    expect((await fetch(`${url}${path}`, { method })).status).toBe(404);
  });

  it.each([
    ['GET', '/oauth/token', 'POST'],
    ['DELETE', '/oauth/jwks', 'GET, HEAD'],
    ['POST', '/.well-known/oauth-authorization-server', 'GET, HEAD'],
  ])('does not do %s %s', async (method, path, allow) => {
    const response = await fetch(`${url}${path}`, { method });
    expect({ status: response.status, allow: response.headers.get('allow') }).toEqual({
      status: 405,
      allow,
    });
  });
});
