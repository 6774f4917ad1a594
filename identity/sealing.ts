// AES-256-GCM with a random 96-bit nonce (NIST SP 800-38D), and keys drawn from keys (HKDF, RFC 5869).
import { createCipheriv, createDecipheriv, hkdfSync } from 'node:crypto';
import type { Ids } from '../platform/index.ts';

export const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const FORMAT = 1;
const OVERHEAD_BYTES = 1 + NONCE_BYTES + TAG_BYTES;

/**
 * Seals bytes under a key, bound to `context`: only the same key and the same context open them.
 * Layout: format byte ‖ nonce ‖ ciphertext ‖ tag.
 */
export function seal(ids: Ids, key: Buffer, plaintext: Uint8Array, context: string): Buffer {
  const nonce = ids.bytes(NONCE_BYTES);
  const cipher = createCipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG_BYTES });
  cipher.setAAD(Buffer.from(context, 'utf8'));
  const body = Buffer.concat([cipher.update(plaintext), cipher.final()]);
  return Buffer.concat([Buffer.of(FORMAT), nonce, body, cipher.getAuthTag()]);
}

/** Opens what `seal` made; throws when key, context or a single bit differ. */
export function open(key: Buffer, sealed: Uint8Array, context: string): Buffer {
  if (sealed.length < OVERHEAD_BYTES || sealed[0] !== FORMAT) {
    throw new Error('This is not a sealed value of a known format.');
  }
  const nonce = sealed.subarray(1, 1 + NONCE_BYTES);
  const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG_BYTES });
  decipher.setAAD(Buffer.from(context, 'utf8'));
  decipher.setAuthTag(sealed.subarray(sealed.length - TAG_BYTES));
  const body = sealed.subarray(1 + NONCE_BYTES, sealed.length - TAG_BYTES);
  return Buffer.concat([decipher.update(body), decipher.final()]);
}

/** A key for one purpose out of a longer-lived one, so that no key serves two purposes. */
export function deriveKey(key: Buffer, purpose: string): Buffer {
  return Buffer.from(hkdfSync('sha256', key, '', `yihao|${purpose}`, KEY_BYTES));
}
