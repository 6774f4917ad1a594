// CMS SignedData (RFC 5652) with one signer and the attribute that names its certificate (RFC 5035):
// the form of seals (PAdES, ETSI EN 319 142-1) and of time-stamp tokens (RFC 3161).
import { createHash, type X509Certificate } from 'node:crypto';
import { issuerOf, serialOf } from './certificate.ts';
import {
  type Der,
  nothing,
  objectId,
  octets,
  readDer,
  sequence,
  set,
  smallInteger,
  sortedSet,
  tagged,
  writeDer,
} from './der.ts';
import type { Signer } from './keystore.ts';

export const OID = {
  data: '1.2.840.113549.1.7.1',
  signedData: '1.2.840.113549.1.7.2',
  contentType: '1.2.840.113549.1.9.3',
  messageDigest: '1.2.840.113549.1.9.4',
  timestampInfo: '1.2.840.113549.1.9.16.1.4',
  timestampToken: '1.2.840.113549.1.9.16.2.14',
  signingCertificateV2: '1.2.840.113549.1.9.16.2.47',
  sha256: '2.16.840.1.101.3.4.2.1',
  sha384: '2.16.840.1.101.3.4.2.2',
  sha512: '2.16.840.1.101.3.4.2.3',
  rsaWithSha256: '1.2.840.113549.1.1.11',
} as const;

export interface SignedDataContent {
  /** What kind of thing is signed. */
  type: typeof OID.data | typeof OID.timestampInfo;
  /** Present: carried inside; absent: signed apart, by its digest. */
  inside?: Buffer;
  /** SHA-256 of what is signed. */
  digest: Buffer;
  hasCertificates: boolean;
  /** Unsigned attributes, from the signature's value. */
  unsigned?: (signature: Buffer) => Promise<Der[]>;
}

const attribute = (oid: string, value: Der): Der => sequence(objectId(oid), set(value));

/** An unsigned attribute that holds a time-stamp token (RFC 3161 appendix A). */
export const timestampAttribute = (token: Buffer): Der =>
  attribute(OID.timestampToken, readDer(token));

/**
 * A ContentInfo as DER, signed with SHA-256 and RSA. There is no signing-time attribute: PAdES
 * forbids it (EN 319 142-1 table 1), a time-stamp tells the time.
 */
export async function signedData(content: SignedDataContent, signer: Signer): Promise<Buffer> {
  const { type, inside, digest, hasCertificates, unsigned } = content;
  if (signer.algorithm !== 'RS256') throw new TypeError('Documents are sealed with an RSA key.');
  const attributes = sortedSet(
    attribute(OID.contentType, objectId(type)),
    attribute(OID.messageDigest, octets(digest)),
    attribute(OID.signingCertificateV2, signingCertificate(signer.certificate)),
  );
  // Signed as a SET, carried as [0]: RFC 5652 section 5.4.
  const signature = await signer.sign(writeDer(attributes));
  const after = unsigned ? [tagged(1, ...(await unsigned(signature)))] : [];
  const sha256 = sequence(objectId(OID.sha256));
  const signerInfo = sequence(
    smallInteger(1),
    sequence(issuerOf(signer.certificate), serialOf(signer.certificate)),
    sha256,
    tagged(0, ...(Array.isArray(attributes.value) ? attributes.value : [])),
    sequence(objectId(OID.rsaWithSha256), nothing()),
    octets(signature),
    ...after,
  );
  const signed = sequence(
    // Section 5.1: 1 for plain data, 3 for any other type of content.
    smallInteger(type === OID.data ? 1 : 3),
    set(sha256),
    sequence(objectId(type), ...(inside ? [tagged(0, octets(inside))] : [])),
    ...(hasCertificates ? [tagged(0, ...signer.chain.map((der) => readDer(der)))] : []),
    set(signerInfo),
  );
  return writeDer(sequence(objectId(OID.signedData), tagged(0, signed)));
}

/**
 * SigningCertificateV2 (RFC 5035 section 3): the hash algorithm is left out, since SHA-256 is its
 * default; the issuer is a directoryName, [4] around a Name.
 */
function signingCertificate(certificate: X509Certificate): Der {
  const hash = octets(createHash('sha256').update(certificate.raw).digest());
  const issuer = sequence(tagged(4, issuerOf(certificate)));
  const essCertId = sequence(hash, sequence(issuer, serialOf(certificate)));
  return sequence(sequence(essCertId));
}
