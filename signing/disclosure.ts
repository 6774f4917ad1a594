// Disclosures (RFC 9901 section 4.2): one claim, salted, apart from the signed body.
import { createHash } from 'node:crypto';
import { encodeBase64url, type Ids, type Json } from '../platform/index.ts';
import { readEncodedJson } from './jws.ts';

/** 128 bits, as RFC 9901 section 9.3 recommends. */
const SALT_BYTES = 16;

/** Names that carry the mechanism itself (section 4.2.1). */
export const RESERVED_NAMES: ReadonlySet<string> = new Set(['_sd', '...']);

/** A disclosure as it was read; one of an array element has no name. */
export interface Disclosure {
  encoded: string;
  digest: string;
  name: string | null;
  value: Json;
}

/** The encoded disclosure of an object member. */
export function encodeDisclosure(ids: Ids, name: string, value: Json): string {
  const content = JSON.stringify([ids.token(SALT_BYTES), name, value]);
  return encodeBase64url(Buffer.from(content));
}

/** base64url(SHA-256) over the ASCII of the encoded disclosure (section 4.2.3). */
export function disclosureDigest(encoded: string): string {
  return createHash('sha256').update(encoded, 'ascii').digest('base64url');
}

/** Reads a disclosure of either form; `null` when it has neither. */
export function readDisclosure(encoded: string): Disclosure | null {
  const content = readEncodedJson(encoded);
  if (!Array.isArray(content) || typeof content[0] !== 'string') return null;
  const digest = disclosureDigest(encoded);
  if (content.length === 2) return { encoded, digest, name: null, value: content[1] };
  if (content.length !== 3 || typeof content[1] !== 'string') return null;
  return { encoded, digest, name: content[1], value: content[2] };
}
