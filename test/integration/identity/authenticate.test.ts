// A request with a bound token: let in, or refused with the error RFC 9449 and RFC 6750 name.
import { createHash } from 'node:crypto';
import { exportJWK, generateKeyPair, importPKCS8, SignJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AppError, type FixedClock, fixedClock, systemIds } from '../../../platform/index.ts';
import { withDatabase } from '../../support/database.ts';
import { makeIdentity, makeKeys, PUBLIC_URL } from './house.ts';
import {
  type Changes,
  getToken,
  listen,
  type MachineClient,
  makeMachineClient,
} from './machine-client.ts';

const { database, ownerSql } = withDatabase();
const keys = makeKeys();
const publicUrlAliases = ['https://yihao.example.org'];
const identity = makeIdentity(database, { keys, publicUrlAliases });
const otherProcess = makeIdentity(database, { keys });
const now = () => Math.floor(Date.now() / 1000);
const URL_ASKED = `${PUBLIC_URL}/v1/verifications`;

let client: MachineClient;
let token: string;
let close: () => void;
let tokenUrl: string;

beforeAll(async () => {
  await identity.start();
  client = await makeMachineClient(identity, database);
  ({ url: tokenUrl, close } = await listen(identity));
  token = await getToken(tokenUrl, client);
});
afterAll(() => close());

interface Presented {
  authorization?: string | undefined;
  proof?: Changes;
  proofFor?: { method?: string; url?: string; token?: string };
  dpop?: string | null;
  house?: typeof identity;
  url?: string;
}

async function present(changes: Presented = {}) {
  const proof = await client.proof(changes.proof, {
    method: 'POST',
    url: URL_ASKED,
    token,
    ...changes.proofFor,
  });
  return (changes.house ?? identity).authenticateRequest({
    authorization: 'authorization' in changes ? changes.authorization : `DPoP ${token}`,
    dpop: changes.dpop === null ? undefined : (changes.dpop ?? proof),
    method: 'POST',
    url: changes.url ?? URL_ASKED,
    requestId: 'request-1',
  });
}

/** A token of this house's key, or another's, with changed claims. */
async function forge(changes: { claims?: object; header?: object; key?: CryptoKey } = {}) {
  const pem = keys.tokenKey?.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString() ?? '';
  const jkt = createHash('sha256')
    .update(
      JSON.stringify({
        crv: client.provingJwk.crv,
        kty: client.provingJwk.kty,
        x: client.provingJwk.x,
        y: client.provingJwk.y,
      }),
    )
    .digest('base64url');
  return new SignJWT({
    iss: PUBLIC_URL,
    aud: PUBLIC_URL,
    client_id: client.clientId,
    scope: 'licences:read',
    iat: now(),
    exp: now() + 300,
    cnf: { jkt },
    ...changes.claims,
  })
    .setProtectedHeader({ alg: 'ES256', typ: 'at+jwt', kid: 'k', ...changes.header })
    .sign(changes.key ?? (await importPKCS8(pem, 'ES256')));
}

async function refusal(act: Promise<unknown>): Promise<AppError> {
  const error = await act.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error instanceof AppError) return error;
  throw new Error(`Not refused: ${String(error)}`);
}

const withToken = (forged: string): Presented => ({
  authorization: `DPoP ${forged}`,
  proofFor: { token: forged },
});

describe('a request with a bound token', () => {
  it('acts as its client, for its department, with its scopes', async () => {
    expect(await present()).toEqual({
      kind: 'client',
      requestId: 'request-1',
      traceparent: undefined,
      organisationId: 'housing',
      clientId: client.clientId,
      roles: [],
      scopes: ['verifications:ask', 'licences:read'],
      onBehalfOf: undefined,
    });
  });

  it('is let in with a forged token of the right key, so the refusals below fail for their reason', async () => {
    expect((await present(withToken(await forge()))).clientId).toBe(client.clientId);
  });

  it.each([
    `${URL_ASKED}?wait=3`,
    `${URL_ASKED}#part`,
    'HTTP://127.0.0.1:4100/v1/verifications',
    'https://yihao.example.org/v1/verifications',
  ])('may name its URL as %s', async (url) => {
    expect((await present({ proofFor: { url } })).kind).toBe('client');
  });

  it('keeps only those scopes that the client still has', async () => {
    const fewer = await makeMachineClient(identity, database, ['licences:read', 'audit:read']);
    const wide = await getToken(tokenUrl, fewer);
    await ownerSql`update identity.clients set scopes = '{licences:read}' where id = ${fewer.clientId}`;
    const actor = await identity.authenticateRequest({
      authorization: `DPoP ${wide}`,
      dpop: await fewer.proof({}, { method: 'GET', url: URL_ASKED, token: wide }),
      method: 'GET',
      url: URL_ASKED,
    });
    expect(actor.scopes).toEqual(['licences:read']);
  });
});

