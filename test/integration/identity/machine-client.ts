// A department's system as a foreign client would write it: jose for assertions and proofs, fetch.
import { createHash } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  type CryptoKey,
  exportJWK,
  generateKeyPair,
  type JWTHeaderParameters,
  type JWTPayload,
  SignJWT,
} from 'jose';
import type { Identity } from '../../../identity/index.ts';
import { type Database, systemIds } from '../../../platform/index.ts';
import { HOUSING, PUBLIC_URL } from './house.ts';

export const TOKEN_URL = `${PUBLIC_URL}/oauth/token`;

const now = () => Math.floor(Date.now() / 1000);

/** Claims and header members to be changed; undefined removes one. */
export interface Changes {
  claims?: JWTPayload;
  header?: Partial<JWTHeaderParameters>;
  key?: CryptoKey | Uint8Array;
}

async function sign(
  payload: JWTPayload,
  header: JWTHeaderParameters,
  key: CryptoKey | Uint8Array,
): Promise<string> {
  return new SignJWT(payload).setProtectedHeader(header).sign(key);
}

/** Keys and a registration; what it makes is right unless told otherwise. */
export async function makeMachineClient(
  identity: Identity,
  database: Database,
  scopes: Parameters<Identity['createClient']>[1]['scopes'] = [
    'verifications:ask',
    'licences:read',
  ],
) {
  const authentication = await generateKeyPair('ES256');
  const proving = await generateKeyPair('ES256', { extractable: true });
  const provingJwk = await exportJWK(proving.publicKey);
  const publicJwk = { ...(await exportJWK(authentication.publicKey)), kid: 'key-1' };
  const clientId = await database.transaction(async (tx) => {
    await identity.putOrganisation(tx, HOUSING);
    return identity.createClient(tx, {
      organisationId: HOUSING.id,
      name: 'housing system',
      jwks: { keys: [publicJwk] },
      scopes,
    });
  });

  const assertion = ({ claims, header, key }: Changes = {}) =>
    sign(
      {
        iss: clientId,
        sub: clientId,
        aud: PUBLIC_URL,
        jti: systemIds.token(16),
        iat: now(),
        exp: now() + 30,
        ...claims,
      },
      { alg: 'ES256', kid: 'key-1', ...header },
      key ?? authentication.privateKey,
    );

  const proof = (
    { claims, header, key }: Changes = {},
    use: { method?: string; url?: string; token?: string } = {},
  ) =>
    sign(
      {
        jti: systemIds.token(16),
        htm: use.method ?? 'POST',
        htu: use.url ?? TOKEN_URL,
        iat: now(),
        ...(use.token === undefined
          ? {}
          : { ath: createHash('sha256').update(use.token).digest('base64url') }),
        ...claims,
      },
      { alg: 'ES256', typ: 'dpop+jwt', jwk: provingJwk, ...header },
      key ?? proving.privateKey,
    );

  return { clientId, assertion, proof, provingJwk, proving, authentication };
}

export type MachineClient = Awaited<ReturnType<typeof makeMachineClient>>;

/** The token endpoint on a port of its own, whatever the public URL says. */
export async function listen(identity: Identity): Promise<{ url: string; close: () => void }> {
  const server: Server = createServer(identity.tokenEndpoint);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  // A TCP server's address is always of this form.
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, close: () => server.close() };
}

/** Asks for a token; `form` members that are undefined are left out. */
export async function askForToken(
  url: string,
  form: Record<string, string | undefined>,
  headers: Record<string, string> = {},
): Promise<{ status: number; body: Record<string, unknown> }> {
  const members = Object.entries({
    grant_type: 'client_credentials',
    client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    ...form,
  }).flatMap(([name, value]): [string, string][] => (value === undefined ? [] : [[name, value]]));
  const response = await fetch(`${url}/oauth/token`, {
    method: 'POST',
    headers,
    body: new URLSearchParams(members),
  });
  return { status: response.status, body: await response.json() };
}

/** A token as the token endpoint gives it. */
export async function getToken(
  url: string,
  client: MachineClient,
  scope?: string,
): Promise<string> {
  const { status, body } = await askForToken(
    url,
    { client_assertion: await client.assertion(), scope },
    { dpop: await client.proof() },
  );
  if (status !== 200 || typeof body.access_token !== 'string') {
    throw new Error(`No token: ${status} ${JSON.stringify(body)}`);
  }
  return body.access_token;
}
