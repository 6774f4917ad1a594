// Names and ids that stay the same from harvest to harvest: CKAN names, tag and resource ids.
import { createHash } from 'node:crypto';

/** CKAN's rule for names of datasets, organisations and groups. */
export const namePattern = /^[a-z0-9_-]{2,100}$/;

/** `length` hex digits of SHA-256 over the parts; the parts can't run into each other. */
export function shortHash(length: number, ...parts: string[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, length);
}

/** A UUID (version 8, RFC 9562) that is the same for the same parts. */
export function stableUuid(...parts: string[]): string {
  const hash = createHash('sha256').update(JSON.stringify(parts)).digest();
  hash.writeUInt8((hash.readUInt8(6) & 0x0f) | 0x80, 6);
  hash.writeUInt8((hash.readUInt8(8) & 0x3f) | 0x80, 8);
  const hex = hash.toString('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20, 32)}`;
}

/** A text as lower-case ASCII words joined by hyphens, at most `max` long; '' if none is left. */
export function slug(text: string, max: number): string {
  return text
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .slice(0, max)
    .replace(/^-+|-+$/g, '');
}

/**
 * The CKAN name of a harvested thing: readable where the title is Latin, a stable hash where it
 * isn't; the hash of its identity always ends it, so two sources can't collide.
 */
export function stableName(prefix: string, title: string, ...identity: string[]): string {
  const hash = shortHash(12, ...identity);
  const words = /\p{Script=Han}/u.test(title) ? '' : slug(title, 70);
  return words.length < 2 ? `${prefix}-${hash}` : `${words}-${hash.slice(0, 8)}`;
}