const tokenFaults: Record<string, () => Presented | Promise<Presented>> = {
  'the Bearer scheme for a bound token': () => ({ authorization: `Bearer ${token}` }),
  'no scheme': () => ({ authorization: token }),
  'the Basic scheme': () => ({ authorization: 'Basic YTpi' }),
  'two tokens': () => ({ authorization: `DPoP ${token}, DPoP ${token}` }),
  'not a JWT': () => withToken('abc'),
  'a changed signature': () => withToken(`${token.slice(0, -6)}AAAAAA`),
  'a changed payload': () => {
    const [header, , signature] = token.split('.');
    const payload = Buffer.from('{"scope":"audit:read"}').toString('base64url');
    return withToken(`${header}.${payload}.${signature}`);
  },
  'no signature': () => {
    const [, payload] = token.split('.');
    const header = Buffer.from('{"alg":"none","typ":"at+jwt"}').toString('base64url');
    return withToken(`${header}.${payload}.`);
  },
  'another key': async () =>
    withToken(await forge({ key: (await generateKeyPair('ES256')).privateKey })),
  'another issuer': async () => withToken(await forge({ claims: { iss: 'https://elsewhere' } })),
  'another audience': async () => withToken(await forge({ claims: { aud: 'https://elsewhere' } })),
  'an expired one': async () => withToken(await forge({ claims: { exp: now() - 1 } })),
  'one from the future': async () => withToken(await forge({ claims: { iat: now() + 60 } })),
  'one without a binding': async () => withToken(await forge({ claims: { cnf: undefined } })),
  'one bound to another key': async () =>
    withToken(await forge({ claims: { cnf: { jkt: 'x'.repeat(43) } } })),
  'one of another type': async () => withToken(await forge({ header: { typ: 'JWT' } })),
  'one of an unknown client': async () =>
    withToken(await forge({ claims: { client_id: 'nobody' } })),
};

describe('a request is refused with invalid_token for', () => {
  it.each(Object.entries(tokenFaults))('%s', async (_, fault) => {
    const error = await refusal(present(await fault()));
    expect(error).toMatchObject({ kind: 'unauthenticated', code: 'identity.token_invalid' });
    expect(error.headers?.['WWW-Authenticate']).toMatch(
      /^DPoP error="invalid_token", error_description="[^"]+", algs="ES256"$/,
    );
  });

  it('a token of a suspended client, at once', async () => {
    const suspended = await makeMachineClient(identity, database);
    const held = await getToken(tokenUrl, suspended);
    const ask = async () =>
      identity.authenticateRequest({
        authorization: `DPoP ${held}`,
        dpop: await suspended.proof({}, { method: 'GET', url: URL_ASKED, token: held }),
        method: 'GET',
        url: URL_ASKED,
      });
    expect((await ask()).kind).toBe('client');
    await ownerSql`update identity.clients set state = 'suspended' where id = ${suspended.clientId}`;
    expect((await refusal(ask())).code).toBe('identity.token_invalid');
    await ownerSql`update identity.clients set state = 'active' where id = ${suspended.clientId}`;
    expect((await ask()).kind).toBe('client');
  });

  it('a token seen before that has expired since', async () => {
    const clock: FixedClock = fixedClock(new Date().toISOString());
    const house = makeIdentity(database, { keys, clock });
    expect((await present({ house })).kind).toBe('client');
    clock.advance(301_000);
    const late = { claims: { iat: now() + 301 } };
    expect((await refusal(present({ house, proof: late }))).code).toBe('identity.token_invalid');
  });
});

const proofFaults: Record<string, () => Presented | Promise<Presented>> = {
  'no proof': () => ({ dpop: null }),
  'two proofs': async () => ({ dpop: `${await client.proof()}, ${await client.proof()}` }),
  'a proof that is no JWT': () => ({ dpop: 'abc' }),
  'a proof of excessive length': async () => ({
    proof: { claims: { padding: 'x'.repeat(5_000) } },
  }),
  'another method': () => ({ proofFor: { method: 'GET' } }),
  'another path': () => ({ proofFor: { url: `${PUBLIC_URL}/v1/licences` } }),
  'another host': () => ({ proofFor: { url: 'https://elsewhere.example/v1/verifications' } }),
  'a host that begins alike': () => ({
    proofFor: { url: 'http://127.0.0.1:41001/v1/verifications' },
  }),
  'no URL': () => ({ proof: { claims: { htu: 'verifications' } } }),
  'another token': () => ({ proofFor: { token: 'another' } }),
  'no token': () => ({ proof: { claims: { ath: undefined } } }),
  'an old proof': () => ({ proof: { claims: { iat: now() - 62 } } }),
  'a proof from the future': () => ({ proof: { claims: { iat: now() + 15 } } }),
  'no time': () => ({ proof: { claims: { iat: undefined } } }),
  'no jti': () => ({ proof: { claims: { jti: undefined } } }),
  'an empty jti': () => ({ proof: { claims: { jti: '' } } }),
  'another type': () => ({ proof: { header: { typ: 'JWT' } } }),
  'a symmetric key': () => ({ proof: { header: { alg: 'HS256' }, key: new Uint8Array(32) } }),
  'a private key in its header': async () => ({
    proof: { header: { jwk: await exportJWK(client.proving.privateKey) } },
  }),
  'no key in its header': () => ({ proof: { header: { jwk: undefined } } }),
  'a key that is not on the curve': () => ({
    proof: { header: { jwk: { ...client.provingJwk, x: client.provingJwk.y } } },
  }),
  'a signature by another key': async () => ({
    proof: { key: (await generateKeyPair('ES256')).privateKey },
  }),
};

