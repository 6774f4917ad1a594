// DPoP proofs (RFC 9449 section 4.3) checked with node:crypto. Says whether a proof is whole, fresh and
// made for this request; whether it was seen before is for the caller, who has the store.
import { createHash, createPublicKey, type KeyObject, verify } from 'node:crypto';
import { z } from 'zod';
import { parseCompactJws } from './compact-jws.ts';
import { type EcPublicJwk, jwkThumbprint } from './jwk-thumbprint.ts';

/** FAPI 2.0: clocks may differ by this much. */
export const AHEAD_SECONDS = 10;
/** A proof is for one request, made just before it. */
export const PAST_SECONDS = 60;

// A real proof has about 500 characters; longer ones are not worth parsing.
const LONGEST_PROOF = 4_096;
// A client keeps its proof key; importing one takes 40 µs, a fifth of the whole check.
const CACHED_KEYS = 500;

const coordinate = z.string().regex(/^[A-Za-z0-9_-]{43}$/);

const Header = z.object({
  typ: z.literal('dpop+jwt'),
  alg: z.literal('ES256'),
  jwk: z.object({
    kty: z.literal('EC'),
    crv: z.literal('P-256'),
    x: coordinate,
    y: coordinate,
    d: z.never().optional(),
  }),
  crit: z.never().optional(),
});

const Claims = z.object({
  jti: z.string().min(1).max(256),
  htm: z.string(),
  htu: z.string(),
  iat: z.number(),
  ath: z.string().optional(),
});

/** What a proof must be about. */
export interface ProofContext {
  method: string;
  /** The accepted forms of the request's URL; query and fragment don't count. */
  urls: readonly string[];
  /** Absent at the token endpoint, where there is none yet. */
  accessToken?: string;
  now: Date;
}

/** A proof that holds: the thumbprint of its key (RFC 7638), and what makes it unique. */
export interface Proof {
  thumbprint: string;
  jti: string;
  issuedAt: Date;
}

/** What a used proof is remembered by: its key and its jti, of fixed length. */
export function proofDigest({ thumbprint, jti }: Proof): Buffer {
  return createHash('sha256').update(`${thumbprint}|${jti}`).digest();
}

/** A proof that doesn't hold; the message is the first reason why, for the client's engineer. */
export class ProofFault extends Error {}

/** Checks proofs; keeps the keys of late. */
export function createProofCheck() {
  const keys = new Map<string, KeyObject>();

  function keyOf(jwk: EcPublicJwk, jkt: string): KeyObject {
    const known = keys.get(jkt);
    if (known) return known;
    let key: KeyObject;
    try {
      const { kty, crv, x, y } = jwk;
      key = createPublicKey({ key: { kty, crv, x, y }, format: 'jwk' });
    } catch {
      throw new ProofFault('jwk is not a point on P-256');
    }
    const [oldest] = keys.keys();
    if (keys.size >= CACHED_KEYS && oldest !== undefined) keys.delete(oldest);
    keys.set(jkt, key);
    return key;
  }

  /** Checks the DPoP header of a request to a resource; throws ProofFault. */
  return function checkProof(proof: string, context: ProofContext): Proof {
    if (proof.includes(',')) throw new ProofFault('there must be exactly one DPoP header');
    const jws = proof.length > LONGEST_PROOF ? null : parseCompactJws(proof);
    if (!jws) throw new ProofFault('the proof is not a compact JWS');
    const header = Header.safeParse(jws.header);
    if (!header.success) {
      throw new ProofFault('the header must have typ dpop+jwt, alg ES256 and a public P-256 jwk');
    }
    const claims = Claims.safeParse(jws.payload);
    if (!claims.success) throw new ProofFault('jti, htm, htu and iat are required');
    const { htm, htu, iat, ath, jti } = claims.data;
    if (htm !== context.method) throw new ProofFault('htm is not the method of the request');
    const target = withoutQuery(htu);
    if (target === null || !context.urls.some((url) => withoutQuery(url) === target)) {
      throw new ProofFault('htu is not the URL of the request');
    }
    const now = context.now.getTime() / 1000;
    if (iat < now - PAST_SECONDS) throw new ProofFault('iat is too long ago');
    if (iat > now + AHEAD_SECONDS) throw new ProofFault('iat lies in the future');
    const { accessToken } = context;
    if (
      accessToken !== undefined &&
      ath !== createHash('sha256').update(accessToken).digest('base64url')
    ) {
      throw new ProofFault('ath is not the hash of the access token');
    }
    const jkt = jwkThumbprint(header.data.jwk);
    const key = keyOf(header.data.jwk, jkt);
    const options = { key, dsaEncoding: 'ieee-p1363' } as const;
    if (!verify('sha256', jws.signingInput, options, jws.signature)) {
      throw new ProofFault('the signature does not verify');
    }
    return { thumbprint: jkt, jti, issuedAt: new Date(iat * 1000) };
  };
}

/** RFC 9449 section 4.3: compared by scheme, host, port and path alone. */
function withoutQuery(url: string): string | null {
  try {
    const { origin, pathname } = new URL(url);
    return `${origin}${pathname}`;
  } catch {
    return null;
  }
}
