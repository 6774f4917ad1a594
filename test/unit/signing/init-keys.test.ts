import 'reflect-metadata';
import { execFileSync } from 'node:child_process';
import { hkdfSync, X509Certificate } from 'node:crypto';
import {
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as x509 from '@peculiar/x509';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { AppError, fixedClock, systemIds } from '../../../platform/index.ts';
import { initKeys, openKeystore } from '../../../signing/index.ts';

const CIVIL = { name: '云珠市民政局', uscc: '11990100009900013U' };
const POLICE = { name: '云珠市公安局', uscc: '11990100009900021N' };
const clock = fixedClock('2026-03-04T05:00:00Z');
const options = {
  organisations: [CIVIL],
  publicUrl: 'https://yihao.example',
  clock,
  ids: systemIds,
};

let keysDir: string;
let made: string[];

beforeAll(async () => {
  keysDir = mkdtempSync(join(tmpdir(), 'yihao-init-'));
  made = await initKeys(keysDir, options);
});
afterAll(() => rmSync(keysDir, { recursive: true }));

const allFiles = (): string[] =>
  readdirSync(keysDir, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(keysDir.length + 1))
    .sort();

const contents = () => allFiles().map((file) => readFileSync(join(keysDir, file), 'base64'));
const certificate = (name: string) =>
  new X509Certificate(readFileSync(join(keysDir, `${name}.crt.pem`)));

const LEAVES = [
  'credential',
  'status',
  'timestamp',
  `receipts/${CIVIL.uscc}`,
  `seals/${CIVIL.uscc}`,
];

describe('keys init', () => {
  test('names every file it made, and made no other', () => {
    expect(made).toEqual(allFiles());
    expect(made).toContain('secrets/kek.key');
  });

  test('leaves the keys readable to their owner alone', () => {
    const modes = ['', 'receipts', 'seals', 'secrets', ...allFiles()].map((path) => {
      const { mode } = statSync(join(keysDir, path));
      return `${path}: ${(mode & 0o777).toString(8)}`;
    });
    expect(modes.filter((mode) => !/: (600|700)$/.test(mode))).toEqual([]);
  });

  test('changes nothing when it runs again', async () => {
    const before = contents();
    expect(await initKeys(keysDir, options)).toEqual([]);
    expect(contents()).toEqual(before);
  });

  test('makes what is missing: a certificate lost in a crash, a new department', async () => {
    const before = readFileSync(join(keysDir, 'status.key.pem'), 'utf8');
    unlinkSync(join(keysDir, 'status.crt.pem'));
    const again = { ...options, organisations: [CIVIL, POLICE] };
    expect(await initKeys(keysDir, again)).toEqual([
      `receipts/${POLICE.uscc}.crt.pem`,
      `receipts/${POLICE.uscc}.key.pem`,
      `seals/${POLICE.uscc}.crt.pem`,
      `seals/${POLICE.uscc}.key.pem`,
      'status.crt.pem',
    ]);
    expect(readFileSync(join(keysDir, 'status.key.pem'), 'utf8')).toBe(before);
  });

  test('leaves a root whose private key was taken off the machine as it is', async () => {
    const key = readFileSync(join(keysDir, 'root.key.pem'));
    unlinkSync(join(keysDir, 'root.key.pem'));
    expect(await initKeys(keysDir, options)).toEqual([]);
    expect(openKeystore(keysDir, 'all').rootCertificate.subject).toContain('Yihao Root CA');
    writeFileSync(join(keysDir, 'root.key.pem'), key, { mode: 0o600 });
  });

  test('says which key to bring back when there is something new to certify', async () => {
    const key = readFileSync(join(keysDir, 'issuing.key.pem'));
    unlinkSync(join(keysDir, 'issuing.key.pem'));
    const more = { ...options, organisations: [{ name: '新局', uscc: '119901000099009999' }] };
    await expect(initKeys(keysDir, more)).rejects.toMatchObject({
      code: 'signing.keys_missing',
      detail: expect.stringContaining('issuing.key.pem'),
    });
    writeFileSync(join(keysDir, 'issuing.key.pem'), key, { mode: 0o600 });
  });

  test('run twice at once, both runs end with one set of keys', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'yihao-init-'));
    const [one, other] = await Promise.all([initKeys(dir, options), initKeys(dir, options)]);
    expect([...one, ...other].sort()).toEqual(made);
    const keystore = openKeystore(dir, 'all');
    // Opening a signer checks that key and certificate belong together.
    expect(keystore.credentialKey.certificate.verify(keystore.issuingCertificate.publicKey)).toBe(
      true,
    );
    expect(keystore.sealKey(CIVIL.uscc).algorithm).toBe('RS256');
    rmSync(dir, { recursive: true });
  });

  test('never makes the first version of a secret again once it was rotated and retired', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'yihao-init-'));
    await initKeys(dir, options);
    const kek = openKeystore(dir, 'all').secretVersions('kek');
    await kek.make(2);
    const second = kek.at(2);
    await kek.make(2);
    kek.retire(1);
    kek.retire(1);
    expect(await initKeys(dir, options)).toEqual([]);
    const versions = openKeystore(dir, 'all').secretVersions('kek');
    expect(versions.at(2)).toEqual(second);
    expect(thrownBy(() => versions.at(1))).toMatchObject({ code: 'signing.keys_missing' });
    expect(readdirSync(join(dir, 'retired'))).toEqual(['kek.v1.key']);
    rmSync(dir, { recursive: true });
  });

  test('draws pepper and platform key from the key-encryption key of a house made before', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'yihao-init-'));
    await initKeys(dir, options);
    for (const name of ['pepper', 'platform-data']) unlinkSync(join(dir, `secrets/${name}.key`));
    expect(await initKeys(dir, options)).toEqual([
      'secrets/pepper.key',
      'secrets/platform-data.key',
    ]);
    const keystore = openKeystore(dir, 'all');
    const drawn = (purpose: string) =>
      Buffer.from(hkdfSync('sha256', keystore.secretVersions('kek').at(1), '', purpose, 32));
    expect(keystore.secret('pepper')).toEqual(drawn('yihao|secret-pepper'));
    expect(keystore.secret('platform-data')).toEqual(drawn('yihao|platform-data'));
    rmSync(dir, { recursive: true });
  });

  test('refuses a name for a department that could leave the folder', async () => {
    const wrong = { ...options, organisations: [{ name: 'x', uscc: '../../1234567890ab' }] };
    await expect(initKeys(keysDir, wrong)).rejects.toThrow(TypeError);
  });
});

