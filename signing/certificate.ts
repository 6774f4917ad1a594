// X.509 v3 certificates (RFC 5280): laid out with forge.asn1, signed by node:crypto alone.
import {
  createHash,
  createPublicKey,
  type KeyObject,
  sign,
  type X509Certificate,
} from 'node:crypto';
import {
  bits,
  bytesOf,
  type Der,
  integer,
  memberOf,
  objectId,
  octets,
  printable,
  readDer,
  sequence,
  set,
  smallInteger,
  tagged,
  taggedBytes,
  time,
  truth,
  utf8,
  writeDer,
} from './der.ts';

/** UTF8String for what may be Chinese, PrintableString where RFC 5280 appendix A wants it. */
const ATTRIBUTES = [
  ['country', '2.5.4.6', printable],
  ['organization', '2.5.4.10', utf8],
  // ETSI EN 319 412-1 section 5.1.4: 'NTRCN-' and the USCC.
  ['organizationIdentifier', '2.5.4.97', utf8],
  ['organizationalUnit', '2.5.4.11', utf8],
  ['serialNumber', '2.5.4.5', printable],
  ['commonName', '2.5.4.3', utf8],
] as const;

export type Name = Partial<Record<(typeof ATTRIBUTES)[number][0], string>>;

/** Bits of the key usage extension (RFC 5280 section 4.2.1.3), most significant first. */
const KEY_USAGE = { digitalSignature: 0, nonRepudiation: 1, keyCertSign: 5, cRLSign: 6 } as const;

export const EXTENDED_KEY_USAGE = {
  emailProtection: '1.3.6.1.5.5.7.3.4',
  timeStamping: '1.3.6.1.5.5.7.3.8',
  /** RFC 9336. */
  documentSigning: '1.3.6.1.5.5.7.3.36',
} as const;

/** What a certificate is to say. */
export interface CertificateContent {
  subject: Name;
  publicKey: KeyObject;
  serial: Buffer;
  notBefore: Date;
  notAfter: Date;
  keyUsage: (keyof typeof KEY_USAGE)[];
  /** Present: a CA, with this many CAs allowed below it (`null`: no limit). */
  authority?: { pathLength: number | null };
  extendedKeyUsage?: { purposes: (keyof typeof EXTENDED_KEY_USAGE)[]; isCritical: boolean };
  crlUrl?: string;
  subjectUri?: string;
}

/** The CA that signs; without a certificate it signs itself. */
export interface CertificateIssuer {
  privateKey: KeyObject;
  certificate: X509Certificate | null;
}

/** The certificate as DER, signed by the issuer's key. */
export function makeCertificate(content: CertificateContent, issuer: CertificateIssuer): Buffer {
  const subject = nameDer(content.subject);
  const tbs = sequence(
    tagged(0, smallInteger(2)),
    integer(content.serial),
    signatureAlgorithm(issuer.privateKey),
    issuer.certificate ? subjectOf(issuer.certificate) : subject,
    sequence(time(content.notBefore), time(content.notAfter)),
    subject,
    readDer(spkiOf(content.publicKey)),
    tagged(3, sequence(...extensions(content, issuer))),
  );
  return signedDer(tbs, issuer.privateKey);
}

/** SEQUENCE { tbs, signatureAlgorithm, signature }: the outer form of certificates and CRLs. */
export function signedDer(tbs: Der, privateKey: KeyObject): Buffer {
  const signature = sign(hashOf(privateKey), writeDer(tbs), privateKey);
  return writeDer(sequence(tbs, signatureAlgorithm(privateKey), bits(signature)));
}

/** ecdsa-with-SHA256 or -SHA384; their parameters are absent (RFC 5758 section 3.2). */
export function signatureAlgorithm(privateKey: KeyObject): Der {
  const oids = { sha256: '1.2.840.10045.4.3.2', sha384: '1.2.840.10045.4.3.3' } as const;
  return sequence(objectId(oids[hashOf(privateKey)]));
}

