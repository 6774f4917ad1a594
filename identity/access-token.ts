// Access tokens (RFC 9068) of our own making, checked with node:crypto before the proof that goes with
// them. A token seen before is not verified again, only its time is.
import { createHash, createPublicKey, type KeyObject, verify } from 'node:crypto';
import { z } from 'zod';
import { parseCompactJws } from './compact-jws.ts';
import { AHEAD_SECONDS } from './dpop-proof.ts';

/** How long a token serves: FAPI 2.0 asks for short ones. */
export const TOKEN_SECONDS = 300;

// A token has about 700 characters.
const LONGEST_TOKEN = 8_192;
// 2,000 clients between two renewals; about 1 MB.
const CACHED_TOKENS = 2_000;

const Header = z.object({
  typ: z.literal('at+jwt'),
  alg: z.literal('ES256'),
  kid: z.string(),
  crit: z.never().optional(),
});

const Claims = z.object({
  iss: z.string(),
  aud: z.string(),
  client_id: z.string(),
  scope: z.string().optional(),
  iat: z.number(),
  exp: z.number(),
  // Ours: how often its client had been stopped when it was made.
  stops: z.int().default(0),
  // Bound to one key: of proofs (RFC 9449 section 6) or of a certificate (RFC 8705 section 3.1).
  cnf: z.union([z.strictObject({ jkt: z.string() }), z.strictObject({ 'x5t#S256': z.string() })]),
});
export type TokenClaims = z.infer<typeof Claims>;

/** A token that doesn't hold; the message is for the client's engineer. */
export class TokenFault extends Error {}

/** Checks tokens that this issuer signed with this key for itself. */
export function createTokenCheck({
  issuer,
  privateKey,
}: {
  issuer: string;
  privateKey: KeyObject;
}) {
  const publicKey = createPublicKey(privateKey);
  const seen = new Map<string, TokenClaims>();

  function verified(token: string): TokenClaims {
    const jws = token.length > LONGEST_TOKEN ? null : parseCompactJws(token);
    if (!jws || !Header.safeParse(jws.header).success) {
      throw new TokenFault('this is not an access token of this issuer');
    }
    const options = { key: publicKey, dsaEncoding: 'ieee-p1363' } as const;
    if (!verify('sha256', jws.signingInput, options, jws.signature)) {
      throw new TokenFault('the signature does not verify');
    }
    const claims = Claims.safeParse(jws.payload);
    if (!claims.success)
      throw new TokenFault('a claim is missing, or the token is not bound to a key');
    if (claims.data.iss !== issuer || claims.data.aud !== issuer) {
      throw new TokenFault('the token is for another audience');
    }
    return claims.data;
  }

  /** The claims of a token that holds now; throws TokenFault. */
  return function checkToken(token: string, now: Date): TokenClaims {
    const digest = createHash('sha256').update(token).digest('base64url');
    const claims = seen.get(digest) ?? verified(token);
    const seconds = now.getTime() / 1000;
    if (claims.exp <= seconds) {
      seen.delete(digest);
      throw new TokenFault('the token has expired');
    }
    if (claims.iat > seconds + AHEAD_SECONDS) throw new TokenFault('iat lies in the future');
    const [oldest] = seen.keys();
    if (seen.size >= CACHED_TOKENS && oldest !== undefined) seen.delete(oldest);
    seen.set(digest, claims);
    return claims;
  };
}
