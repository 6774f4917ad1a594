// Tokens bound to a certificate (RFC 8705), which a TLS proxy shows to the house (RFC 9440) and nobody
// else can: proxy and clients are real, over real sockets.
import { request as plainRequest } from 'node:http';
import * as jose from 'jose';
import * as oauth from 'oauth4webapi';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  fetchWithCertificate,
  type SelfSigned,
  selfSigned,
  startTlsProxy,
  type TlsProxy,
} from '../../support/tls-proxy.ts';
import { refused, toHouse } from './foreign-client.ts';
import { PUBLIC_URL, refusal, withHouse } from './house.ts';

/** All of 127.0.0.0/8 is this machine: the proxy comes from one address of it, others from others. */
const PROXY_ADDRESS = '127.0.0.9';
const house = withHouse({ TRUSTED_PROXIES: `${PROXY_ADDRESS}, 2001:db8::/32` });
const client: oauth.Client = { client_id: 'tls-system' };
let as: oauth.AuthorizationServer;
let proxy: TlsProxy;
let strangerProxy: TlsProxy;
let own: SelfSigned;
let next: SelfSigned;
let other: SelfSigned;
let expired: SelfSigned;

beforeAll(async () => {
  [own, next, other, expired] = await Promise.all([
    selfSigned('own'),
    selfSigned('next'),
    selfSigned('other'),
    selfSigned('expired', -1),
  ]);
  proxy = await startTlsProxy(house.baseUrl, PROXY_ADDRESS);
  strangerProxy = await startTlsProxy(house.baseUrl, '127.0.0.8');
  const { identity, database } = house.services;
  for (const [clientId, keys] of [
    ['tls-system', [own.jwk, next.jwk]],
    ['other-system', [other.jwk]],
  ] as const) {
    await database.transaction((tx) =>
      identity.createClient(tx, {
        clientId,
        organisationId: 'housing',
        name: clientId,
        method: 'self_signed_tls_client_auth',
        jwks: { keys: [...keys] },
        scopes: ['licences:read'],
      }),
    );
  }
  // An expired certificate can't be registered; one that expires meanwhile can.
  await house.ownerSql`insert into identity.client_keys (client_id, kid, jwk, added_at)
    values ('tls-system', 'expired', ${house.ownerSql.json(expired.jwk)}, now())`;
  as = await oauth.processDiscoveryResponse(
    new URL(PUBLIC_URL),
    await oauth.discoveryRequest(new URL(PUBLIC_URL), {
      algorithm: 'oauth2',
      [oauth.customFetch]: toHouse(house.baseUrl),
      [oauth.allowInsecureRequests]: true,
    }),
  );
});
afterAll(async () => {
  await proxy?.close();
  await strangerProxy?.close();
});

/** Through the proxy, showing this certificate. */
const through =
  (certificate: SelfSigned | undefined, at: TlsProxy, extra: Record<string, string> = {}) =>
  (url: string, init: { method?: string; headers?: HeadersInit; body?: unknown }) =>
    fetchWithCertificate(url.replace(PUBLIC_URL, at.url), certificate, {
      method: init.method ?? 'GET',
      headers: { ...Object.fromEntries(new Headers(init.headers)), ...extra },
      ...(init.body ? { body: String(init.body) } : {}),
    });

interface Way {
  certificate?: SelfSigned | undefined;
  at?: TlsProxy;
  extra?: Record<string, string>;
  clientId?: string;
}

async function getToken(way: Way = {}): Promise<oauth.TokenEndpointResponse> {
  const certificate = 'certificate' in way ? way.certificate : own;
  const response = await oauth.clientCredentialsGrantRequest(
    as,
    { client_id: way.clientId ?? client.client_id },
    oauth.TlsClientAuth(),
    {},
    {
      [oauth.customFetch]: through(certificate, way.at ?? proxy, way.extra),
      [oauth.allowInsecureRequests]: true,
    },
  );
  return oauth.processClientCredentialsResponse(as, client, response);
}

function call(token: string, way: Way = {}): Promise<Response> {
  const certificate = 'certificate' in way ? way.certificate : own;
  return oauth.protectedResourceRequest(
    token,
    'GET',
    new URL('/v1/me', PUBLIC_URL),
    undefined,
    null,
    {
      [oauth.customFetch]: through(certificate, way.at ?? proxy, way.extra),
      [oauth.allowInsecureRequests]: true,
    },
  );
}

const header = ({ certificateDer }: SelfSigned) => `:${certificateDer.toString('base64')}:`;

/** Straight to the house without TLS, from an address of this machine. */
function straight(
  path: string,
  localAddress: string,
  { headers = {}, body }: { headers?: Record<string, string | string[]>; body?: string } = {},
): Promise<{ status: number; challenge: string | undefined; text: string }> {
  return new Promise((resolve, reject) => {
    const request = plainRequest(
      `${house.baseUrl}${path}`,
      { method: body === undefined ? 'GET' : 'POST', localAddress, headers, agent: false },
      async (reply) => {
        const parts: Buffer[] = [];
        for await (const part of reply) parts.push(part);
        resolve({
          status: reply.statusCode ?? 0,
          challenge: reply.headers['www-authenticate'],
          text: Buffer.concat(parts).toString(),
        });
      },
    );
    request.on('error', reject);
    request.end(body);
  });
}

