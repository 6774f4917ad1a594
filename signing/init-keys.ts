// `keys init`: makes every key and certificate of a house that is missing, and nothing else.
import { createPublicKey, generateKeyPair, hkdfSync, type KeyObject } from 'node:crypto';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Clock, Ids } from '../platform/index.ts';
import {
  type CertificateContent,
  type CertificateIssuer,
  makeCertificate,
  type Name,
} from './certificate.ts';
import { signingErrors } from './errors.ts';
import {
  certificateFile,
  hasFile,
  type KeyName,
  keyFile,
  prepareKeysDir,
  publicKeyFile,
  readCertificate,
  readKeyFile,
  readPrivateKey,
  SECRET_BYTES,
  SECRET_NAMES,
  type SecretName,
  secretFile,
  USCC_PATTERN,
  writeOnce,
} from './key-files.ts';
import { isRotated } from './secret-versions.ts';
import { SUBJECT_UNITS } from './subject-units.ts';

const generate = promisify(generateKeyPair);

/** A department as its certificates name it. */
export interface KeyOrganisation {
  name: string;
  uscc: string;
}

export interface InitKeysOptions {
  organisations: KeyOrganisation[];
  /** Where certificates say their revocation list is. */
  publicUrl: string;
  clock: Clock;
  ids: Ids;
  /** Lifetimes of the certificates; none outlives its issuer. */
  years?: { root: number; issuing: number; leaf: number };
}

type Algorithm = 'p256' | 'p384' | 'rsa' | 'ed25519';

const PLATFORM: Name = { country: 'CN', organization: 'Yihao' };

/** Clocks of verifiers run a little behind ours. */
const BACKDATE_MS = 5 * 60_000;

/**
 * Makes what KEYS_DIR lacks and returns the names of the files made. Running it again, after a
 * crash too, or twice at once, changes nothing that is there. A key whose certificate exists but
 * whose private half was taken away (the root after `keys init`) is left so.
 *
 * 16 departments: 3 s of CPU, nearly all of it RSA, in 2.5 s on 2 busy cores.
 */
export async function initKeys(keysDir: string, options: InitKeysOptions): Promise<string[]> {
  for (const { uscc } of options.organisations) {
    if (!USCC_PATTERN.test(uscc)) throw new TypeError(`Not a USCC: ${uscc}`);
  }
  prepareKeysDir(keysDir);
  const maker = createMaker(keysDir, options);
  const firstSecret = secretMaker(keysDir, options.ids);

  await maker.authority('root', 'p384', 'Yihao Root CA', null);
  await maker.authority('issuing', 'p256', 'Yihao Issuing CA', 'root');
  await Promise.all([
    ...SECRET_NAMES.filter((name) => !isRotated(keysDir, name)).map((name) =>
      maker.file(secretFile(name), () => firstSecret(name)),
    ),
    maker.bareKey('log', 'ed25519'),
    maker.key('token', 'p256'),
    ...platformLeaves(options.publicUrl).map((leaf) => maker.leaf(leaf)),
    ...options.organisations.flatMap(departmentLeaves).map((leaf) => maker.leaf(leaf)),
  ]);
  return maker.made.sort();
}

/**
 * A house made before the pepper and the platform's data key had files of their own drew both from
 * its key-encryption key; it goes on with the same.
 */
function secretMaker(keysDir: string, ids: Ids): (name: SecretName) => Buffer {
  const kekFile = secretFile('kek');
  const kek = hasFile(keysDir, kekFile) ? readKeyFile(keysDir, kekFile) : null;
  const drawn: Partial<Record<SecretName, string>> = {
    pepper: 'secret-pepper',
    'platform-data': 'platform-data',
  };
  return (name) => {
    const purpose = drawn[name];
    if (kek === null || purpose === undefined) return ids.bytes(SECRET_BYTES);
    return Buffer.from(hkdfSync('sha256', kek, '', `yihao|${purpose}`, SECRET_BYTES));
  };
}

interface Leaf extends Pick<CertificateContent, 'subject' | 'keyUsage' | 'extendedKeyUsage'> {
  name: KeyName;
  algorithm: Algorithm;
  subjectUri?: string;
}

function platformLeaves(publicUrl: string): Leaf[] {
  const subject = (unit: string, commonName: string): Name => ({
    ...PLATFORM,
    organizationalUnit: unit,
    commonName,
  });
  return [
    {
      name: 'credential',
      algorithm: 'p256',
      subject: subject(SUBJECT_UNITS.credential, 'Yihao credential signing'),
      keyUsage: ['digitalSignature'],
      subjectUri: publicUrl,
    },
    {
      name: 'status',
      algorithm: 'p256',
      subject: subject(SUBJECT_UNITS.status, 'Yihao status list signing'),
      keyUsage: ['digitalSignature'],
      subjectUri: publicUrl,
    },
    {
      name: 'timestamp',
      algorithm: 'rsa',
      subject: subject(SUBJECT_UNITS.timestamp, 'Yihao time-stamping'),
      keyUsage: ['digitalSignature'],
      // RFC 3161 section 2.3: this purpose alone, and critical.
      extendedKeyUsage: { purposes: ['timeStamping'], isCritical: true },
    },
  ];
}

