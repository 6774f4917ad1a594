// The revocation list: read by independent software, renewed in time, obeyed by our verifier.
import 'reflect-metadata';
import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as x509 from '@peculiar/x509';
import pino from 'pino';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { fixedClock, systemIds } from '../../../platform/index.ts';
import {
  createSigning,
  openKeystore,
  type RevocationReason,
  type Signing,
} from '../../../signing/index.ts';
import { withDatabase } from '../../support/database.ts';
import { TEST_PUBLIC_URL, testKeys } from '../../support/keys.ts';

const { database, ownerSql } = withDatabase();
const START = '2026-03-04T05:00:00Z';
const DAY_MS = 86_400_000;

let keysDir: string;
let clock: ReturnType<typeof fixedClock>;
let signing: Signing;

beforeAll(async () => {
  ({ keysDir } = await testKeys());
});

beforeEach(() => {
  clock = fixedClock(START);
  signing = aProcess(keysDir);
});

afterEach(async () => {
  await ownerSql`truncate signing.revoked_certificates, signing.revocation_lists`;
});

function aProcess(dir: string): Signing {
  return createSigning({
    database,
    clock,
    ids: systemIds,
    keystore: openKeystore(dir, 'all'),
    publicUrl: TEST_PUBLIC_URL,
    logger: pino({ level: 'silent' }),
  });
}

function revoke(serial: string, reason: RevocationReason): Promise<void> {
  return database.transaction((tx) => signing.revokeCertificate(tx, { serial, reason }));
}

const credentialSerial = () => openKeystore(keysDir, 'all').credentialKey.certificate.serialNumber;

/** What an independent reader sees, its signature checked against the issuing CA. */
async function read(der: Buffer) {
  const crl = new x509.X509Crl(new Uint8Array(der));
  const issuing = new x509.X509Certificate(new Uint8Array(signing.issuingCertificate()));
  expect(await crl.verify({ publicKey: issuing })).toBe(true);
  return {
    issuer: crl.issuer,
    thisUpdate: crl.thisUpdate.toISOString(),
    nextUpdate: crl.nextUpdate?.toISOString(),
    entries: crl.entries.map(({ serialNumber, reason, revocationDate }) => ({
      serialNumber: serialNumber.toUpperCase(),
      reason,
      revokedAt: revocationDate.toISOString(),
    })),
  };
}

describe('the revocation list', () => {
  test('is empty, signed by the issuing CA and good for a week', async () => {
    expect(await read(await signing.crl())).toEqual({
      issuer: 'C=CN, O=Yihao, CN=Yihao Issuing CA',
      thisUpdate: '2026-03-04T05:00:00.000Z',
      nextUpdate: '2026-03-11T05:00:00.000Z',
      entries: [],
    });
  });

  test('names a revoked certificate within five seconds, with reason and time', async () => {
    await signing.crl();
    await revoke(credentialSerial(), 'superseded');
    clock.advance(5_000);
    expect((await read(await signing.crl())).entries).toEqual([
      {
        serialNumber: credentialSerial(),
        reason: x509.X509CrlReason.superseded,
        revokedAt: '2026-03-04T05:00:00.000Z',
      },
    ]);
  });

  test('is the same for all processes until it is renewed, daily, with the next number', async () => {
    const other = aProcess(keysDir);
    const [one, two] = await Promise.all([signing.crl(), other.crl()]);
    expect(one.equals(two)).toBe(true);
    clock.advance(DAY_MS - 1);
    expect((await signing.crl()).equals(one)).toBe(true);
    clock.advance(5_000);
    expect((await read(await signing.crl())).thisUpdate).toBe('2026-03-05T05:00:04.000Z');
    const rows = await ownerSql`select number::int from signing.revocation_lists order by number`;
    expect(rows.map(({ number }) => number)).toEqual([1, 2]);
  });

  test('is served, but not signed, by a process without the CA key, and refused when overdue', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'yihao-api-'));
    cpSync(keysDir, dir, { recursive: true });
    rmSync(join(dir, 'issuing.key.pem'));
    const front = aProcess(dir);
    const unavailable = { code: 'signing.crl_unavailable', kind: 'unavailable' };
    await expect(front.crl()).rejects.toMatchObject(unavailable);
    const list = await signing.crl();
    expect((await front.crl()).equals(list)).toBe(true);
    clock.advance(7 * DAY_MS - 1);
    expect((await front.crl()).equals(list)).toBe(true);
    clock.advance(5_000);
    await expect(front.crl()).rejects.toMatchObject(unavailable);
    rmSync(dir, { recursive: true });
  });

  test.skipIf(!hasOpenssl())(
    'stops openssl from trusting what is on it, and nothing else',
    async () => {
      await revoke(credentialSerial(), 'keyCompromise');
      const dir = mkdtempSync(join(tmpdir(), 'yihao-crl-'));
      const crl = join(dir, 'crl.der');
      writeFileSync(crl, await signing.crl());
      const file = (name: string) => join(keysDir, `${name}.crt.pem`);
      const openssl = (...args: string[]) =>
        execFileSync('openssl', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
      writeFileSync(join(dir, 'crl.pem'), openssl('crl', '-inform', 'DER', '-in', crl));
      const verify = (name: string) =>
        openssl(
          ...['verify', '-x509_strict', '-crl_check', '-CRLfile', join(dir, 'crl.pem')],
          ...['-attime', String(Date.parse(START) / 1000 + 60)],
          ...['-CAfile', file('root'), '-untrusted', file('issuing'), file(name)],
        );
      expect(verify('status')).toBe(`${file('status')}: OK\n`);
      expect(() => verify('credential')).toThrow('certificate revoked');
      rmSync(dir, { recursive: true });
    },
  );
});

describe('a credential signed with a revoked key', () => {
  const issue = () =>
    signing.issueCredential({
      vct: 'urn:x',
      claims: {},
      disclosable: { name: '林晓雨' },
      iat: clock.now(),
    });

  test('falls whatever its date when the key is compromised, and before that it stood', async () => {
    const compact = await issue();
    expect((await signing.verifyCredential(compact, { now: clock.now() })).isAuthentic).toBe(true);
    clock.advance(DAY_MS);
    await revoke(credentialSerial(), 'keyCompromise');
    clock.advance(5_000);
    expect((await signing.verifyCredential(compact, { now: clock.now() })).isAuthentic).toBe(false);
  });

  test('stands when the key was merely replaced after it, and falls when before it', async () => {
    const before = await issue();
    clock.advance(DAY_MS);
    await revoke(credentialSerial().toLowerCase(), 'superseded');
    clock.advance(5_000);
    const after = await issue();
    const verdicts = [];
    for (const compact of [before, after]) {
      verdicts.push((await signing.verifyCredential(compact, { now: clock.now() })).isAuthentic);
    }
    expect(verdicts).toEqual([true, false]);
  });
});

function hasOpenssl(): boolean {
  try {
    execFileSync('openssl', ['version']);
    return true;
  } catch {
    return false;
  }
}
