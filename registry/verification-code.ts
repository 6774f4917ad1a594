// The code on a licence's face that anyone may look up: 80 random bits, Crockford's base32.
import { createHmac } from 'node:crypto';

const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const CODE = /^[0-9A-HJKMNP-TV-Z]{16}$/;

/** Random bytes a code is made of. */
export const CODE_BYTES = 10;

/** The 16 characters of 80 bits. */
export function encodeVerificationCode(random: Uint8Array): string {
  if (random.length !== CODE_BYTES) throw new TypeError('A verification code has 80 bits.');
  let bits = random.reduce((all, byte) => (all << 8n) | BigInt(byte), 0n);
  let code = '';
  for (let at = 0; at < 16; at += 1) {
    code = ALPHABET.charAt(Number(bits & 31n)) + code;
    bits >>= 5n;
  }
  return code;
}

/**
 * The one form of a code as a person typed it: case, hyphens and blanks folded, O read as 0, I and L
 * as 1 (Crockford). Undefined when it can't be a code.
 */
export function foldVerificationCode(typed: string): string | undefined {
  if (typed.length > 64) return undefined;
  const folded = typed
    .normalize('NFKC')
    .toUpperCase()
    .replace(/[\s-]/g, '')
    .replaceAll('O', '0')
    .replace(/[IL]/g, '1');
  return CODE.test(folded) ? folded : undefined;
}

/** A code as people read it out: in fours. */
export function formatVerificationCode(code: string): string {
  return code.match(/.{1,4}/g)?.join('-') ?? code;
}

/** The look-up key of a folded code. Without the secret a stored key tells nothing of its code. */
export function verificationCodeKey(secret: Buffer, code: string): Buffer {
  return createHmac('sha256', secret).update(`registry.verification-code|v1|${code}`).digest();
}

/** What a QR code on paper points to: the code stands in the fragment, which no server log sees. */
export function verificationUrl(publicUrl: string, code: string): string {
  return `${publicUrl}/verify#${code}`;
}
