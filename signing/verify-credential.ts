// Verifying an SD-JWT VC: what its text shows, opened apart, and whether its certificate was good then.
import type { JsonObject } from '../platform/index.ts';
import type { TrustedLeaf } from './certificate-chain.ts';
import { createChecks } from './checks.ts';
import {
  CREDENTIAL_CHECKS,
  type CredentialCheck,
  type OpenedCredential,
  type VerifyOptions,
} from './open-credential.ts';
import type { StatusReference } from './sd-jwt-vc.ts';

export interface VerifiedCredential {
  checks: CredentialCheck[];
  /** We signed exactly this. Says nothing about time (see the checks) or status. */
  isAuthentic: boolean;
  /** The visible and the disclosed claims together; only when authentic. */
  claims?: JsonObject;
  status?: StatusReference;
}

export interface VerifierDeps {
  open: (compact: string, options: VerifyOptions) => Promise<OpenedCredential>;
  /** Why a leaf was not to be trusted for a signature made then, or `null`. */
  leafFault: (leaf: Omit<TrustedLeaf, 'publicKey'>, signedAt: Date) => Promise<string | null>;
}

/**
 * Verifies a credential or a presentation of one (RFC 9901 section 7, sections 3 and 4 of the
 * draft). A certificate counts if it was good when the credential was issued: licences live longer
 * than keys.
 */
export async function verifyCredential(
  compact: string,
  options: VerifyOptions,
  { open, leafFault }: VerifierDeps,
): Promise<VerifiedCredential> {
  const { checks: opened, signed } = await open(compact, options);
  if (!signed) return { checks: opened, isAuthentic: false };
  const { leaf, claims, iat, status } = signed;
  const checks = createChecks(CREDENTIAL_CHECKS, opened);
  const fault = await leafFault(leaf, iat ?? options.now);
  if (fault) checks.fail('certificate', fault);
  else checks.pass('certificate', `Signed by ${leaf.organization} under this registry's CA.`);
  if (checks.hasFailed('certificate', 'key_binding')) {
    return { checks: checks.list(), isAuthentic: false };
  }
  return { checks: checks.list(), isAuthentic: true, claims, ...(status && { status }) };
}