describe('the certificates', () => {
  test('form paths leaf, issuing CA, root', () => {
    const root = certificate('root');
    const issuing = certificate('issuing');
    expect(root.verify(root.publicKey) && root.ca && root.checkIssued(root)).toBe(true);
    expect(issuing.verify(root.publicKey) && issuing.ca && issuing.checkIssued(root)).toBe(true);
    for (const leaf of LEAVES.map(certificate)) {
      expect(leaf.verify(issuing.publicKey) && leaf.checkIssued(issuing) && !leaf.ca).toBe(true);
    }
  });

  test('name the department, its USCC and the purpose in the subject', () => {
    expect({ ...certificate(`receipts/${CIVIL.uscc}`).toLegacyObject().subject }).toEqual({
      C: 'CN',
      O: CIVIL.name,
      organizationIdentifier: `NTRCN-${CIVIL.uscc}`,
      OU: 'Receipt signing',
      serialNumber: CIVIL.uscc,
      CN: CIVIL.name,
    });
  });

  test('live as long as their kind, never longer than their issuer', async () => {
    const years = (name: string) => new Date(certificate(name).validTo).getUTCFullYear() - 2026;
    expect([...['root', 'issuing'], ...LEAVES].map(years)).toEqual([20, 10, 3, 3, 3, 3, 3]);
    const dir = mkdtempSync(join(tmpdir(), 'yihao-init-'));
    await initKeys(dir, { ...options, organisations: [], years: { root: 2, issuing: 5, leaf: 9 } });
    const keystore = openKeystore(dir, 'all');
    expect([keystore.issuingCertificate.validTo, keystore.statusKey.certificate.validTo]).toEqual([
      keystore.rootCertificate.validTo,
      keystore.rootCertificate.validTo,
    ]);
    rmSync(dir, { recursive: true });
  });

  test('carry the extensions of their profile, as an independent reader sees them', () => {
    const profile = (name: string) => {
      const read = new x509.X509Certificate(certificate(name).raw);
      const basic = read.getExtension(x509.BasicConstraintsExtension);
      const usage = read.getExtension(x509.KeyUsagesExtension)?.usages ?? 0;
      const extended = read.getExtension(x509.ExtendedKeyUsageExtension);
      return {
        ca: basic?.ca,
        pathLength: basic?.pathLength,
        usage,
        extended: extended && { critical: extended.critical, usages: extended.usages },
        serialBytes: read.serialNumber.length / 2,
        crl: read.getExtension(x509.CRLDistributionPointsExtension)?.distributionPoints.length,
      };
    };
    const { digitalSignature, nonRepudiation, keyCertSign, cRLSign } = x509.KeyUsageFlags;
    const leaf = { serialBytes: 16, ca: false, pathLength: undefined, crl: 1 };
    expect(Object.fromEntries(['root', 'issuing', ...LEAVES].map((n) => [n, profile(n)]))).toEqual({
      root: {
        serialBytes: 16,
        ca: true,
        pathLength: undefined,
        usage: keyCertSign | cRLSign,
        extended: null,
        crl: undefined,
      },
      issuing: {
        serialBytes: 16,
        ca: true,
        pathLength: 0,
        usage: keyCertSign | cRLSign,
        extended: null,
        crl: undefined,
      },
      credential: { ...leaf, usage: digitalSignature, extended: null },
      status: { ...leaf, usage: digitalSignature, extended: null },
      timestamp: {
        ...leaf,
        usage: digitalSignature,
        extended: { critical: true, usages: ['1.3.6.1.5.5.7.3.8'] },
      },
      [`receipts/${CIVIL.uscc}`]: {
        ...leaf,
        usage: digitalSignature | nonRepudiation,
        extended: null,
      },
      [`seals/${CIVIL.uscc}`]: {
        ...leaf,
        usage: digitalSignature | nonRepudiation,
        extended: { critical: false, usages: ['1.3.6.1.5.5.7.3.36', '1.3.6.1.5.5.7.3.4'] },
      },
    });
  });

  test.skipIf(!hasOpenssl())('satisfy openssl verify -x509_strict', () => {
    const file = (name: string) => join(keysDir, `${name}.crt.pem`);
    const args = ['-x509_strict', '-CAfile', file('root'), '-untrusted', file('issuing')];
    const at = String(Date.parse('2026-06-01T00:00:00Z') / 1000);
    for (const leaf of LEAVES) {
      const purpose = { timestamp: 'timestampsign' }[leaf] ?? 'any';
      const said = execFileSync(
        'openssl',
        ['verify', ...args, '-purpose', purpose, '-attime', at, file(leaf)],
        { encoding: 'utf8' },
      );
      expect(said).toBe(`${file(leaf)}: OK\n`);
    }
  });
});

