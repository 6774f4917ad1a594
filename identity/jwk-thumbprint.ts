// The name of a public key by its own bytes (RFC 7638).
import { createHash } from 'node:crypto';

/** A public P-256 key as a JWK. */
export interface EcPublicJwk {
  kty: 'EC';
  crv: 'P-256';
  x: string;
  y: string;
}

/** base64url(SHA-256) of the key's required members in lexical order. */
export function jwkThumbprint({ crv, kty, x, y }: EcPublicJwk): string {
  return createHash('sha256').update(JSON.stringify({ crv, kty, x, y })).digest('base64url');
}
