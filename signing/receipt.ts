// Receipts: a department's signature under what it asked or answered (compact JWS, contract 4.2).
import type { JsonObject } from '../platform/index.ts';
import type { createChainVerifier } from './certificate-chain.ts';
import { type Check, createChecks } from './checks.ts';
import { isSignedBy, readCompact, signCompact } from './jws.ts';
import type { Keystore } from './keystore.ts';
import type { VerifierDeps } from './verify-credential.ts';

const CHECKS = ['format', 'certificate', 'signature', 'department'] as const;

export interface VerifiedReceipt {
  checks: Check<(typeof CHECKS)[number]>[];
  isAuthentic: boolean;
  /** Only when authentic. */
  payload?: JsonObject;
  department?: { uscc: string; name: string };
}

/** Signs a payload with the receipt key of the department, which must be the payload's `iss`. */
export async function signReceipt(
  keystore: Keystore,
  uscc: string,
  payload: JsonObject,
): Promise<string> {
  if (payload.iss !== uscc)
    throw new TypeError('A receipt is issued by the department that signs.');
  return signCompact(keystore.receiptKey(uscc), 'yihao-receipt+jwt', payload);
}

/** Verifies a receipt: our CA vouched for the department's key when it answered. */
export async function verifyReceipt(
  jws: string,
  {
    verifyChain,
    leafFault,
  }: Pick<VerifierDeps, 'leafFault'> & {
    verifyChain: ReturnType<typeof createChainVerifier>;
  },
): Promise<VerifiedReceipt> {
  const checks = createChecks(CHECKS);
  const failed = (): VerifiedReceipt => ({ checks: checks.list(), isAuthentic: false });

  const parts = readCompact(jws);
  const answeredAt = new Date(String(parts?.payload.answeredAt));
  if (parts?.header.typ !== 'yihao-receipt+jwt' || Number.isNaN(answeredAt.getTime())) {
    checks.fail('format', 'This is not a receipt.');
    return failed();
  }
  checks.pass('format', 'A receipt of type yihao-receipt+jwt.');

  const chain = verifyChain(parts.header.x5c, 'receipt');
  const fault = chain.isTrusted ? await leafFault(chain.leaf, answeredAt) : chain.reason;
  if (!chain.isTrusted || fault) {
    checks.fail('certificate', fault ?? 'The certificate is not trusted.');
    return failed();
  }
  const { leaf } = chain;
  checks.pass('certificate', `The key of ${leaf.organization} under this registry's CA.`);
  if (!isSignedBy(leaf.publicKey, parts)) {
    checks.fail('signature', 'The receipt was changed, or another key signed it.');
    return failed();
  }
  checks.pass('signature', 'The receipt is unchanged.');
  if (leaf.uscc === null || parts.payload.iss !== leaf.uscc) {
    checks.fail('department', 'The receipt names another department than its certificate.');
    return failed();
  }
  checks.pass('department', `Issued by ${leaf.organization}.`);
  return {
    checks: checks.list(),
    isAuthentic: true,
    payload: parts.payload,
    department: { uscc: leaf.uscc, name: leaf.organization },
  };
}
