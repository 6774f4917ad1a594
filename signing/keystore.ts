// The one place private keys are read from KEYS_DIR, each only when a role asks for it.
import {
  createHash,
  createPublicKey,
  type JsonWebKey,
  type KeyObject,
  sign,
  type X509Certificate,
} from 'node:crypto';
import { promisify } from 'node:util';
import { signingErrors } from './errors.ts';
import {
  hasFile,
  type KeyName,
  keyFile,
  readCertificate,
  readPrivateKey,
  readSecret,
  type SecretName,
  secretFile,
  USCC_PATTERN,
} from './key-files.ts';
import { type LogKeys, openLogKeys } from './log-keys.ts';
import { type KeyUse, mayLoad, type ProcessRole } from './role-keys.ts';
import { openSecretVersions, type RotatingSecret, type SecretVersions } from './secret-versions.ts';

const signInThread = promisify<string, Uint8Array, KeyObject, Buffer>(sign);

/** A private key in use: signs, and shows the certificates that vouch for it. */
export interface Signer {
  readonly algorithm: 'ES256' | 'RS256';
  /** The public key's thumbprint (RFC 7638). */
  readonly kid: string;
  readonly certificate: X509Certificate;
  /** DER, leaf first, without the root: the trust anchor never travels (HAIP). */
  readonly chain: readonly Buffer[];
  /** ES256 as r‖s (JWA), RS256 as PKCS #1 v1.5; async so that a device can stand behind it. */
  sign(bytes: Uint8Array): Promise<Buffer>;
}

/** The key that signs access tokens, as oidc-provider takes it. */
export interface TokenKey {
  readonly kid: string;
  readonly privateKey: KeyObject;
  readonly privateJwk: JsonWebKey & { kid: string; alg: 'ES256'; use: 'sig' };
}

export interface CertificateAuthority {
  readonly privateKey: KeyObject;
  readonly certificate: X509Certificate;
}

/** A key as everybody may know it. */
export type PublicKeyOf = Pick<Signer, 'kid' | 'certificate' | 'chain'>;

/**
 * Keys by what they are for. Reading one that is missing throws `signing.keys_missing`; asking for one
 * that this role does not load (role-keys.ts) is a programmer's mistake, and no file is read.
 */
export interface Keystore {
  /** True when this process may load keys of this use. */
  mayLoad(use: KeyUse): boolean;
  secret(name: Exclude<SecretName, RotatingSecret>): Buffer;
  /** A secret that rotates; see keys rotate. */
  secretVersions(name: RotatingSecret): SecretVersions;
  /** The log's keys; every role may read the public halves, one that may not sign fails when it tries. */
  readonly logKeys: LogKeys;
  readonly tokenKey: TokenKey;
  readonly credentialKey: Signer;
  /** The same without its private half, for every role. */
  readonly credentialPublicKey: PublicKeyOf;
  readonly statusKey: Signer;
  readonly timestampKey: Signer;
  receiptKey(uscc: string): Signer;
  sealKey(uscc: string): Signer;
  readonly rootCertificate: X509Certificate;
  readonly issuingCertificate: X509Certificate;
  /** Null in a role that does not hold the issuing CA's key. */
  readonly issuingAuthority: CertificateAuthority | null;
}

/**
 * Opens KEYS_DIR for a process of this role without reading anything yet; the root's private key is
 * never read.
 */
