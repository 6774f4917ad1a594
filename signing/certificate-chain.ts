// Trust in a leaf: the path leaf, issuing CA, root (RFC 5280 section 6, for our one shape of path).
import { createHash, type KeyObject, X509Certificate } from 'node:crypto';
import { type LeafPurpose, SUBJECT_UNITS } from './subject-units.ts';

/** A leaf whose path to our root holds; when it was good is the caller's question. */
export interface TrustedLeaf {
  publicKey: KeyObject;
  /** Hexadecimal, upper case, as X509Certificate shows it. */
  serial: string;
  validFrom: Date;
  validTo: Date;
  organization: string;
  /** The USCC in the subject; null for the platform's own keys. */
  uscc: string | null;
}

export type ChainResult =
  | { isTrusted: true; leaf: TrustedLeaf }
  | { isTrusted: false; reason: string };

const refuse = (reason: string): ChainResult => ({ isTrusted: false, reason });

/** More leaves than a city has keys, and a bound on what strangers can make us keep. */
const CACHE_SIZE = 1_000;

/**
 * Checks the `x5c` header of a JWS against one root for one purpose. Paths found good are kept:
 * parsing them and checking two signatures takes 1.6 ms, ten times the rest of a verification.
 */
export function createChainVerifier(root: X509Certificate) {
  const trusted = new Map<string, ChainResult>();

  return function verifyChain(x5c: unknown, purpose: LeafPurpose): ChainResult {
    if (!Array.isArray(x5c) || !x5c.every((entry) => typeof entry === 'string')) {
      return refuse('The signature carries no certificates (x5c).');
    }
    if (x5c.length !== 2) return refuse('The certificates must be the leaf and its issuing CA.');
    const key = createHash('sha256')
      .update(`${purpose} ${x5c.join(' ')}`)
      .digest('base64');
    const known = trusted.get(key);
    if (known) return known;
    const result = checkPath(x5c, purpose, root);
    if (result.isTrusted) {
      const oldest = trusted.keys().next();
      if (trusted.size >= CACHE_SIZE && !oldest.done) trusted.delete(oldest.value);
      trusted.set(key, result);
    }
    return result;
  };
}

function checkPath(x5c: string[], purpose: LeafPurpose, root: X509Certificate): ChainResult {
  const [leaf, issuing] = x5c.map(readCertificate);
  if (!leaf || !issuing) return refuse('A certificate is not readable.');
  if (!issuing.ca || !isIssuedBy(issuing, root)) {
    return refuse('The issuing CA is not one of this registry.');
  }
  if (leaf.ca || !isIssuedBy(leaf, issuing)) {
    return refuse('The leaf certificate was not issued by the issuing CA.');
  }
  const { O: organization, OU: unit, serialNumber } = subjectOf(leaf);
  if (unit !== SUBJECT_UNITS[purpose] || organization === undefined) {
    return refuse('The certificate was issued for another purpose.');
  }
  return {
    isTrusted: true,
    leaf: {
      publicKey: leaf.publicKey,
      serial: leaf.serialNumber,
      validFrom: new Date(leaf.validFrom),
      validTo: new Date(leaf.validTo),
      organization,
      uscc: serialNumber ?? null,
    },
  };
}

/** Names, key usage (keyCertSign) and key identifiers by checkIssued; the signature by verify. */
function isIssuedBy(certificate: X509Certificate, issuer: X509Certificate): boolean {
  return certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey);
}

/** A base64 (not base64url) DER certificate (RFC 7515 section 4.1.6), or `null`. */
function readCertificate(base64: string): X509Certificate | null {
  const der = Buffer.from(base64, 'base64');
  if (der.toString('base64') !== base64) return null;
  try {
    const certificate = new X509Certificate(der);
    // Trailing bytes would let one certificate have many faces.
    return certificate.raw.equals(der) ? certificate : null;
  } catch {
    return null;
  }
}

type SubjectKey = 'O' | 'OU' | 'serialNumber';

/** The subject's attributes; one that occurs twice (an array there) counts as absent. */
function subjectOf(certificate: X509Certificate): Partial<Record<SubjectKey, string>> {
  const { subject } = certificate.toLegacyObject();
  const entries = Object.entries(subject).filter(([, value]) => typeof value === 'string');
  return Object.fromEntries(entries);
}
