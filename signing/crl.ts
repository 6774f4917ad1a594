// Certificate revocation lists (RFC 5280 section 5), signed by the issuing CA.
import {
  authorityKeyIdentifier,
  extension,
  signatureAlgorithm,
  signedDer,
  subjectOf,
} from './certificate.ts';
import { enumerated, integer, sequence, smallInteger, tagged, time } from './der.ts';
import type { CertificateAuthority } from './keystore.ts';

/** CRLReason (RFC 5280 section 5.3.1), those that a registry's leaves can meet. */
export const REVOCATION_REASONS = {
  keyCompromise: 1,
  affiliationChanged: 3,
  superseded: 4,
  cessationOfOperation: 5,
} as const;

export type RevocationReason = keyof typeof REVOCATION_REASONS;

export interface RevokedCertificate {
  /** Hexadecimal, as X509Certificate shows it. */
  serial: string;
  revokedAt: Date;
  /** A value of REVOCATION_REASONS. */
  reason: number;
}

export interface CrlContent {
  number: number;
  thisUpdate: Date;
  nextUpdate: Date;
  revoked: RevokedCertificate[];
}

/** The list as DER. */
export function makeCrl(content: CrlContent, authority: CertificateAuthority): Buffer {
  const { certificate, privateKey } = authority;
  const entries = content.revoked.map(({ serial, revokedAt, reason }) =>
    sequence(
      integer(Buffer.from(serial, 'hex')),
      time(revokedAt),
      sequence(extension('2.5.29.21', enumerated(reason))),
    ),
  );
  const tbs = sequence(
    smallInteger(1),
    signatureAlgorithm(privateKey),
    subjectOf(certificate),
    time(content.thisUpdate),
    time(content.nextUpdate),
    // Absent rather than empty (section 5.1.2.6).
    ...(entries.length > 0 ? [sequence(...entries)] : []),
    tagged(
      0,
      sequence(
        authorityKeyIdentifier(certificate.publicKey),
        extension('2.5.29.20', smallInteger(content.number)),
      ),
    ),
  );
  return signedDer(tbs, privateKey);
}