export function openKeystore(keysDir: string, role: ProcessRole): Keystore {
  const signers = new Map<KeyName, Signer>();
  const secrets = new Map<SecretName, Buffer>();
  const issuingCertificate = once(() => readCertificate(keysDir, 'issuing'));
  const rootCertificate = once(() => readCertificate(keysDir, 'root'));
  const hold = (use: KeyUse): void => {
    if (!mayLoad(role, use)) throw new TypeError(`The role ${role} does not load the key ${use}.`);
  };
  const logKeys = openLogKeys(keysDir, () => hold('log'));
  const tokenKey = once(() => es256TokenKey(readPrivateKey(keysDir, 'token')));
  const issuingAuthority = once(() =>
    mayLoad(role, 'issuing') && hasFile(keysDir, keyFile('issuing'))
      ? { privateKey: readPrivateKey(keysDir, 'issuing'), certificate: issuingCertificate() }
      : null,
  );

  function signer(name: KeyName, use: KeyUse): Signer {
    hold(use);
    const known = signers.get(name);
    if (known) return known;
    const certificate = readCertificate(keysDir, name);
    const made = fileSigner(readPrivateKey(keysDir, name), certificate, issuingCertificate());
    signers.set(name, made);
    return made;
  }

  function secret(name: Exclude<SecretName, RotatingSecret>): Buffer {
    hold(name);
    const bytes = secrets.get(name) ?? readSecret(keysDir, secretFile(name));
    secrets.set(name, bytes);
    return bytes;
  }

  return {
    mayLoad: (use) => mayLoad(role, use),
    secret,
    secretVersions: (name) => {
      hold(name);
      return openSecretVersions(keysDir, name);
    },
    logKeys,
    get tokenKey() {
      hold('token');
      return tokenKey();
    },
    get credentialKey() {
      return signer('credential', 'credential');
    },
    get credentialPublicKey() {
      return publicKeyOf(readCertificate(keysDir, 'credential'), issuingCertificate());
    },
    get statusKey() {
      return signer('status', 'status');
    },
    get timestampKey() {
      return signer('timestamp', 'timestamp');
    },
    receiptKey: (uscc) => signer(`receipts/${checkedUscc(uscc)}`, 'receipts'),
    sealKey: (uscc) => signer(`seals/${checkedUscc(uscc)}`, 'seals'),
    get rootCertificate() {
      return rootCertificate();
    },
    get issuingCertificate() {
      return issuingCertificate();
    },
    get issuingAuthority() {
      return issuingAuthority();
    },
  };
}

function once<Value>(load: () => Value): () => Value {
  let loaded: { value: Value } | undefined;
  return () => {
    loaded ??= { value: load() };
    return loaded.value;
  };
}

/** The USCC becomes part of a path. */
function checkedUscc(uscc: string): string {
  if (!USCC_PATTERN.test(uscc)) throw new TypeError('A department is named by its USCC here.');
  return uscc;
}

function fileSigner(
  privateKey: KeyObject,
  certificate: X509Certificate,
  issuing: X509Certificate,
): Signer {
  if (!certificate.checkPrivateKey(privateKey)) {
    throw signingErrors.keys_missing(
      `A key file does not belong to its certificate (${certificate.serialNumber}): restore both ` +
        'from the same backup.',
    );
  }
  const isRsa = privateKey.asymmetricKeyType === 'rsa';
  const key = { key: privateKey, dsaEncoding: 'ieee-p1363' as const };
  return {
    algorithm: isRsa ? 'RS256' : 'ES256',
    ...publicKeyOf(certificate, issuing),
    // An ES256 signature takes 50 µs, less than handing it to a thread; RSA takes ten times that.
    sign: isRsa
      ? (bytes) => signInThread('sha256', bytes, privateKey)
      : async (bytes) => sign('sha256', bytes, key),
  };
}

function publicKeyOf(certificate: X509Certificate, issuing: X509Certificate): PublicKeyOf {
  return {
    kid: thumbprint(certificate.publicKey),
    certificate,
    chain: [certificate.raw, issuing.raw],
  };
}

function es256TokenKey(privateKey: KeyObject): TokenKey {
  const kid = thumbprint(createPublicKey(privateKey));
  const jwk = privateKey.export({ format: 'jwk' });
  return { kid, privateKey, privateJwk: { ...jwk, kid, alg: 'ES256', use: 'sig' } };
}

/** The JWK thumbprint (RFC 7638): SHA-256 over the required members in alphabetical order. */
function thumbprint(publicKey: KeyObject): string {
  const { crv, e, kty, n, x, y } = publicKey.export({ format: 'jwk' });
  const required = kty === 'RSA' ? { e, kty, n } : { crv, kty, x, y };
  return createHash('sha256').update(JSON.stringify(required)).digest('base64url');
}
