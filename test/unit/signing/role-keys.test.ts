// The table of roles and keys, and that a keystore keeps to it before it touches a file.
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type Keystore, openKeystore } from '../../../signing/index.ts';
import { SECRET_NAMES } from '../../../signing/key-files.ts';
import { type KeyUse, mayLoad, type ProcessRole, rolesOfKey } from '../../../signing/role-keys.ts';
import { testKeys } from '../../support/keys.ts';

const roles: ProcessRole[] = ['api', 'worker', 'log', 'all'];
const uses = Object.keys(rolesOfKey) as KeyUse[];
const USCC = '11990100009900013U';
const rotating = ['kek', 'index-registry'] as const;

/** How each key is asked for. */
const asking: Record<string, (keystore: Keystore) => unknown> = {
  issuing: (keystore) => keystore.issuingAuthority ?? refuse(),
  credential: (keystore) => keystore.credentialKey,
  status: (keystore) => keystore.statusKey,
  timestamp: (keystore) => keystore.timestampKey,
  receipts: (keystore) => keystore.receiptKey(USCC),
  seals: (keystore) => keystore.sealKey(USCC),
  log: (keystore) => keystore.logKeys.first.sign(Buffer.from('a head')),
  token: (keystore) => keystore.tokenKey,
  ...Object.fromEntries(
    rotating.map((name) => [name, (one: Keystore) => one.secretVersions(name)]),
  ),
};

function refuse(): never {
  throw new TypeError('The role does not load it.');
}

function ask(keystore: Keystore, use: KeyUse): unknown {
  const how = asking[use];
  if (how) return how(keystore);
  const name = SECRET_NAMES.find((known) => known === use);
  if (!name || name === 'kek' || name === 'index-registry')
    throw new Error(`How is ${use} asked for?`);
  return keystore.secret(name);
}

test('the role that faces the internet holds no CA, seal, credential, status, receipt or log key', () => {
  for (const use of [
    'issuing',
    'credential',
    'status',
    'timestamp',
    'receipts',
    'seals',
    'log',
  ] as const) {
    expect([use, mayLoad('api', use)]).toEqual([use, false]);
  }
});

test('the role log holds the log’s key and that of the map’s labels, and only it and all sign the log', () => {
  expect(uses.filter((use) => mayLoad('log', use))).toEqual(['log', 'map-labels']);
  expect(roles.filter((role) => mayLoad(role, 'log'))).toEqual(['log', 'all']);
});

test('the role that signs for the city holds nothing that lets anybody in', () => {
  for (const use of ['token', 'session'] as const) expect(mayLoad('worker', use)).toBe(false);
});

test('every key has a role, and the root’s has none', () => {
  for (const use of uses)
    expect(roles.filter((role) => mayLoad(role, use)).length).toBeGreaterThan(0);
  expect(uses).not.toContain('root');
  expect(uses).toEqual(expect.arrayContaining([...SECRET_NAMES]));
});

test('each role gets each key exactly where the table says so', async () => {
  const { keysDir } = await testKeys();
  for (const role of roles) {
    const keystore = openKeystore(keysDir, role);
    for (const use of uses) {
      let isGiven = true;
      try {
        ask(keystore, use);
      } catch (error) {
        expect(error).toBeInstanceOf(TypeError);
        isGiven = false;
      }
      expect([role, use, isGiven]).toEqual([role, use, mayLoad(role, use)]);
    }
  }
});

test('a key that is refused is not read: its file may hold anything, or be missing', () => {
  const dir = mkdtempSync(join(tmpdir(), 'yihao-role-keys-'));
  writeFileSync(join(dir, 'log.key.pem'), 'not a key');
  for (const role of roles) {
    const keystore = openKeystore(dir, role);
    for (const use of uses.filter((one) => !mayLoad(role, one))) {
      expect(() => ask(keystore, use)).toThrow(TypeError);
    }
  }
});

test('what anybody may know of a key needs no role', async () => {
  const { keysDir, keystore } = await testKeys();
  const asLog = openKeystore(keysDir, 'log');
  expect(asLog.credentialPublicKey.kid).toBe(keystore.credentialKey.kid);
  expect(openKeystore(keysDir, 'api').logKeys.first.publicKey).toEqual(
    keystore.logKeys.first.publicKey,
  );
  expect(asLog.issuingCertificate.raw).toEqual(keystore.issuingCertificate.raw);
});