describe('a client with a certificate', () => {
  test('gets a token bound to it and uses it, through the proxy', async () => {
    expect(as).toMatchObject({
      token_endpoint_auth_methods_supported: ['private_key_jwt', 'self_signed_tls_client_auth'],
      tls_client_certificate_bound_access_tokens: true,
    });
    const granted = await getToken();
    expect(granted).toMatchObject({ token_type: 'bearer', expires_in: 300 });
    const claims = jose.decodeJwt(granted.access_token);
    const digest = await crypto.subtle.digest('SHA-256', new Uint8Array(own.certificateDer));
    expect(claims.cnf).toEqual({ 'x5t#S256': Buffer.from(digest).toString('base64url') });
    const reply = await call(granted.access_token);
    expect(await reply.json()).toMatchObject({ clientId: 'tls-system', scopes: ['licences:read'] });
  });

  test('may use any of its registered ones, each for its own token', async () => {
    const { access_token } = await getToken({ certificate: next });
    expect((await call(access_token, { certificate: next })).status).toBe(200);
    expect(await refused(call(access_token, { certificate: own }))).toBe(
      '401 bearer invalid_token',
    );
  });
});

describe('a token is refused', () => {
  test.each<[string, () => Way]>([
    ['without a certificate', () => ({ certificate: undefined })],
    ['for a certificate of another client', () => ({ certificate: other })],
    ['to another client than the certificate’s', () => ({ clientId: 'other-system' })],
    ['for a certificate that has expired', () => ({ certificate: expired })],
    ['through a proxy that is not trusted', () => ({ at: strangerProxy })],
    [
      'for a Client-Cert the client itself sends along',
      () => ({ certificate: undefined, extra: { 'Client-Cert': header(own) } }),
    ],
    ['to a client that authenticates by signed assertions', () => ({ clientId: 'housing' })],
  ])('%s', async (_, way) => {
    expect(await refused(getToken(way()))).toBe('401 invalid_client');
  });

  test('for a proof beside the certificate: one binding is enough', async () => {
    const proving = await oauth.generateKeyPair('ES256');
    const response = await oauth.clientCredentialsGrantRequest(
      as,
      client,
      oauth.TlsClientAuth(),
      {},
      {
        DPoP: oauth.DPoP(client, proving),
        [oauth.customFetch]: through(own, proxy),
        [oauth.allowInsecureRequests]: true,
      },
    );
    expect([response.status, await response.json()]).toMatchObject([
      400,
      { error: 'invalid_dpop_proof' },
    ]);
  });
});

describe('a call is refused', () => {
  test('with another certificate, with none, or through a proxy that is not trusted', async () => {
    const { access_token } = await getToken();
    const ways: Way[] = [
      { certificate: other },
      { certificate: undefined },
      { certificate: undefined, extra: { 'Client-Cert': header(own) } },
      { at: strangerProxy },
    ];
    for (const way of ways) {
      expect(await refused(call(access_token, way))).toBe('401 bearer invalid_token');
    }
    expect((await call(access_token)).status).toBe(200);
  });

  test('for a Client-Cert from anybody but the proxy, and believed from the proxy alone', async () => {
    const { access_token } = await getToken();
    const headers = { Authorization: `Bearer ${access_token}`, 'Client-Cert': header(own) };
    expect((await straight('/v1/me', PROXY_ADDRESS, { headers })).status).toBe(200);
    for (const address of ['127.0.0.1', '127.0.0.8', '127.0.0.10']) {
      const { status, challenge } = await straight('/v1/me', address, { headers });
      expect([status, challenge]).toEqual([401, expect.stringContaining('error="invalid_token"')]);
    }
  });

  test.each<[string, (good: string) => string | string[]]>([
    ['two certificates', (good) => [good, good]],
    ['no byte sequence', (good) => good.slice(1, -1)],
    ['base64 that is none', () => ':***:'],
    ['an empty byte sequence', () => '::'],
    ['parameters', (good) => `${good};a=1`],
    ['ten thousand bytes', () => `:${'A'.repeat(10_000)}:`],
  ])('for a Client-Cert of %s, even from the proxy', async (_, make) => {
    const { access_token } = await getToken();
    const headers = { Authorization: `Bearer ${access_token}`, 'Client-Cert': make(header(own)) };
    expect((await straight('/v1/me', PROXY_ADDRESS, { headers })).status).toBe(401);
  });

  test('with the DPoP scheme, or once the client is held', async () => {
    const { access_token } = await getToken();
    const way = { Authorization: `DPoP ${access_token}`, DPoP: 'x', 'Client-Cert': header(own) };
    const { status, text } = await straight('/v1/me', PROXY_ADDRESS, { headers: way });
    expect(refusal({ status, json: JSON.parse(text) })).toBe('401 identity.token_invalid');
    await house.ownerSql`update identity.clients set held_until = now() + interval '1 hour'
      where id = 'tls-system'`;
    expect(await refused(call(access_token))).toBe('401 bearer invalid_token');
    expect(await refused(getToken())).toBe('401 invalid_client');
    await house.ownerSql`update identity.clients set held_until = null where id = 'tls-system'`;
    expect((await call(access_token)).status).toBe(200);
  });

  test('when the key of a certificate signs an assertion instead', async () => {
    const key = await jose.importPKCS8(own.keyPem, 'ES256');
    const response = await oauth.clientCredentialsGrantRequest(
      as,
      client,
      oauth.PrivateKeyJwt({ key, kid: 'own' }),
      {},
      { [oauth.customFetch]: through(own, proxy), [oauth.allowInsecureRequests]: true },
    );
    expect([response.status, await response.json()]).toMatchObject([
      401,
      { error: 'invalid_client' },
    ]);
  });
});
