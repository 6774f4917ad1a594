// SD-JWT VC through the face of signing: issued, shown in part, and every way to cheat.
import { createPrivateKey, generateKeyPairSync, sign } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLocalJWKSet, jwtVerify } from 'jose';
import pino from 'pino';
import { beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { encodeBase64url, fixedClock, type Json, systemIds } from '../../../platform/index.ts';
import { disclosureDigest } from '../../../signing/disclosure.ts';
import {
  type CredentialContent,
  createSigning,
  initKeys,
  openKeystore,
  type Signing,
  type VerifiedCredential,
} from '../../../signing/index.ts';
import { readCompact, readEncodedJson } from '../../../signing/jws.ts';
import { withDatabase } from '../../support/database.ts';
import { TEST_PUBLIC_URL, testKeys } from '../../support/keys.ts';

const { database } = withDatabase();
const clock = fixedClock('2026-03-04T05:00:00Z');
const now = clock.now();
const logger = pino({ level: 'silent' });
const CIVIL = '11990100009900013U';
const POLICE = '11990100009900021N';

let keysDir: string;
let signing: Signing;

beforeAll(async () => {
  const keys = await testKeys();
  keysDir = keys.keysDir;
  signing = signingWith(keysDir);
});

function signingWith(dir: string, at = clock): Signing {
  const keystore = openKeystore(dir, 'all');
  const publicUrl = TEST_PUBLIC_URL;
  return createSigning({ database, clock: at, ids: systemIds, keystore, publicUrl, logger });
}

const content: CredentialContent = {
  vct: `${TEST_PUBLIC_URL}/vct/LT-MARRIAGE/1`,
  claims: { licence_no: '结字第1号', issuing_authority: { name: '云珠市民政局', uscc: CIVIL } },
  disclosable: {
    holder_name: '林晓雨',
    holder_id: '990101199001010019',
    fields: [1, 'two', { three: null }],
  },
  status: { uri: `${TEST_PUBLIC_URL}/status-lists/0`, idx: 7 },
  iat: now,
  nbf: new Date('2026-03-01T00:00:00Z'),
  exp: new Date('2031-03-01T16:00:00Z'),
};

const registered = {
  iss: TEST_PUBLIC_URL,
  vct: content.vct,
  iat: 1772600400,
  nbf: 1772323200,
  exp: 1930147200,
  status: { status_list: { idx: 7, uri: `${TEST_PUBLIC_URL}/status-lists/0` } },
  ...content.claims,
};

const results = ({ checks }: VerifiedCredential): Record<string, string> =>
  Object.fromEntries(checks.map(({ name, result }) => [name, result]));

const GENUINE = {
  format: 'pass',
  certificate: 'pass',
  signature: 'pass',
  disclosures: 'pass',
  key_binding: 'skipped',
  not_before: 'pass',
  expiry: 'pass',
};

/** Signs any header and payload with a key file of the test directory. */
function forge(
  keyFile: string,
  header: { [name: string]: Json },
  payload: { [name: string]: Json },
): string {
  const part = (value: Json) => encodeBase64url(Buffer.from(JSON.stringify(value)));
  const input = `${part(header)}.${part(payload)}`;
  const key = createPrivateKey(readFileSync(join(keysDir, keyFile)));
  const signature = sign('sha256', Buffer.from(input), { key, dsaEncoding: 'ieee-p1363' });
  return `${input}.${encodeBase64url(signature)}`;
}

/** The header a key file's certificate calls for. */
function headerOf(name: string, more: { [name: string]: Json } = {}): { [name: string]: Json } {
  const der = (file: string) =>
    readFileSync(join(keysDir, `${file}.crt.pem`), 'utf8').replace(/-----[^-]+-----|\s/g, '');
  return { alg: 'ES256', typ: 'dc+sd-jwt', x5c: [der(name), der('issuing')], ...more };
}

/** The same signature bytes written another way: the last character has four unused bits. */
function withStrayBits(jwt: string): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
  return jwt.slice(0, -1) + alphabet[alphabet.indexOf(jwt.slice(-1)) ^ 1];
}