function departmentLeaves({ name, uscc }: KeyOrganisation): Leaf[] {
  const subject = (unit: string): Name => ({
    country: 'CN',
    organization: name,
    organizationIdentifier: `NTRCN-${uscc}`,
    organizationalUnit: unit,
    serialNumber: uscc,
    commonName: name,
  });
  return [
    {
      name: `receipts/${uscc}`,
      algorithm: 'p256',
      subject: subject(SUBJECT_UNITS.receipt),
      keyUsage: ['digitalSignature', 'nonRepudiation'],
    },
    {
      name: `seals/${uscc}`,
      algorithm: 'rsa',
      subject: subject(SUBJECT_UNITS.seal),
      keyUsage: ['digitalSignature', 'nonRepudiation'],
      // NSS (pdfsig) and `openssl cms` trust a document's signer only with emailProtection.
      extendedKeyUsage: { purposes: ['documentSigning', 'emailProtection'], isCritical: false },
    },
  ];
}

function createMaker(keysDir: string, options: InitKeysOptions) {
  const { clock, ids, publicUrl, years = { root: 20, issuing: 10, leaf: 3 } } = options;
  const made: string[] = [];

  async function file(name: string, content: () => Buffer | string): Promise<void> {
    if (hasFile(keysDir, name)) return;
    if (await writeOnce(join(keysDir, name), content(), ids)) made.push(name);
  }

  /** The private key stands on disk before its certificate is made, so none is certified in vain. */
  async function key(name: KeyName, algorithm: Algorithm): Promise<KeyObject> {
    if (!hasFile(keysDir, keyFile(name))) {
      const privateKey = await generatePrivateKey(algorithm);
      await file(keyFile(name), () => privateKey.export({ format: 'pem', type: 'pkcs8' }));
    }
    return readPrivateKey(keysDir, name);
  }

  function certify(
    name: KeyName,
    content: Omit<CertificateContent, 'serial' | 'notBefore' | 'notAfter'>,
    issuer: CertificateIssuer,
    lifetimeYears: number,
  ): Promise<void> {
    const now = clock.now();
    const notAfter = new Date(now);
    notAfter.setUTCFullYear(now.getUTCFullYear() + lifetimeYears);
    const issuerEnds = issuer.certificate ? new Date(issuer.certificate.validTo) : notAfter;
    return file(certificateFile(name), () => {
      const der = makeCertificate(
        {
          ...content,
          serial: randomSerial(ids),
          notBefore: new Date(now.getTime() - BACKDATE_MS),
          notAfter: notAfter < issuerEnds ? notAfter : issuerEnds,
        },
        issuer,
      );
      return pem(der);
    });
  }

  function issuerFrom(name: KeyName): CertificateIssuer {
    if (hasFile(keysDir, keyFile(name))) {
      return {
        privateKey: readPrivateKey(keysDir, name),
        certificate: readCertificate(keysDir, name),
      };
    }
    throw signingErrors.keys_missing(
      `Something new is to be certified, but ${keyFile(name)} is not in ${keysDir}. Bring the CA's ` +
        'private key back there for as long as `npm run yihao -- keys init` runs.',
    );
  }

  return {
    made,
    file,
    key,

    /** A key without a certificate, and its public half for those who only verify. */
    async bareKey(name: KeyName, algorithm: Algorithm): Promise<void> {
      if (hasFile(keysDir, publicKeyFile(name))) return;
      const publicKey = createPublicKey(await key(name, algorithm));
      await file(publicKeyFile(name), () => publicKey.export({ format: 'pem', type: 'spki' }));
    },

    async authority(
      name: 'root' | 'issuing',
      algorithm: Algorithm,
      commonName: string,
      above: KeyName | null,
    ): Promise<void> {
      if (hasFile(keysDir, certificateFile(name))) return;
      const privateKey = await key(name, algorithm);
      const content = {
        subject: { ...PLATFORM, commonName },
        publicKey: createPublicKey(privateKey),
        keyUsage: ['keyCertSign' as const, 'cRLSign' as const],
        authority: { pathLength: above === null ? null : 0 },
      };
      const issuer = above === null ? { privateKey, certificate: null } : issuerFrom(above);
      await certify(name, content, issuer, years[name]);
    },

    async leaf({ name, algorithm, ...content }: Leaf): Promise<void> {
      if (hasFile(keysDir, certificateFile(name))) return;
      const publicKey = createPublicKey(await key(name, algorithm));
      const crlUrl = `${publicUrl}/pki/crl`;
      await certify(name, { ...content, publicKey, crlUrl }, issuerFrom('issuing'), years.leaf);
    },
  };
}

async function generatePrivateKey(algorithm: Algorithm): Promise<KeyObject> {
  // 2048 bits: good until 2030 by NIST SP 800-57, and these leaves live three years.
  if (algorithm === 'rsa') return (await generate('rsa', { modulusLength: 2048 })).privateKey;
  if (algorithm === 'ed25519') return (await generate('ed25519', {})).privateKey;
  const namedCurve = algorithm === 'p256' ? 'P-256' : 'P-384';
  return (await generate('ec', { namedCurve })).privateKey;
}

/** 16 random bytes, positive and of full length (RFC 5280 section 4.1.2.2). */
function randomSerial(ids: Ids): Buffer {
  const serial = Buffer.from(ids.bytes(16));
  serial.writeUInt8((serial.readUInt8(0) & 0x3f) | 0x40, 0);
  return serial;
}

function pem(der: Buffer): string {
  const lines = der.toString('base64').match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`;
}
