// Time-stamps (RFC 3161), asked for and checked by OpenSSL.
import { createHash, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  enumerated,
  objectId,
  octets,
  sequence,
  smallInteger,
  tagged,
  writeDer,
} from '../../../signing/der.ts';
import { testKeys } from '../../support/keys.ts';
import { pemOf, run, scratch } from '../../support/openssl.ts';
import { withHouse } from '../api/house.ts';

const house = withHouse();
const files = scratch();
const data = files.file('data', 'a document');
let root: string;
let issuing: string;

beforeAll(() => {
  root = files.file('root.pem', pemOf(house.services.signing.rootCertificate()));
  issuing = files.file('issuing.pem', pemOf(house.services.signing.issuingCertificate()));
});
afterAll(() => files.remove());

const query = (...more: string[]) =>
  run('openssl', ['ts', '-query', '-data', data, '-sha256', ...more]).bytes;

async function ask(body: Uint8Array, type = 'application/timestamp-query'): Promise<Response> {
  return fetch(`${house.baseUrl}/tsa`, {
    method: 'POST',
    headers: { 'Content-Type': type },
    body: Buffer.from(body),
  });
}

async function reply(body: Uint8Array): Promise<{ text: string; path: string }> {
  const response = await ask(body);
  expect([response.status, response.headers.get('content-type')]).toEqual([
    200,
    'application/timestamp-reply',
  ]);
  const path = files.file('reply.tsr', new Uint8Array(await response.arrayBuffer()));
  return { text: run('openssl', ['ts', '-reply', '-in', path, '-text']).text, path };
}

const verify = (...args: string[]) =>
  run('openssl', ['ts', '-verify', ...args, '-CAfile', root, '-untrusted', issuing]);

describe('OpenSSL verifies a time-stamp', () => {
  test.each(['-sha256', '-sha384', '-sha512'])('over %s', async (hash) => {
    const request = run('openssl', ['ts', '-query', '-data', data, hash, '-cert']).bytes;
    const { path, text } = await reply(request);
    expect(text).toMatch(/Status: Granted\.[\s\S]*Accuracy: 0x01 seconds[\s\S]*Ordering: no/);
    const queryfile = files.file('query.tsq', request);
    expect(verify('-queryfile', queryfile, '-in', path)).toMatchObject({ isOk: true });
    expect(verify('-data', data, '-in', path)).toMatchObject({ isOk: true });
  });

  test('and refuses it for other data', async () => {
    const { path } = await reply(query('-cert'));
    const other = files.file('other', 'a documenT');
    expect(verify('-data', other, '-in', path).text).toMatch(/message imprint mismatch/);
  });

  test('without certificates inside when none are asked for', async () => {
    const { path } = await reply(query());
    expect(verify('-data', data, '-in', path).isOk).toBe(false);
    const { keysDir } = await testKeys();
    const chain = `${readFileSync(join(keysDir, 'timestamp.crt.pem'))}${readFileSync(issuing)}`;
    const both = files.file('chain.pem', chain);
    const args = ['ts', '-verify', '-data', data, '-in', path, '-CAfile', root, '-untrusted', both];
    expect(run('openssl', args)).toMatchObject({ isOk: true });
  });

  test('and its nonce is the one of the question', async () => {
    const { path } = await reply(query('-cert'));
    const other = files.file('other.tsq', query('-cert'));
    expect(verify('-queryfile', other, '-in', path).text).toMatch(/nonce mismatch/);
  });
});

test('no serial number comes twice, also of requests in the same moment', async () => {
  const replies = await Promise.all(Array.from({ length: 20 }, () => ask(query('-cert'))));
  const texts: string[] = [];
  for (const response of replies) {
    const path = files.file('one.tsr', new Uint8Array(await response.arrayBuffer()));
    texts.push(run('openssl', ['ts', '-reply', '-in', path, '-text']).text);
  }
  const serials = texts.map((text) => /Serial number: (0x[0-9A-F]+)/.exec(text)?.[1]);
  expect(serials).not.toContain(undefined);
  expect(new Set(serials).size).toBe(20);
  const [row] = await house.ownerSql`select count(*)::int from signing.timestamps`;
  expect(row?.count).toBeGreaterThanOrEqual(20);
});

describe('a rejection is a reply with its reason', () => {
  const digest = createHash('sha256').update('x').digest();
  const sha256 = '2.16.840.1.101.3.4.2.1';
  const imprint = (oid = sha256, bytes: Uint8Array = digest) =>
    sequence(sequence(objectId(oid)), octets(bytes));
  const requests: [string, () => Uint8Array, RegExp][] = [
    ['no DER', () => Buffer.from('nonsense'), /the data submitted has the wrong format/],
    ['nothing', () => Buffer.alloc(0), /the data submitted has the wrong format/],
    [
      'no request',
      () => writeDer(sequence(smallInteger(1))),
      /the data submitted has the wrong format/,
    ],
    [
      'version 2',
      () => writeDer(sequence(smallInteger(2), imprint())),
      /transaction not permitted/,
    ],
    [
      'SHA-1',
      () => run('openssl', ['ts', '-query', '-data', data, '-sha1']).bytes,
      /unrecognized or unsupported algorithm/,
    ],
    [
      'a digest too short',
      () => writeDer(sequence(smallInteger(1), imprint(sha256, digest.subarray(1)))),
      /the data submitted has the wrong format/,
    ],
    ['a foreign policy', () => query('-tspolicy', '1.2.3.4'), /policy is not supported/],
    [
      'an extension',
      () => writeDer(sequence(smallInteger(1), imprint(), tagged(0, enumerated(1)))),
      /extension is not supported/,
    ],
    [
      'an endless nonce',
      () => writeDer(sequence(smallInteger(1), imprint(), bigNonce())),
      /transaction not permitted/,
    ],
    [
      'nested without end',
      () => Buffer.from('30'.repeat(4000), 'hex'),
      /the data submitted has the wrong format/,
    ],
    ['noise', () => randomBytes(500), /the data submitted has the wrong format/],
  ];
  const bigNonce = () => Object.assign(octets(Buffer.alloc(65, 1)), { type: 2 });

  test.each(requests)('%s', async (_, request, reason) => {
    const { text } = await reply(request());
    expect(text).toMatch(/Status: Rejected\./);
    expect(text).toMatch(reason);
  });
});

test('what is no time-stamp query is refused as such', async () => {
  expect((await ask(query(), 'application/json')).status).toBe(415);
  expect((await ask(Buffer.alloc(4097))).status).toBe(413);
  expect((await fetch(`${house.baseUrl}/tsa`)).status).toBe(405);
});