describe('an issued credential', () => {
  test('verifies whole, with every claim', async () => {
    const verified = await signing.verifyCredential(await signing.issueCredential(content), {
      now,
    });
    expect(results(verified)).toEqual(GENUINE);
    expect({ ...verified, checks: [] }).toEqual({
      checks: [],
      isAuthentic: true,
      claims: { ...registered, ...content.disclosable },
      status: content.status,
    });
  });

  test('verifies with any choice of disclosures, and shows no others', async () => {
    const compact = await signing.issueCredential(content);
    const [jwt = '', name, id, fields] = compact.split('~');
    for (const shown of [[], [id], [fields, name]]) {
      const names = shown.map((encoded) => [name, id, fields].indexOf(encoded));
      const expected = Object.entries(content.disclosable).filter((_, at) => names.includes(at));
      const verified = await signing.verifyCredential(`${[jwt, ...shown].join('~')}~`, { now });
      expect(verified.claims).toEqual({ ...registered, ...Object.fromEntries(expected) });
    }
  });

  test('has the header, the sorted digests and the salts of the standard', async () => {
    const compact = await signing.issueCredential(content);
    const [jwt = '', ...disclosures] = compact.slice(0, -1).split('~');
    const { header, payload } = readCompact(jwt) ?? {};
    const { kid, x5c } = headerOf('credential', { kid: expect.any(String) });
    expect(header).toEqual({ alg: 'ES256', typ: 'dc+sd-jwt', kid, x5c });
    expect(payload).toEqual({
      ...registered,
      _sd: disclosures.map(disclosureDigest).sort(),
      _sd_alg: 'sha-256',
    });
    const salts = disclosures.map((encoded) => {
      const read = readEncodedJson(encoded);
      return Array.isArray(read) ? Buffer.from(String(read[0]), 'base64url').length : 0;
    });
    expect(salts).toEqual([16, 16, 16]);
    expect(compact).not.toContain(encodeBase64url(Buffer.from('林晓雨')));
  });

  test('with nothing to hide carries no mechanism, and is still an SD-JWT', async () => {
    const compact = await signing.issueCredential({ ...content, disclosable: {} });
    expect(compact.split('~')).toEqual([expect.any(String), '']);
    expect(readCompact(compact.slice(0, -1))?.payload).toEqual(registered);
    expect(results(await signing.verifyCredential(compact, { now }))).toEqual(GENUINE);
  });

  test('does not verify when anything in it is changed', async () => {
    const compact = await signing.issueCredential(content);
    const [jwt = '', first = '', ...rest] = compact.split('~');
    const [header = '', payload = '', signature = ''] = jwt.split('.');
    const body = readCompact(jwt)?.payload ?? {};
    const other = encodeBase64url(Buffer.from(JSON.stringify({ ...body, licence_no: 'x' })));
    const flipped = `${signature.startsWith('A') ? 'B' : 'A'}${signature.slice(1)}`;
    const forged = encodeBase64url(Buffer.from(JSON.stringify(['salt', 'holder_name', '王五'])));
    const tail = [first, ...rest].join('~');
    const cases: [string, string, keyof typeof GENUINE][] = [
      ['another body', `${header}.${other}.${signature}~${tail}`, 'signature'],
      ['another signature', `${header}.${payload}.${flipped}~${tail}`, 'signature'],
      ['no signature', `${header}.${payload}.~${tail}`, 'signature'],
      ['a forged disclosure added', `${jwt}~${forged}~${tail}`, 'disclosures'],
      ['a disclosure replaced', `${[jwt, forged, ...rest].join('~')}`, 'disclosures'],
      ['a disclosure twice', `${jwt}~${first}~${tail}`, 'disclosures'],
      ['an empty disclosure', `${jwt}~~`, 'disclosures'],
      ['no tilde', jwt, 'format'],
      ['two parts only', `${header}.${payload}~${tail}`, 'format'],
      ['bits beyond the last byte', `${withStrayBits(jwt)}~${tail}`, 'signature'],
      ['a character less', `${jwt.slice(0, -1)}~${tail}`, 'signature'],
      ['nothing', '', 'format'],
      ['a tilde', '~', 'format'],
    ];
    for (const [what, text, check] of cases) {
      const verified = await signing.verifyCredential(text, { now });
      expect({ what, ...verified, checks: results(verified)[check] }).toEqual({
        what,
        isAuthentic: false,
        checks: 'fail',
      });
    }
  });

  test('says by separate checks that it is not yet or no longer valid, and stays authentic', async () => {
    const compact = await signing.issueCredential(content);
    const times: [string, Partial<typeof GENUINE>][] = [
      ['2026-02-28T23:59:59Z', { not_before: 'fail' }],
      ['2026-03-01T00:00:00Z', {}],
      ['2031-03-01T15:59:59Z', {}],
      ['2031-03-01T16:00:00Z', { expiry: 'fail' }],
    ];
    for (const [at, failing] of times) {
      const verified = await signing.verifyCredential(compact, { now: new Date(at) });
      expect([at, results(verified), verified.isAuthentic]).toEqual([
        at,
        { ...GENUINE, ...failing },
        true,
      ]);
    }
  });
});

