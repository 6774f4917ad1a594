// The keys a client registers (RFC 7517): public, of P-256 for ES256, pinned to it. Nothing is ever
// fetched: no jku, no x5u. A client that authenticates by TLS brings its certificate with each key
// (RFC 8705 section 2.2): whom to trust is decided by two operators, not by a chain.
import { createPublicKey, X509Certificate } from 'node:crypto';
import { z } from 'zod';
import { identityErrors } from './errors.ts';

export const CLIENT_METHODS = ['private_key_jwt', 'self_signed_tls_client_auth'] as const;
/** How a client authenticates; its tokens are bound to a DPoP key or to its certificate. */
export type ClientMethod = (typeof CLIENT_METHODS)[number];

/** More keys than an overlap needs are a mistake. */
export const MOST_KEYS = 4;

const coordinate = z.string().regex(/^[A-Za-z0-9_-]{43}$/, 'Give 32 bytes in base64url.');

/** A registered key. Strict, so that no private member slips in; kid tells overlapping keys apart. */
export const ClientKey = z.strictObject({
  kty: z.literal('EC'),
  crv: z.literal('P-256'),
  x: coordinate,
  y: coordinate,
  kid: z.string().regex(/^[\x21-\x7e]{1,128}$/, 'Give 1 to 128 visible ASCII characters.'),
  alg: z.literal('ES256').optional(),
  use: z.literal('sig').optional(),
  /** The one certificate of this key, DER in base64. */
  x5c: z.array(z.base64().max(8_192)).length(1).optional(),
});
export type ClientKey = z.infer<typeof ClientKey>;

export const ClientKeys = z.array(ClientKey).min(1).max(MOST_KEYS);

/** Refuses keys that nobody may have, or not with this method: client_invalid with pointers. */
export function checkClientKeys(keys: readonly ClientKey[], method: ClientMethod, now: Date): void {
  const kids = keys.map(({ kid }) => kid);
  const fields = keys.flatMap((key, at) => {
    const isTwice = kids.indexOf(key.kid) !== at;
    const fault = isTwice ? 'Another of these keys has this kid.' : faultOf(key, method, now);
    return fault === undefined ? [] : [{ pointer: `/keys/${at}`, detail: fault }];
  });
  if (fields.length === 0) return;
  throw identityErrors.client_invalid('Some of these keys can not be registered; see errors.', {
    fields,
  });
}

function faultOf(key: ClientKey, method: ClientMethod, now: Date): string | undefined {
  const { kty, crv, x, y } = key;
  try {
    createPublicKey({ key: { kty, crv, x, y }, format: 'jwk' });
  } catch {
    return 'This is not a point on P-256.';
  }
  if (method === 'private_key_jwt') {
    return key.x5c && 'A key for signed assertions comes without a certificate.';
  }
  const [der] = key.x5c ?? [];
  const certificate = der === undefined ? undefined : readCertificate(Buffer.from(der, 'base64'));
  if (!certificate) return 'A key for TLS comes with its certificate: x5c, DER in base64.';
  const own = certificate.publicKey.export({ format: 'jwk' });
  if (own.x !== x || own.y !== y) return 'The certificate is of another key.';
  if (new Date(certificate.validTo) <= now) return 'The certificate has expired.';
  return undefined;
}

/** The certificate in these bytes of DER; undefined when it is none. */
export function readCertificate(der: Buffer): X509Certificate | undefined {
  try {
    return new X509Certificate(der);
  } catch {
    return undefined;
  }
}