describe('a request is refused with invalid_dpop_proof for', () => {
  it.each(Object.entries(proofFaults))('%s', async (_, fault) => {
    const error = await refusal(present(await fault()));
    expect(error).toMatchObject({ kind: 'unauthenticated', code: 'identity.proof_invalid' });
    expect(error.headers?.['WWW-Authenticate']).toMatch(
      /^DPoP error="invalid_dpop_proof", error_description="[^"]+", algs="ES256"$/,
    );
  });

  it('a proof used before, in this process or another, at once or after', async () => {
    const dpop = await client.proof({}, { method: 'POST', url: URL_ASKED, token });
    const houses = [identity, otherProcess, identity, otherProcess];
    const answers = await Promise.allSettled(houses.map((house) => present({ dpop, house })));
    expect(answers.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    for (const house of houses) {
      expect((await refusal(present({ dpop, house }))).code).toBe('identity.proof_invalid');
    }
  });

  it('a proof that a crashed database may have forgotten', async () => {
    await ownerSql`update identity.dpop_epochs set started_at = now() - interval '1 minute'`;
    const early = { claims: { iat: now() - 5 } };
    expect((await present({ proof: early })).kind).toBe('client');
    // What PostgreSQL does to unlogged tables when it recovers from a crash.
    await ownerSql`truncate identity.dpop_proofs, identity.dpop_epochs`;
    expect((await refusal(present({ proof: early }))).code).toBe('identity.proof_invalid');
    expect((await refusal(present({ proof: early }))).code).toBe('identity.proof_invalid');
    expect((await present({ proof: { claims: { iat: now() + 1 } } })).kind).toBe('client');
  });
});

describe('a request without credentials', () => {
  it.each([undefined, ''])('is refused without an error code (%j)', async (authorization) => {
    const error = await refusal(present({ authorization }));
    expect(error).toMatchObject({
      kind: 'unauthenticated',
      code: 'identity.unauthenticated',
      headers: { 'WWW-Authenticate': 'DPoP algs="ES256"' },
    });
  });
});

describe('what has run out', () => {
  it('is forgotten, and only that: assertions by their end, proofs by the minute of their making', async () => {
    const minute = Math.floor(Date.now() / 60_000);
    const digest = systemIds.bytes(32);
    for (const ago of [5, 4, 3, 2, 1, 0, -1, -2]) {
      await ownerSql`insert into identity.dpop_proofs values (${(minute - ago) % 8}, ${digest})`;
    }
    await ownerSql`insert into identity.assertion_jtis values
      ('old', now() - interval '1 second'), ('young', now() + interval '1 minute')`;
    await identity.purgeExpired();
    const slots = await ownerSql<{ slot: number }[]>`
      select slot from identity.dpop_proofs where digest = ${digest}`;
    const left = [3, 2, 1, 0, -1, -2].map((ago) => (minute - ago) % 8);
    // The minute may have turned meanwhile: then one more slot lies in the past.
    expect(left).toEqual(expect.arrayContaining(slots.map(({ slot }) => slot)));
    expect(slots.length).toBeGreaterThanOrEqual(5);
    const assertions = await ownerSql`select id from identity.assertion_jtis
      where id in ('old', 'young')`;
    expect(assertions).toEqual([{ id: 'young' }]);
  });

  it('is still known while it could be used: the sweep between two uses changes nothing', async () => {
    const dpop = await client.proof(
      { claims: { iat: now() - 55 } },
      {
        method: 'POST',
        url: URL_ASKED,
        token,
      },
    );
    // The test before began a new epoch; this one is about the memory.
    await ownerSql`update identity.dpop_epochs set started_at = now() - interval '2 minutes'`;
    expect((await present({ dpop })).kind).toBe('client');
    await identity.purgeExpired();
    expect((await refusal(present({ dpop }))).message).toContain('used before');
  });
});