describe('a credential that we would never issue', () => {
  const payload = { iss: TEST_PUBLIC_URL, vct: 'urn:x', iat: registered.iat };
  const disclosure = (name: string) =>
    encodeBase64url(Buffer.from(JSON.stringify(['salt', name, 1])));

  test.each<[what: string, check: keyof typeof GENUINE, compact: () => string]>([
    [
      'is signed by a department key, which may only sign receipts',
      'certificate',
      () => `${forge(`receipts/${CIVIL}.key.pem`, headerOf(`receipts/${CIVIL}`), payload)}~`,
    ],
    [
      'is signed by the status key',
      'certificate',
      () => `${forge('status.key.pem', headerOf('status'), payload)}~`,
    ],
    [
      'is signed by another key than its certificate has',
      'signature',
      () => `${forge('token.key.pem', headerOf('credential'), payload)}~`,
    ],
    [
      'is signed by the issuing CA itself',
      'certificate',
      () => {
        const [, issuing = ''] = [headerOf('credential').x5c].flat();
        const header = headerOf('credential', { x5c: [issuing, issuing] });
        return `${forge('issuing.key.pem', header, payload)}~`;
      },
    ],
    [
      'carries the root as well',
      'certificate',
      () => {
        const [leaf = '', issuing = ''] = [headerOf('credential').x5c].flat();
        const [, root = ''] = [headerOf('root').x5c].flat();
        const header = headerOf('credential', { x5c: [leaf, issuing, root] });
        return `${forge('credential.key.pem', header, payload)}~`;
      },
    ],
    [
      'carries no certificates',
      'certificate',
      () => `${forge('credential.key.pem', { alg: 'ES256', typ: 'dc+sd-jwt' }, payload)}~`,
    ],
    [
      'carries certificates that are none',
      'certificate',
      () => {
        const header = headerOf('credential', { x5c: ['AAAA', 'not base64!'] });
        return `${forge('credential.key.pem', header, payload)}~`;
      },
    ],
    [
      'has another type',
      'format',
      () => `${forge('credential.key.pem', headerOf('credential', { typ: 'JWT' }), payload)}~`,
    ],
    [
      'claims to need no signature',
      'format',
      () => `${forge('credential.key.pem', headerOf('credential', { alg: 'none' }), payload)}~`,
    ],
    [
      'names a critical extension we do not know',
      'signature',
      () => {
        const header = headerOf('credential', { crit: ['x'], x: 1 });
        return `${forge('credential.key.pem', header, payload)}~`;
      },
    ],
    [
      'has no type of credential',
      'format',
      () => `${forge('credential.key.pem', headerOf('credential'), { iat: 1 })}~`,
    ],
    [
      'has an end that is no time',
      'format',
      () => `${forge('credential.key.pem', headerOf('credential'), { ...payload, exp: 'never' })}~`,
    ],
    [
      'has a status that is no reference',
      'format',
      () => {
        const odd = { ...payload, status: { status_list: { idx: -1, uri: 'x' } } };
        return `${forge('credential.key.pem', headerOf('credential'), odd)}~`;
      },
    ],
    ...['iss', 'nbf', 'exp', 'cnf', 'vct', 'vct#integrity', 'status'].map(
      (name): [string, keyof typeof GENUINE, () => string] => [
        `hides ${name}`,
        'disclosures',
        () => {
          const { [name]: _, ...open }: { [name: string]: Json } = payload;
          const body = { ...open, _sd: [disclosureDigest(disclosure(name))] };
          const jwt = forge('credential.key.pem', headerOf('credential'), body);
          return `${jwt}~${disclosure(name)}~`;
        },
      ],
    ),
  ])('%s: refused', async (_, check, compact) => {
    const verified = await signing.verifyCredential(compact(), { now });
    expect([verified.isAuthentic, results(verified)[check], verified.claims]).toEqual([
      false,
      'fail',
      undefined,
    ]);
  });

  test('comes from a registry that made its own root with the same names: refused', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'yihao-other-'));
    const options = { organisations: [], publicUrl: TEST_PUBLIC_URL, clock, ids: systemIds };
    await initKeys(dir, options);
    const compact = await signingWith(dir).issueCredential(content);
    const verified = await signing.verifyCredential(compact, { now });
    expect([verified.isAuthentic, results(verified).certificate]).toEqual([false, 'fail']);
    rmSync(dir, { recursive: true });
  });

  test('can not be ordered with claims that have a meaning of their own', async () => {
    const wrong: Partial<CredentialContent>[] = [
      { claims: { iss: 'x' } },
      { claims: { exp: 1 } },
      { claims: { nested: [{ _sd: [] }] } },
      { disclosable: { status: 1 } },
      { disclosable: { 'vct#integrity': 'x' } },
      { disclosable: { _sd: 1 } },
      { disclosable: { '...': 1 } },
      { disclosable: { deep: { '...': 'x' } } },
      { disclosable: { licence_no: 1 } },
    ];
    for (const part of wrong) {
      await expect(signing.issueCredential({ ...content, ...part })).rejects.toThrow(TypeError);
    }
  });
});

