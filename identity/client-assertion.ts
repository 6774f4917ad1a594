// What a client authenticates with, at our token endpoint and at our provider of sign-ins alike: an
// assertion made for one request (RFC 7523, held to FAPI 2.0; spec/trust.md 2.7).
import { createHash } from 'node:crypto';
import type { KoaContextWithOIDC } from 'oidc-provider';
import { InvalidClientAuth } from 'oidc-provider/lib/helpers/errors.js';
import { z } from 'zod';
import type { Clock, Database } from '../platform/index.ts';
import { AHEAD_SECONDS } from './dpop-proof.ts';
import { claimAssertion } from './store-clients.ts';

/** An assertion is made for one request, just before it. */
const ASSERTION_SECONDS = 60;

const Assertion = z.object({
  iss: z.string(),
  aud: z.string(),
  jti: z.string().max(256),
  exp: z.number(),
  iat: z.number().optional(),
  nbf: z.number().optional(),
});
const AssertionHeader = z.object({
  kid: z.string(),
  jku: z.never().optional(),
  x5u: z.never().optional(),
  jwk: z.never().optional(),
});

/** A check to be called with the claims of an assertion whose signature, iss, sub and exp hold. */
export function createAssertionCheck(deps: {
  database: Database;
  clock: Clock;
  /** The one audience accepted. */
  issuer: string;
}) {
  const { database, clock, issuer } = deps;
  return async (_: KoaContextWithOIDC, claims: object, header: object): Promise<void> => {
    const assertion = Assertion.safeParse(claims);
    if (!assertion.success)
      throw new InvalidClientAuth('aud must be one string, jti and exp given');
    if (!AssertionHeader.safeParse(header).success) {
      throw new InvalidClientAuth('the header must name a registered key by kid and bring none');
    }
    const { iss, aud, jti, exp, iat, nbf } = assertion.data;
    const now = clock.now().getTime() / 1000;
    if (aud !== issuer) throw new InvalidClientAuth('aud must be the issuer');
    if (exp <= now) throw new InvalidClientAuth('the assertion has expired');
    if (Math.max(iat ?? 0, nbf ?? 0) > now + AHEAD_SECONDS) {
      throw new InvalidClientAuth('the assertion lies in the future');
    }
    const begins = iat ?? nbf ?? now;
    if (exp - begins > ASSERTION_SECONDS || exp > now + ASSERTION_SECONDS + AHEAD_SECONDS) {
      throw new InvalidClientAuth('the assertion lives too long');
    }
    const id = createHash('sha256').update(`${aud}|${iss}|${jti}`).digest('base64url');
    // Kept as long as the library would take it: to its end and the tolerance (RFC 7523 section 3).
    const until = new Date((exp + AHEAD_SECONDS) * 1000);
    if (!(await claimAssertion(database.db, id, until))) {
      throw new InvalidClientAuth('the assertion has been used before');
    }
  };
}