function hashOf(privateKey: KeyObject): 'sha256' | 'sha384' {
  const curve = privateKey.asymmetricKeyDetails?.namedCurve;
  if (curve === 'prime256v1') return 'sha256';
  if (curve === 'secp384r1') return 'sha384';
  throw new TypeError('A CA key is on P-256 or P-384.');
}

/** The subject of a certificate exactly as it stands there, so that issuer names match bytewise. */
export function subjectOf(certificate: X509Certificate): Der {
  return memberOf(memberOf(readDer(certificate.raw), 0), 5);
}

/** The issuer's name as it stands in the certificate. */
export function issuerOf(certificate: X509Certificate): Der {
  return memberOf(memberOf(readDer(certificate.raw), 0), 3);
}

/** The serial number as it stands in the certificate. */
export function serialOf(certificate: X509Certificate): Der {
  return memberOf(memberOf(readDer(certificate.raw), 0), 1);
}

/** SHA-1 over the public key's bits (RFC 5280 section 4.2.1.2, method 1): a name, not a defence. */
export function keyIdentifier(publicKey: KeyObject): Buffer {
  const bitString = bytesOf(memberOf(readDer(spkiOf(publicKey)), 1));
  return createHash('sha1').update(bitString.subarray(1)).digest();
}

function spkiOf(publicKey: KeyObject): Buffer {
  return publicKey.export({ format: 'der', type: 'spki' });
}

function nameDer(name: Name): Der {
  const parts = ATTRIBUTES.flatMap(([key, oid, text]) => {
    const value = name[key];
    return value === undefined ? [] : [set(sequence(objectId(oid), text(value)))];
  });
  return sequence(...parts);
}

/** Extension ::= SEQUENCE { extnID, critical DEFAULT FALSE, extnValue OCTET STRING }. */
export function extension(oid: string, value: Der, isCritical = false): Der {
  const critical = isCritical ? [truth()] : [];
  return sequence(objectId(oid), ...critical, octets(writeDer(value)));
}

function extensions(content: CertificateContent, issuer: CertificateIssuer): Der[] {
  const { authority, extendedKeyUsage, crlUrl, subjectUri } = content;
  const issuerKey = issuer.certificate?.publicKey ?? createPublicKey(issuer.privateKey);
  const uri = (url: string) => taggedBytes(6, Buffer.from(url, 'ascii'));
  const list = [
    extension('2.5.29.14', octets(keyIdentifier(content.publicKey))),
    authorityKeyIdentifier(issuerKey),
    extension('2.5.29.19', basicConstraints(authority), true),
    extension('2.5.29.15', keyUsageBits(content.keyUsage), true),
  ];
  if (extendedKeyUsage) {
    const purposes = extendedKeyUsage.purposes.map((name) => objectId(EXTENDED_KEY_USAGE[name]));
    list.push(extension('2.5.29.37', sequence(...purposes), extendedKeyUsage.isCritical));
  }
  if (subjectUri) list.push(extension('2.5.29.17', sequence(uri(subjectUri))));
  if (crlUrl) {
    const point = sequence(tagged(0, tagged(0, uri(crlUrl))));
    list.push(extension('2.5.29.31', sequence(point)));
  }
  return list;
}

/** The extension that names the issuer's key; certificates and CRLs carry it. */
export function authorityKeyIdentifier(issuerKey: KeyObject): Der {
  return extension('2.5.29.35', sequence(taggedBytes(0, keyIdentifier(issuerKey))));
}

function basicConstraints(authority: CertificateContent['authority']): Der {
  if (!authority) return sequence();
  const { pathLength } = authority;
  return sequence(truth(), ...(pathLength === null ? [] : [smallInteger(pathLength)]));
}

function keyUsageBits(usages: (keyof typeof KEY_USAGE)[]): Der {
  const byte = usages.reduce((sum, usage) => sum | (0x80 >> KEY_USAGE[usage]), 0);
  const lastBit = Math.max(...usages.map((usage) => KEY_USAGE[usage]));
  return bits(Buffer.from([byte]), 7 - lastBit);
}
