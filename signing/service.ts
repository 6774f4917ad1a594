// Binds the acts of signing to one keystore, database and public address.
import type { Clock, Database, Ids, JsonObject, Logger } from '../platform/index.ts';
import { createChainVerifier } from './certificate-chain.ts';
import { createCredentialReader } from './credential-reader.ts';
import { createDocumentChecker } from './document-checker.ts';
import { createDocuments } from './documents.ts';
import { signingErrors } from './errors.ts';
import { type CredentialContent, issueCredential } from './issue-credential.ts';
import type { Keystore } from './keystore.ts';
import type { VerifyOptions } from './open-credential.ts';
import { signReceipt, verifyReceipt } from './receipt.ts';
import { createRevocations } from './revocations.ts';
import { listSignatures } from './signature-store.ts';
import type { RemoteSigner } from './signer-client.ts';
import { createStatusLists, isListId } from './status-lists.ts';
import { createTimestamps } from './timestamp.ts';
import { verifyCredential } from './verify-credential.ts';

export interface SigningDeps {
  database: Database;
  clock: Clock;
  ids: Ids;
  keystore: Keystore;
  /** Signs for a process that may not load the keys; required there, unused elsewhere. */
  remote?: RemoteSigner | undefined;
  publicUrl: string;
  logger: Logger;
}

export type Signing = ReturnType<typeof createSigning>;

/** Refuses to exist without the two CA certificates; private keys are read when first used. */
export function createSigning(deps: SigningDeps) {
  const { database, clock, ids, keystore, publicUrl, logger } = deps;
  const { rootCertificate, issuingCertificate } = keystore;
  const remote = keystore.mayLoad('credential') ? undefined : deps.remote;
  if (!remote && !keystore.mayLoad('credential')) {
    throw new TypeError('A process that may not load signing keys needs a signer.');
  }
  if (!issuingCertificate.verify(rootCertificate.publicKey)) {
    throw signingErrors.keys_missing(
      'The issuing CA in KEYS_DIR was not certified by the root there: restore both from one backup.',
    );
  }
  const statusLists = createStatusLists({ database, clock, ids, keystore, publicUrl, logger });
  const revocations = createRevocations({ database, clock, keystore, remote, logger });
  const { leafFault } = revocations;
  const verifier = { verifyChain: createChainVerifier(rootCertificate), leafFault };
  const open = createCredentialReader(rootCertificate);
  const timestamps = createTimestamps({ database, clock, keystore, remote });

  return {
    issueCredential: (content: CredentialContent): Promise<string> =>
      remote
        ? remote.credential(content)
        : issueCredential(content, { signer: keystore.credentialKey, issuer: publicUrl, ids }),
    verifyCredential: (compact: string, options: VerifyOptions) =>
      verifyCredential(compact, options, { open, leafFault }),
    verifyDocument: createDocumentChecker({ database, rootCertificate, leafFault }),

    /** From elsewhere the signer makes the payload itself, out of what is stored of the verification. */
    signReceipt: (uscc: string, payload: JsonObject): Promise<string> =>
      remote ? remote.receipt(String(payload.jti)) : signReceipt(keystore, uscc, payload),
    verifyReceipt: (jws: string) => verifyReceipt(jws, verifier),

    /** What the signer recorded before it signed; for whoever compares it with what is written down. */
    listSignatures,

    ...statusLists,
    statusListToken: async (listId: string): Promise<string | null> => {
      if (!isListId(listId)) return null;
      return remote ? remote.statusListToken(listId) : statusLists.statusListToken(listId);
    },

    ...timestamps,
    ...createDocuments({ database, clock, keystore, remote, stamp: timestamps.timestampToken }),

    /** DER, as `/pki/root.crt` and `/pki/issuing.crt` serve them. */
    rootCertificate: (): Buffer => rootCertificate.raw,
    issuingCertificate: (): Buffer => issuingCertificate.raw,
    crl: revocations.crl,
    revokeCertificate: revocations.revokeCertificate,

    /** The issuer's keys for who finds them by web (draft-ietf-oauth-sd-jwt-vc section 5). */
    jwtVcIssuer(): JsonObject {
      const { certificate, chain, kid } = keystore.credentialPublicKey;
      const { kty, crv, x, y } = certificate.publicKey.export({ format: 'jwk' });
      const x5c = chain.map((der) => der.toString('base64'));
      return {
        issuer: publicUrl,
        jwks: { keys: [{ kty, crv, x, y, kid, use: 'sig', alg: 'ES256', x5c }] },
      };
    },
  };
}
