// Compact JWS (RFC 7515) made by a Signer, and the strict reading of its two JSON parts.
import { decodeBase64url, encodeBase64url, type JsonObject } from '../platform/index.ts';
import type { Signer } from './keystore.ts';

/** The media types of what we sign, as the `typ` header has them. */
export type JwsType = 'dc+sd-jwt' | 'statuslist+jwt' | 'yihao-receipt+jwt';

const headers = new WeakMap<Signer, Map<JwsType, string>>();

/** Signs a payload with ES256; `x5c` carries the leaf and the issuing CA, never the root. */
export async function signCompact(
  signer: Signer,
  type: JwsType,
  payload: JsonObject,
): Promise<string> {
  const body = encodeBase64url(Buffer.from(JSON.stringify(payload)));
  const signingInput = `${protectedHeader(signer, type)}.${body}`;
  const signature = await signer.sign(Buffer.from(signingInput, 'ascii'));
  return `${signingInput}.${encodeBase64url(signature)}`;
}

/** The encoded header is the same for all signatures of one key and type. */
function protectedHeader(signer: Signer, type: JwsType): string {
  const known = headers.get(signer) ?? new Map<JwsType, string>();
  headers.set(signer, known);
  const cached = known.get(type);
  if (cached) return cached;
  if (signer.algorithm !== 'ES256') throw new TypeError('Our JWS are signed with ES256.');
  const x5c = signer.chain.map((der) => der.toString('base64'));
  const header = { alg: signer.algorithm, typ: type, kid: signer.kid, x5c };
  const made = encodeBase64url(Buffer.from(JSON.stringify(header)));
  known.set(type, made);
  return made;
}

/** The parts of a compact JWS, not yet verified. */
export interface CompactParts {
  header: JsonObject;
  payload: JsonObject;
}

/** Splits a compact JWS; `null` unless it is three canonical parts with JSON objects in two. */
export function readCompact(jws: string): CompactParts | null {
  const parts = jws.split('.');
  const [header, payload] = parts.map((part) => readJsonObject(part));
  return parts.length === 3 && header && payload ? { header, payload } : null;
}

/** A base64url-encoded JSON object in UTF-8, or `null`. */
function readJsonObject(encoded: string): JsonObject | null {
  const value = readEncodedJson(encoded);
  return isJsonObject(value) ? value : null;
}

/** Base64url-encoded JSON in UTF-8, or `undefined` when it is anything else. */
export function readEncodedJson(encoded: string): unknown {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(decodeBase64url(encoded));
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Narrows what JSON.parse gave: an object holds JSON values only. */
export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