describe('the certificate of an old credential', () => {
  test('counts if it was good when the credential was issued', async () => {
    const compact = await signing.issueCredential(content);
    const verified = await signing.verifyCredential(compact, { now: new Date('2060-01-01') });
    expect(results(verified)).toEqual({ ...GENUINE, expiry: 'fail' });
  });

  test('does not count for a credential dated before or after its time', async () => {
    for (const iat of ['2025-12-31T00:00:00Z', '2046-01-02T00:00:00Z']) {
      const compact = await signing.issueCredential({ ...content, iat: new Date(iat) });
      const verified = await signing.verifyCredential(compact, { now });
      expect([iat, verified.isAuthentic, results(verified).certificate]).toEqual([
        iat,
        false,
        'fail',
      ]);
    }
  });
});

describe('key binding', () => {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const { kty, crv, x, y } = publicKey.export({ format: 'jwk' });
  const expected = { audience: 'https://bank.example', nonce: 'n-1' };
  const claims = { iat: registered.iat, aud: expected.audience, nonce: expected.nonce };

  async function present(change: { [name: string]: Json } = {}, typ = 'kb+jwt', key = privateKey) {
    const compact = await signing.issueCredential({ ...content, cnfJwk: { kty, crv, x, y } });
    const hash = disclosureDigest(compact); // The same hash over the same kind of text.
    const part = (value: Json) => encodeBase64url(Buffer.from(JSON.stringify(value)));
    const input = `${part({ alg: 'ES256', typ })}.${part({ ...claims, sd_hash: hash, ...change })}`;
    const signature = sign('sha256', Buffer.from(input), { key, dsaEncoding: 'ieee-p1363' });
    return `${compact}${input}.${encodeBase64url(signature)}`;
  }

  const bindingOf = async (compact: string, keyBinding?: typeof expected) => {
    const verified = await signing.verifyCredential(compact, {
      now,
      ...(keyBinding && { keyBinding }),
    });
    return [results(verified).key_binding, verified.isAuthentic];
  };

  test('passes when the presenter holds the key and answers this request', async () => {
    expect(await bindingOf(await present(), expected)).toEqual(['pass', true]);
    expect(await bindingOf(await present())).toEqual(['pass', true]);
  });

  test('fails when it is asked for and missing', async () => {
    const compact = await signing.issueCredential(content);
    expect(await bindingOf(compact, expected)).toEqual(['fail', false]);
  });

  test('fails for another presentation, key, type, request, verifier or time', async () => {
    const other = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
    const unbound = await signing.issueCredential(content);
    const wrong = [
      await present({ sd_hash: 'x' }),
      await present({}, 'JWT'),
      await present({}, 'kb+jwt', other),
      await present({ nonce: 'n-2' }),
      await present({ aud: 'https://other.example' }),
      await present({ iat: registered.iat - 301 }),
      await present({ iat: registered.iat + 301 }),
      await present({ iat: 'now' }),
      `${await present()}x`,
      `${unbound}${(await present()).split('~').at(-1)}`,
    ];
    for (const compact of wrong) {
      expect(await bindingOf(compact, expected)).toEqual(['fail', false]);
    }
  });
});

