// The answer's receipt (contract section 4.2): what the provider signs, and its salted hashes.
import { createHash } from 'node:crypto';
import { canonicalJson, encodeBase64url, type Json, type JsonObject } from '../platform/index.ts';

export const RECEIPT_SALT_BYTES = 32;

/** base64url(SHA-256(salt ‖ JCS of the value)): one salt for the request and its answer. */
export function saltedHash(salt: Buffer, value: Json): string {
  return encodeBase64url(
    createHash('sha256').update(salt).update(canonicalJson(value), 'utf8').digest(),
  );
}

/** Everything a receipt says. */
export interface ReceiptFacts {
  providerUscc: string;
  verificationId: string;
  service: string;
  requestedAt: Date;
  answeredAt: Date;
  requestHash: string;
  answerHash: string;
  /** Indexes of the question's and the answer's entries in the log. */
  auditIndexes: number[];
}

/**
 * The receipt's payload. `custody` is `platform` as long as the department's key lies in the
 * house's own key directory.
 */
export function receiptPayload(facts: ReceiptFacts): JsonObject {
  return {
    iss: facts.providerUscc,
    jti: facts.verificationId,
    service: facts.service,
    requestedAt: facts.requestedAt.toISOString(),
    answeredAt: facts.answeredAt.toISOString(),
    requestHash: facts.requestHash,
    answerHash: facts.answerHash,
    audit: facts.auditIndexes,
    custody: 'platform',
  };
}
