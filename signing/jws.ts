// Compact JWS (RFC 7515) made by a Signer, and the strict reading of its two JSON parts.
import { type KeyObject, verify } from 'node:crypto';
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
  signingInput: string;
  signature: string;
}

/** Splits a compact JWS; `null` unless it is three parts with JSON objects in the first two. */
export function readCompact(jws: string): CompactParts | null {
  const parts = jws.split('.');
  const [first = '', second = '', signature = ''] = parts;
  const header = readJsonObject(first);
  const payload = readJsonObject(second);
  if (parts.length !== 3 || !header || !payload) return null;
  return { header, payload, signingInput: `${first}.${second}`, signature };
}

/**
 * Whether an ES256 signature is the key's (RFC 7518 section 3.4). Nothing but the header of what
 * we sign is understood: another algorithm or any critical extension (RFC 7515 section 4.1.11)
 * counts as not signed. By node:crypto on the event loop: 100 µs, a third of what jose takes with
 * WebCrypto's threads.
 */
export function isSignedBy(key: KeyObject, { header, signingInput, signature }: CompactParts) {
  if (header.alg !== 'ES256' || header.crit !== undefined || header.b64 !== undefined) return false;
  if (key.asymmetricKeyDetails?.namedCurve !== 'prime256v1') return false;
  const bytes = Buffer.from(signature, 'base64url');
  if (bytes.length !== 64 || bytes.toString('base64url') !== signature) return false;
  const signed = Buffer.from(signingInput, 'ascii');
  return verify('sha256', signed, { key, dsaEncoding: 'ieee-p1363' }, bytes);
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
