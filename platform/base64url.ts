// base64url without padding (RFC 4648 section 5), read strictly: one text per value.
import { AppError } from './errors.ts';

export function encodeBase64url(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64url');
}

/** Decodes canonical base64url; anything else (padding, stray bits, other alphabet) is refused. */
export function decodeBase64url(text: string): Buffer {
  const bytes = Buffer.from(text, 'base64url');
  if (bytes.toString('base64url') !== text) {
    throw new AppError(
      'malformed',
      'platform.base64url_invalid',
      'This is not canonical base64url.',
    );
  }
  return bytes;
}
