// The signer over its socket: what it signs for a process without keys, and what it refuses to.
import {
  chmodSync,
  existsSync,
  linkSync,
  mkdtempSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { request } from 'node:http';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { systemClock, systemIds } from '../../../platform/index.ts';
import { createLogger } from '../../../platform/logger.ts';
import { formatLicenceNumber } from '../../../registry/index.ts';
import {
  connectSigner,
  createSignerDesk,
  createSigning,
  openKeystore,
  type Signing,
  serveSigner,
} from '../../../signing/index.ts';
import type { CredentialContent } from '../../../signing/issue-credential.ts';
import { eventually } from '../../support/eventually.ts';
import { TEST_PUBLIC_URL, testKeys } from '../../support/keys.ts';
import { withRegistry } from '../registry/house.ts';

const house = withRegistry();
const dir = mkdtempSync(join(tmpdir(), 'yihao-signer-'));
const path = join(dir, 's.sock');
const logger = createLogger({ level: 'silent' });
const remote = connectSigner(path);
const closers: (() => Promise<void> | void)[] = [() => remote.close()];
const CIVIL = '11990100009900013U';
/** Signing as a process of the role api has it. */
let asApi: Signing;
let health: { uscc: string; nameZh: string };

const serve = async () => {
  const server = await serveSigner(path, desk(), logger);
  closers.unshift(() => server.close());
  return server;
};

function desk() {
  return createSignerDesk({
    database: house.database,
    clock: systemClock,
    publicUrl: TEST_PUBLIC_URL,
    signing: house.signing,
    checkCredential: house.registry.checkCredential,
    documentOf: house.registry.documentOf,
    receiptOf: async (id) => `receipt of ${id}`,
  });
}

beforeAll(async () => {
  const { keysDir } = await testKeys();
  asApi = createSigning({
    database: house.database,
    clock: systemClock,
    ids: systemIds,
    keystore: openKeystore(keysDir, 'api'),
    remote,
    publicUrl: TEST_PUBLIC_URL,
    logger,
  });
  health = await house.identity.getOrganisation('health');
  await serve();
});

afterAll(async () => {
  for (const close of closers) await close();
  rmSync(dir, { recursive: true, force: true });
});

/** A health certificate that could be one, changed at will. */
async function content(changes: Partial<CredentialContent> = {}): Promise<CredentialContent> {
  const type = await house.registry.getType('LT-HEALTHCERT');
  const { uri, idx } = await house.database.transaction((tx) => house.signing.allocateStatus(tx));
  const number = { type: type.code, authority: health.uscc, version: 1 };
  return {
    vct: `${TEST_PUBLIC_URL}/vct/${type.code}/${type.version}`,
    claims: {
      licence_id: formatLicenceNumber({
        ...number,
        serial: systemIds.bytes(8).toString('hex').toUpperCase(),
      }),
      licence_version: 1,
      issuing_authority: { name: health.nameZh, uscc: health.uscc },
      valid_from: '2026-01-01',
    },
    disclosable: { holder_name: '李小明', holder_id: '990101199001010019', trade: 'food' },
    status: { uri, idx },
    iat: systemClock.now(),
    ...changes,
  };
}

function post(target: string, body: string, method = 'POST'): Promise<number> {
  return new Promise((resolve, reject) => {
    const sent = request({ socketPath: path, path: target, method }, (reply) => {
      reply.resume();
      reply.on('end', () => resolve(reply.statusCode ?? 0));
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

test('the socket is its owner’s alone', () => {
  expect((statSync(path).mode & 0o777).toString(8)).toBe('600');
});

test('whoever leans on the signer can ask whether it is there', async () => {
  await expect(remote.reach()).resolves.toBeUndefined();
  const nobody = connectSigner(join(dir, 'nobody.sock'));
  await expect(nobody.reach()).rejects.toMatchObject({ code: 'signing.signer_unavailable' });
  nobody.close();
});

test('a process without keys issues credentials that verify, each recorded by its place', async () => {
  const contents = await Promise.all([1, 2, 3].map(() => content()));
  const credentials = await Promise.all(contents.map((one) => asApi.issueCredential(one)));
  for (const credential of credentials) {
    const { isAuthentic, claims } = await house.signing.verifyCredential(credential, {
      now: systemClock.now(),
    });
    expect([isAuthentic, claims?.holder_name]).toEqual([true, '李小明']);
  }
  for (const { status, claims } of contents) {
    const rows = await house.ownerSql`select licence from signing.credential_signatures
      where status_uri = ${status?.uri ?? ''} and status_idx = ${status?.idx ?? -1}`;
    expect(rows).toEqual([{ licence: claims.licence_id }]);
  }
});

test('of one place in a status list nobody gets a second credential', async () => {
  const first = await content();
  await asApi.issueCredential(first);
  const again = await content({ status: first.status ?? { uri: '', idx: 0 } });
  await expect(asApi.issueCredential(again)).rejects.toThrow(/signature_refused/);
  // Together with one that would be good: neither is signed, neither recorded.
  const good = await content();
  const both = await Promise.allSettled([
    asApi.issueCredential(again),
    asApi.issueCredential(good),
  ]);
  expect(both.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  const rows = await house.ownerSql`select from signing.credential_signatures
    where status_idx = ${good.status?.idx ?? -1}`;
  expect(rows.length).toBe(0);
});

test('what no licence of this house can be is not signed', async () => {
  const good = await content();
  const civilNumber = formatLicenceNumber({
    type: (await house.registry.getType('LT-HEALTHCERT')).code,
    authority: CIVIL,
    serial: 'A1',
    version: 1,
  });
  const wrong: Record<string, Partial<CredentialContent>> = {
    'another issuer’s type': { vct: 'https://elsewhere.example/vct/1/1' },
    'an unknown type': { vct: `${TEST_PUBLIC_URL}/vct/11990100009900013U999/1` },
    'an unknown version': { vct: good.vct.replace(/1$/, '77') },
    'a number that is none': { claims: { ...good.claims, licence_id: 'X' } },
    'another authority’s number': { claims: { ...good.claims, licence_id: civilNumber } },
    'another version': { claims: { ...good.claims, licence_version: 2 } },
    'an authority of nowhere': {
      claims: { ...good.claims, issuing_authority: { name: '某局', uscc: '119901000099009999' } },
    },
    'another’s name for an authority': {
      claims: { ...good.claims, issuing_authority: { name: '某局', uscc: health.uscc } },
    },
    'a claim more': { claims: { ...good.claims, admin: true } },
    'a field its type has not': { disclosable: { ...good.disclosable, is_mayor: true } },
    'a status list of elsewhere': { status: { uri: 'https://elsewhere.example/1', idx: 1 } },
    'a date in the past': { iat: new Date(systemClock.now().getTime() - 3_600_000) },
  };
  for (const [what, changes] of Object.entries(wrong)) {
    const error = await asApi.issueCredential(await content(changes)).then(
      () => 'signed',
      (refusal: unknown) => String(refusal),
    );
    expect([what, error]).toEqual([what, expect.stringMatching(/refused|not_found/)]);
  }
  const unplaced = await content();
  delete unplaced.status;
  await expect(asApi.issueCredential(unplaced)).rejects.toThrow(TypeError);
});

test('nothing but the four requests is understood, and no bytes to be signed', async () => {
  for (const [target, body, expected] of [
    ['/sign', '{"bytes":"AAAA"}', 404],
    ['/credentials', '{"credentials":[{"payload":"AAAA"}]}', 400],
    ['/credentials', '{"credentials":[]}', 400],
    ['/credentials', 'not json', 400],
    ['/receipts', '{"verification":"x"}', 400],
    ['/receipts', '{"verification":"01a21bd8-6e1c-7281-9627-d5e7f6f157be","payload":{}}', 400],
    ['/crl', '[', 400],
    ['/credentials', 'x'.repeat(21 * 1_048_576), 413],
  ] as const) {
    expect([target, body.length, await post(target, body).catch(() => 413)]).toEqual([
      target,
      body.length,
      expected,
    ]);
  }
  expect(await post('/crl', '', 'GET')).toBe(404);
});

test('a receipt is asked for by the verification alone; list and CRL by their names', async () => {
  const id = systemIds.uuid();
  expect(await asApi.signReceipt(CIVIL, { iss: CIVIL, jti: id, answer: 'forged' })).toBe(
    `receipt of ${id}`,
  );
  await content();
  expect(await asApi.statusListToken('0')).toMatch(/^ey/);
  expect([await asApi.statusListToken('7'), await asApi.statusListToken('x')]).toEqual([
    null,
    null,
  ]);
  expect((await asApi.crl()).equals(await house.signing.crl())).toBe(true);
});

test('a process without keys and without a signer is not built', async () => {
  const { keysDir } = await testKeys();
  const { database } = house;
  const deps = { database, clock: systemClock, ids: systemIds, publicUrl: TEST_PUBLIC_URL, logger };
  expect(() => createSigning({ ...deps, keystore: openKeystore(keysDir, 'api') })).toThrow(
    TypeError,
  );
});

test('while nobody signs it is said so, and nothing is recorded', async () => {
  const nobody = connectSigner(join(dir, 'nobody.sock'));
  const { keysDir } = await testKeys();
  const orphan = createSigning({
    database: house.database,
    clock: systemClock,
    ids: systemIds,
    keystore: openKeystore(keysDir, 'api'),
    remote: nobody,
    publicUrl: TEST_PUBLIC_URL,
    logger,
  });
  for (const act of [
    async () => orphan.issueCredential(await content()),
    () => orphan.signReceipt(CIVIL, { iss: CIVIL, jti: systemIds.uuid() }),
    () => orphan.statusListToken('0'),
  ]) {
    await expect(act()).rejects.toMatchObject({
      code: 'signing.signer_unavailable',
      kind: 'unavailable',
    });
  }
  nobody.close();
});

test('a path that no socket can have is refused with what to do', async () => {
  await expect(serveSigner(join(dir, 'x'.repeat(120)), desk(), logger)).rejects.toMatchObject({
    code: 'signing.signer_unavailable',
    detail: expect.stringContaining('SIGNER_SOCKET'),
  });
});

test('a second signer stands by, and takes over when the first has gone', async () => {
  const place = join(dir, 'two.sock');
  const first = await serveSigner(place, desk(), logger);
  const second = await serveSigner(place, desk(), logger);
  closers.unshift(() => second.close());
  const asker = connectSigner(place);
  closers.unshift(() => asker.close());
  expect(await asker.statusListToken('0')).toMatch(/^ey/);
  await first.close();
  await eventually(() => asker.statusListToken('0').then(Boolean, () => false), {
    timeoutMs: 10_000,
  });
});

test('a socket a killed process left is replaced; a file that is none is left', async () => {
  const left = join(dir, 'left.sock');
  const dead = createServer().listen(left);
  await new Promise((resolve) => dead.once('listening', resolve));
  // Closing removes the socket; a copy of its name is what a kill leaves.
  linkSync(left, `${left}.kept`);
  await new Promise((resolve) => dead.close(resolve));
  linkSync(`${left}.kept`, left);
  expect(existsSync(left)).toBe(true);
  const server = await serveSigner(left, desk(), logger);
  closers.unshift(() => server.close());
  expect((statSync(left).mode & 0o777).toString(8)).toBe('600');

  const file = join(dir, 'file.sock');
  writeFileSync(file, 'mine');
  chmodSync(file, 0o644);
  await expect(serveSigner(file, desk(), logger)).rejects.toMatchObject({ code: 'EADDRINUSE' });
  expect(statSync(file).isFile()).toBe(true);
});
