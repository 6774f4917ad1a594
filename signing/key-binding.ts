// The holder's proof of possession: the KB-JWT of a presentation (RFC 9901 section 7.3).
import { createHash, createPublicKey, type KeyObject } from 'node:crypto';
import type { Json } from '../platform/index.ts';
import { isJsonObject, isSignedBy, readCompact } from './jws.ts';
import type { SdJwtParts } from './sd-jwt.ts';

/** What the verifier asked for; with it a presentation without binding fails. */
export interface ExpectedBinding {
  audience: string;
  nonce: string;
}

/** How far the holder's clock and the way here may put `iat` off. */
const TOLERANCE_SECONDS = 300;

/**
 * Why the KB-JWT does not bind this presentation to the key in `cnf`, or `null` when it does.
 * Audience, nonce and time are held against `expected`; without it only the binding itself counts.
 */
export function keyBindingFault(
  { keyBindingJwt, withoutKeyBinding }: SdJwtParts,
  cnf: Json | undefined,
  { now, expected }: { now: Date; expected?: ExpectedBinding },
): string | null {
  const parts = keyBindingJwt === null ? null : readCompact(keyBindingJwt);
  if (!parts) return 'The key binding is not a readable JWT.';
  const { header, payload } = parts;
  if (header.typ !== 'kb+jwt') return 'The key binding is not of type kb+jwt.';
  const { iat, aud, nonce, sd_hash: sdHash } = payload;
  if (typeof iat !== 'number' || typeof aud !== 'string' || typeof nonce !== 'string') {
    return 'The key binding lacks iat, aud or nonce.';
  }
  const holderKey = readHolderKey(cnf);
  if (!holderKey) return 'The credential is bound to no key (cnf).';
  if (!isSignedBy(holderKey, parts)) {
    return 'The key binding was not signed by the key in the credential.';
  }
  const hash = createHash('sha256').update(withoutKeyBinding, 'ascii').digest('base64url');
  if (sdHash !== hash) return 'The key binding belongs to another presentation (sd_hash).';
  if (!expected) return null;
  if (aud !== expected.audience) return 'The key binding names another verifier (aud).';
  if (nonce !== expected.nonce) return 'The key binding answers another request (nonce).';
  const ageSeconds = Math.abs(now.getTime() / 1000 - iat);
  return ageSeconds <= TOLERANCE_SECONDS ? null : 'The key binding is too old.';
}

/** The P-256 key of `cnf.jwk` (RFC 7800), public members alone; `null` when there is none. */
function readHolderKey(cnf: Json | undefined): KeyObject | null {
  const jwk = isJsonObject(cnf) ? cnf.jwk : undefined;
  if (!isJsonObject(jwk)) return null;
  const { kty, crv, x, y } = jwk;
  if (kty !== 'EC' || crv !== 'P-256' || typeof x !== 'string' || typeof y !== 'string')
    return null;
  try {
    return createPublicKey({ key: { kty, crv, x, y }, format: 'jwk' });
  } catch {
    return null;
  }
}
