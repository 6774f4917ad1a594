// Reading SignedData of the one shape this house writes (cms.ts): anything else is refused, however
// well-formed, so that nothing unread rides along.
import { createHash, verify, X509Certificate } from 'node:crypto';
import { issuerOf, serialOf } from './certificate.ts';
import type { ChainResult, TrustedLeaf } from './certificate-chain.ts';
import { OID } from './cms.ts';
import {
  bytesOf,
  type Der,
  dottedOf,
  isTagged,
  isUniversal,
  membersOf,
  readDer,
  set,
  Type,
  writeDer,
} from './der.ts';
import type { LeafPurpose } from './subject-units.ts';

/** SignedData with one signer, taken apart but not believed yet. */
export interface ReadCms {
  type: string;
  /** What it carries inside, if anything. */
  inside: Buffer | null;
  /** Leaf and issuing CA. */
  certificates: [X509Certificate, X509Certificate];
  messageDigest: Buffer;
  /** The signed attributes as they were signed: a SET OF. */
  attributes: Buffer;
  signature: Buffer;
  /** The one unsigned attribute, a time-stamp token, or none. */
  token: Buffer | null;
}

/** Why it can't be read, for whoever reads the checks. */
export class CmsFault extends Error {}

function need<Value>(value: Value | null | undefined | false, what: string): Value {
  if (value === null || value === undefined || value === false) {
    throw new CmsFault(`It is not of the form of this registry’s seals: ${what}.`);
  }
  return value;
}

/** Reads a ContentInfo; throws CmsFault. */
export function readCms(der: Buffer): ReadCms {
  let contentInfo: Der;
  try {
    contentInfo = readDer(der);
  } catch {
    throw new CmsFault('It is not DER.');
  }
  need(writeDer(contentInfo).equals(der), 'not written in DER');
  const [contentType, content] = membersOf(contentInfo);
  need(dottedOf(contentType) === OID.signedData && isTagged(content, 0), 'no SignedData');
  const signed = membersOf(need(membersOf(need(content, 'no content'))[0], 'no SignedData'));
  need(signed.length === 5, 'lists of revocations, or none of certificates');
  const [version, , encapsulated, certificates, signers] = signed;
  need(isUniversal(version, Type.INTEGER), 'no version');
  const { type, inside } = readEncapsulated(need(encapsulated, 'no content'));
  const signerInfos = membersOf(need(signers, 'no signer'));
  need(signerInfos.length === 1, 'not one signer');
  const leafAndCa = readCertificates(need(certificates, 'no certificates'));
  const signer = readSigner(need(signerInfos[0], 'no signer'), type, leafAndCa[0]);
  return { type, inside, certificates: leafAndCa, ...signer };
}

function readEncapsulated(encapsulated: Der): Pick<ReadCms, 'type' | 'inside'> {
  const [oid, wrapped, ...more] = membersOf(encapsulated);
  need(more.length === 0, 'more than one content');
  const type = need(dottedOf(oid), 'no type of content');
  if (!wrapped) return { type, inside: null };
  const [octets] = membersOf(wrapped);
  need(isTagged(wrapped, 0) && isUniversal(octets, Type.OCTETSTRING), 'content of another form');
  return { type, inside: bytesOf(need(octets, 'no content')) };
}

function readCertificates(certificates: Der): [X509Certificate, X509Certificate] {
  need(isTagged(certificates, 0), 'no certificates');
  const ders = membersOf(certificates).map((one) => writeDer(one));
  need(ders.length === 2, 'not two certificates');
  try {
    const [leaf, issuing] = ders.map((one) => new X509Certificate(one));
    return [need(leaf, 'no leaf'), need(issuing, 'no issuing CA')];
  } catch (error) {
    if (error instanceof CmsFault) throw error;
    throw new CmsFault('A certificate is not readable.');
  }
}

