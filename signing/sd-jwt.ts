// SD-JWT (RFC 9901): the compact form, and the verifier's processing of section 7.1, to the letter.
import type { Json, JsonObject } from '../platform/index.ts';
import { type Disclosure, RESERVED_NAMES, readDisclosure } from './disclosure.ts';
import { isJsonObject } from './jws.ts';

/** `<issuer-signed JWT>~<disclosure>~…~<KB-JWT or nothing>`. */
export interface SdJwtParts {
  issuerJwt: string;
  disclosures: string[];
  keyBindingJwt: string | null;
  /** Everything up to and with the last tilde: what `sd_hash` of the KB-JWT covers. */
  withoutKeyBinding: string;
}

/** Splits the compact form; `null` when there is no tilde, so that it is no SD-JWT. */
export function splitSdJwt(compact: string): SdJwtParts | null {
  const end = compact.lastIndexOf('~');
  if (end === -1) return null;
  const [issuerJwt = '', ...disclosures] = compact.slice(0, end).split('~');
  return {
    issuerJwt,
    disclosures,
    keyBindingJwt: end === compact.length - 1 ? null : compact.slice(end + 1),
    withoutKeyBinding: compact.slice(0, end + 1),
  };
}

export type Processed =
  | { isValid: true; claims: JsonObject; disclosedNames: string[] }
  | { isValid: false; reason: string };

/** A fault that ends the processing; it never leaves this file. */
class Rejection extends Error {}

/**
 * Section 7.1 steps 3 to 5 on a payload whose signature has been checked: puts every disclosure in
 * its place and takes the mechanism's own members out. A disclosure that is malformed, tampered
 * with, repeated or referenced by no digest makes the whole SD-JWT invalid, as do a digest that
 * occurs twice, a reserved or already present name, and digests in a wrong place.
 */
export function processDisclosures(payload: JsonObject, encoded: string[]): Processed {
  try {
    const algorithm = payload._sd_alg;
    if (algorithm !== undefined && algorithm !== 'sha-256') {
      throw new Rejection('The digests use an algorithm other than sha-256.');
    }
    const { _sd_alg, ...body } = payload;
    const unused = readAll(encoded);
    const disclosedNames: string[] = [];
    const claims = unfolder(unused).object(body, (name) => disclosedNames.push(name));
    if (unused.size > 0) {
      throw new Rejection(`${unused.size} disclosure(s) match no digest of the signed body.`);
    }
    return { isValid: true, claims, disclosedNames };
  } catch (error) {
    if (error instanceof Rejection) return { isValid: false, reason: error.message };
    throw error;
  }
}

function readAll(encoded: string[]): Map<string, Disclosure> {
  const byDigest = new Map<string, Disclosure>();
  for (const text of encoded) {
    const disclosure = readDisclosure(text);
    if (!disclosure) throw new Rejection('A disclosure is not readable.');
    if (byDigest.has(disclosure.digest)) throw new Rejection('A disclosure occurs twice.');
    byDigest.set(disclosure.digest, disclosure);
  }
  return byDigest;
}

/** Walks the payload; takes each disclosure it places out of `unused`. */
function unfolder(unused: Map<string, Disclosure>) {
  const seen = new Set<string>();

  function take(digest: unknown): Disclosure | undefined {
    if (typeof digest !== 'string') throw new Rejection('A digest is not a string.');
    if (seen.has(digest)) throw new Rejection('A digest occurs twice.');
    seen.add(digest);
    const disclosure = unused.get(digest);
    unused.delete(digest);
    return disclosure;
  }

  function object(source: JsonObject, onDisclosed: (name: string) => void): JsonObject {
    if (Object.hasOwn(source, '...')) throw new Rejection("'...' stands outside an array.");
    if (Object.hasOwn(source, '_sd_alg')) throw new Rejection("'_sd_alg' stands below the top.");
    const { _sd: digests = [], ...plain } = source;
    if (!Array.isArray(digests)) throw new Rejection("'_sd' is not an array.");
    const members = new Map<string, Json>();
    for (const [name, value = null] of Object.entries(plain)) members.set(name, any(value));
    for (const digest of digests) {
      const disclosure = take(digest);
      if (!disclosure) continue; // A decoy, or one the holder keeps to himself.
      const { name, value } = disclosure;
      if (name === null)
        throw new Rejection('A disclosure of an array element stands in an object.');
      if (RESERVED_NAMES.has(name))
        throw new Rejection(`A disclosure has the reserved name ${name}.`);
      if (members.has(name)) throw new Rejection('A disclosure has the name of another claim.');
      members.set(name, any(value));
      onDisclosed(name);
    }
    return Object.fromEntries(members);
  }

  function array(source: Json[]): Json[] {
    return source.flatMap((element) => {
      if (!isJsonObject(element) || !Object.hasOwn(element, '...')) return [any(element)];
      if (Object.keys(element).length > 1)
        throw new Rejection("'...' stands beside other members.");
      const disclosure = take(element['...']);
      if (!disclosure) return [];
      if (disclosure.name !== null) {
        throw new Rejection('A disclosure of an object member stands in an array.');
      }
      return [any(disclosure.value)];
    });
  }

  function any(value: Json): Json {
    if (Array.isArray(value)) return array(value);
    return isJsonObject(value) ? object(value, () => {}) : value;
  }

  return { object };
}