describe('the keystore', () => {
  test('opens without a single file, and says what to do when one is asked for', () => {
    const dir = mkdtempSync(join(tmpdir(), 'yihao-init-'));
    const keystore = openKeystore(dir, 'all');
    const asked: (() => unknown)[] = [
      () => keystore.secret('session'),
      () => keystore.secretVersions('kek').at(1),
      () => keystore.logKeys.first.publicKey,
      () => keystore.logKeys.first.sign(Buffer.from('a head')),
      () => keystore.tokenKey,
      () => keystore.credentialKey,
      () => keystore.statusKey,
      () => keystore.timestampKey,
      () => keystore.receiptKey(CIVIL.uscc),
      () => keystore.sealKey(CIVIL.uscc),
      () => keystore.rootCertificate,
      () => keystore.issuingCertificate,
    ];
    for (const ask of asked) {
      const error = thrownBy(ask);
      expect(error).toBeInstanceOf(AppError);
      expect(error).toMatchObject({
        kind: 'unavailable',
        code: 'signing.keys_missing',
        detail: expect.stringContaining('npm run yihao -- keys init'),
      });
    }
    expect(keystore.issuingAuthority).toBeNull();
    rmSync(dir, { recursive: true });
  });

  test('refuses a key that does not belong to its certificate, and a cut-off secret', () => {
    const damaged = [
      ['credential.key.pem', readFileSync(join(keysDir, 'token.key.pem'))],
      ['secrets/kek.key', Buffer.alloc(31)],
    ] as const;
    for (const [file, content] of damaged) {
      const whole = readFileSync(join(keysDir, file));
      writeFileSync(join(keysDir, file), content);
      const keystore = openKeystore(keysDir, 'all');
      const ask = () =>
        file.startsWith('secrets') ? keystore.secretVersions('kek').at(1) : keystore.credentialKey;
      expect(thrownBy(ask)).toMatchObject({ code: 'signing.keys_missing' });
      writeFileSync(join(keysDir, file), whole);
    }
  });

  test('gives each secret its own 32 bytes', () => {
    const keystore = openKeystore(keysDir, 'all');
    const secrets = [
      ...(['session', 'index-audit', 'pepper'] as const).map((name) => keystore.secret(name)),
      ...(['kek', 'index-registry'] as const).map((name) => keystore.secretVersions(name).at(1)),
    ].map((secret) => secret.toString('hex'));
    expect(new Set(secrets.map((secret) => secret.length))).toEqual(new Set([64]));
    expect(new Set(secrets).size).toBe(5);
  });
});

function thrownBy(act: () => unknown): unknown {
  try {
    act();
  } catch (error) {
    return error;
  }
  throw new Error('Nothing was thrown.');
}

function hasOpenssl(): boolean {
  try {
    execFileSync('openssl', ['version']);
    return true;
  } catch {
    return false;
  }
}
