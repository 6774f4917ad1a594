// Bytes, their hashes and their base64, and what is thrown when something does not hold.

/** A reason why something does not hold, found on the way. */
export class Refusal extends Error {}

/** SHA-256 over all parts, one behind the other. */
export async function sha256(...parts: Uint8Array[]): Promise<Uint8Array<ArrayBuffer>> {
  const all = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return new Uint8Array(await crypto.subtle.digest('SHA-256', all));
}

export function areEqual(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, at) => byte === b[at]);
}

export function toBase64(bytes: Uint8Array): string {
  return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(''));
}

/** Canonical base64 only: one text per value. */
export function readBase64(text: string, what: string): Uint8Array<ArrayBuffer> {
  try {
    const bytes = Uint8Array.from(atob(text), (char) => char.charCodeAt(0));
    if (toBase64(bytes) === text) return bytes;
  } catch {
    // Said below.
  }
  throw new Refusal(`${what} is not canonical base64.`);
}

export const toUrl = (text: string) =>
  text.replace(/[+]/g, '-').replace(/[/]/g, '_').replace(/=+$/, '');
export const fromUrl = (text: string) =>
  /^[A-Za-z0-9_-]*$/.test(text)
    ? text.replace(/-/g, '+').replace(/_/g, '/') + '='.repeat((4 - (text.length % 4)) % 4)
    : '!';