describe('a receipt', () => {
  const payload = {
    iss: CIVIL,
    jti: '0190',
    service: 'VS-MARITAL',
    requestedAt: '2026-03-04T05:00:00Z',
    answeredAt: '2026-03-04T05:00:01Z',
    custody: 'platform',
  };

  test('names its department by name and USCC', async () => {
    const receipt = await signing.signReceipt(CIVIL, payload);
    expect(readCompact(receipt)?.header).toMatchObject({ alg: 'ES256', typ: 'yihao-receipt+jwt' });
    const verified = await signing.verifyReceipt(receipt);
    expect({ ...verified, checks: verified.checks.map(({ result }) => result) }).toEqual({
      checks: ['pass', 'pass', 'pass', 'pass'],
      isAuthentic: true,
      payload,
      department: { uscc: CIVIL, name: '云珠市民政局' },
    });
  });

  test('is refused when changed, signed for another department or by another kind of key', async () => {
    const receipt = await signing.signReceipt(CIVIL, payload);
    const credential = await signing.issueCredential({ ...content, disclosable: {} });
    const typ = 'yihao-receipt+jwt';
    const wrong: [string, string][] = [
      [`${receipt.slice(0, -4)}AAAA`, 'signature'],
      [
        forge(`receipts/${POLICE}.key.pem`, headerOf(`receipts/${POLICE}`, { typ }), payload),
        'department',
      ],
      [forge('credential.key.pem', headerOf('credential', { typ }), payload), 'certificate'],
      [credential.slice(0, -1), 'format'],
      ['', 'format'],
      ['a.b.c', 'format'],
    ];
    for (const [text, check] of wrong) {
      const verified = await signing.verifyReceipt(text);
      const failed = verified.checks.filter(({ result }) => result === 'fail');
      expect([verified.isAuthentic, failed.map(({ name }) => name)]).toEqual([false, [check]]);
    }
  });

  test('is signed only in the name of the department whose key it is', async () => {
    await expect(signing.signReceipt(POLICE, payload)).rejects.toThrow(TypeError);
    await expect(
      signing.signReceipt('119901000099999999', { ...payload, iss: '119901000099999999' }),
    ).rejects.toMatchObject({ code: 'signing.keys_missing' });
  });
});

test('the keys that foreign verifiers find by web verify our credentials', async () => {
  const { issuer, jwks } = z
    .strictObject({
      issuer: z.literal(TEST_PUBLIC_URL),
      jwks: z.object({ keys: z.array(z.looseObject({ kty: z.literal('EC') })) }),
    })
    .parse(signing.jwtVcIssuer());
  const [jwt = ''] = (await signing.issueCredential(content)).split('~');
  const { payload } = await jwtVerify(jwt, createLocalJWKSet(jwks), {
    issuer,
    typ: 'dc+sd-jwt',
    currentDate: now,
  });
  expect(payload).toMatchObject(registered);
  expect(jwks.keys.map((key) => 'd' in key)).toEqual([false]);
});