function readSigner(signerInfo: Der, type: string, leaf: X509Certificate) {
  const parts = membersOf(signerInfo);
  const [version, sid, digestAlgorithm, signedAttributes, algorithm, value, unsigned] = parts;
  need(parts.length === 6 || parts.length === 7, 'a signer of another form');
  need(isUniversal(version, Type.INTEGER), 'no version');
  need(isNamedBy(need(sid, 'no signer'), leaf), 'a signer whose certificate is not here');
  need(oidOf(digestAlgorithm) === OID.sha256, 'another digest than SHA-256');
  need(oidOf(algorithm) === OID.rsaWithSha256, 'another algorithm than RSA with SHA-256');
  need(isTagged(signedAttributes, 0), 'no signed attributes');
  const listed = membersOf(need(signedAttributes, 'no signed attributes'));
  const values = attributesIn(listed);
  need(values.size === listed.length && values.size === 3, 'other attributes than three');
  need(dottedOf(values.get(OID.contentType)) === type, 'a signature over another type');
  const certificate = need(
    values.get(OID.signingCertificateV2),
    'no certificate named as signer’s',
  );
  need(namesCertificate(certificate, leaf), 'a signature of another certificate');
  const digest = need(values.get(OID.messageDigest), 'no digest');
  const attributes = writeDer(set(...listed));
  const signature = bytesOf(need(value, 'no signature'));
  return { messageDigest: bytesOf(digest), attributes, signature, token: tokenIn(unsigned) };
}

function oidOf(algorithm: Der | undefined): string | undefined {
  return algorithm && dottedOf(membersOf(algorithm)[0]);
}

/** Attributes with their single values; one that repeats is missing a place. */
function attributesIn(attributes: readonly Der[]): Map<string, Der> {
  return new Map(
    attributes.map((attribute) => {
      const [oid, values] = membersOf(attribute);
      const [value, ...more] = values ? membersOf(values) : [];
      need(more.length === 0, 'an attribute of many values');
      return [need(dottedOf(oid), 'an attribute without name'), need(value, 'an empty attribute')];
    }),
  );
}

function isNamedBy(sid: Der, leaf: X509Certificate): boolean {
  const [issuer, serial] = membersOf(sid);
  if (!issuer || !serial) return false;
  return (
    writeDer(issuer).equals(writeDer(issuerOf(leaf))) &&
    writeDer(serial).equals(writeDer(serialOf(leaf)))
  );
}

/** ESSCertIDv2 with SHA-256: the first and only certificate is the leaf, by its digest. */
function namesCertificate(attribute: Der, leaf: X509Certificate): boolean {
  const [ids, ...policies] = membersOf(attribute);
  const [id, ...more] = ids ? membersOf(ids) : [];
  const [hash] = id ? membersOf(id) : [];
  if (policies.length + more.length > 0 || !isUniversal(hash, Type.OCTETSTRING)) return false;
  return bytesOf(hash).equals(createHash('sha256').update(leaf.raw).digest());
}

function tokenIn(unsigned: Der | undefined): Buffer | null {
  if (!unsigned) return null;
  need(isTagged(unsigned, 1), 'unsigned attributes of another form');
  const values = attributesIn(membersOf(unsigned));
  need(values.size === 1 && membersOf(unsigned).length === 1, 'not one unsigned attribute');
  return writeDer(
    need(values.get(OID.timestampToken), 'an unsigned attribute that is no time-stamp'),
  );
}

/** Did the leaf's key sign these attributes? */
export function isSigned({ attributes, signature, certificates }: ReadCms): boolean {
  const { publicKey } = certificates[0];
  return (
    publicKey.asymmetricKeyType === 'rsa' && verify('sha256', attributes, publicKey, signature)
  );
}

/** The leaf, trusted for a purpose or not. */
export function trustedLeaf(
  { certificates }: ReadCms,
  purpose: LeafPurpose,
  verifyChain: (x5c: unknown, purpose: LeafPurpose) => ChainResult,
): { leaf: Omit<TrustedLeaf, 'publicKey'> } | { reason: string } {
  const chain = verifyChain(
    certificates.map(({ raw }) => raw.toString('base64')),
    purpose,
  );
  if (!chain.isTrusted) return { reason: chain.reason };
  const { publicKey: _, ...leaf } = chain.leaf;
  return { leaf };
}
