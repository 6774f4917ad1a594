// Opening an SD-JWT VC (draft-ietf-oauth-sd-jwt-vc section 3, RFC 9901 section 7): all that follows from
// its text and the root certificate alone. Runs in a thread (credential-thread.ts): who presents chooses the text.
import type { Json, JsonObject } from '../platform/index.ts';
import type { ChainResult, TrustedLeaf } from './certificate-chain.ts';
import { type Check, createChecks } from './checks.ts';
import { type CompactParts, isJsonObject, isSignedBy, readCompact } from './jws.ts';
import { type ExpectedBinding, keyBindingFault } from './key-binding.ts';
import { processDisclosures, type SdJwtParts, splitSdJwt } from './sd-jwt.ts';
import { NEVER_DISCLOSABLE, type StatusReference } from './sd-jwt-vc.ts';
import type { LeafPurpose } from './subject-units.ts';

export const CREDENTIAL_CHECKS = [
  'format',
  'certificate',
  'signature',
  'disclosures',
  'key_binding',
  'not_before',
  'expiry',
] as const;

export type CredentialCheck = Check<(typeof CREDENTIAL_CHECKS)[number]>;

export interface VerifyOptions {
  now: Date;
  keyBinding?: ExpectedBinding;
}

/** A credential as its text shows it. `signed` is null when it was not signed below our root. */
export interface OpenedCredential {
  checks: CredentialCheck[];
  signed: {
    /** Whether it was good when it signed is the one thing left to ask. */
    leaf: Omit<TrustedLeaf, 'publicKey'>;
    claims: JsonObject;
    iat: Date | null;
    status: StatusReference | null;
  } | null;
}

/** Opens the text; a bound credential whose binding is wrong still says by whom it was signed. */
export function openCredential(
  compact: string,
  options: VerifyOptions,
  verifyChain: (x5c: unknown, purpose: LeafPurpose) => ChainResult,
): OpenedCredential {
  const checks = createChecks(CREDENTIAL_CHECKS);
  const opened = openSigned(compact, verifyChain, checks);
  if (!opened) return { checks: checks.list(), signed: null };
  const { parts, leaf, claims, registered } = opened;
  checkKeyBinding(parts, claims.cnf, options, checks);
  checkTimes(registered, options.now, checks);
  const { publicKey, ...facts } = leaf;
  const { iat = null, status = null } = registered;
  return { checks: checks.list(), signed: { leaf: facts, claims, iat, status } };
}

type CredentialChecks = ReturnType<typeof createChecks<(typeof CREDENTIAL_CHECKS)[number]>>;

/** What is in a credential whose signature, disclosures and form hold; else `null`. */
function openSigned(
  compact: string,
  verifyChain: (x5c: unknown, purpose: LeafPurpose) => ChainResult,
  checks: CredentialChecks,
) {
  const read = readCredential(compact);
  if (typeof read === 'string') {
    checks.fail('format', read);
    return null;
  }
  checks.pass('format', 'A credential in the SD-JWT VC format.');
  const { parts, jwt } = read;
  const chain = verifyChain(jwt.header.x5c, 'credential');
  if (!chain.isTrusted) {
    checks.fail('certificate', chain.reason);
    return null;
  }
  if (!isSignedBy(chain.leaf.publicKey, jwt)) {
    checks.fail('signature', 'The signed body was changed, or another key signed it.');
    return null;
  }
  checks.pass('signature', 'The signed body is unchanged.');

  const processed = processDisclosures(jwt.payload, parts.disclosures);
  if (!processed.isValid) {
    checks.fail('disclosures', processed.reason);
    return null;
  }
  const hidden = processed.disclosedNames.filter((name) => NEVER_DISCLOSABLE.has(name));
  if (hidden.length > 0) {
    checks.fail('disclosures', `These claims must not be disclosures: ${hidden.join(', ')}.`);
    return null;
  }
  checks.pass('disclosures', `${parts.disclosures.length} disclosed claim(s) are as issued.`);

  const registered = readRegisteredClaims(processed.claims);
  if (typeof registered === 'string') {
    checks.fail('format', registered);
    return null;
  }
  return { parts, leaf: chain.leaf, claims: processed.claims, registered };
}

function checkKeyBinding(
  parts: SdJwtParts,
  cnf: Json | undefined,
  { now, keyBinding: expected }: VerifyOptions,
  checks: CredentialChecks,
): void {
  if (parts.keyBindingJwt === null && !expected) {
    checks.skip('key_binding', 'Presented without proof that the presenter holds its key.');
    return;
  }
  const fault = keyBindingFault(parts, cnf, { now, ...(expected && { expected }) });
  if (fault) checks.fail('key_binding', fault);
  else checks.pass('key_binding', 'The presenter holds the key the credential is bound to.');
}

function checkTimes({ nbf, exp }: RegisteredClaims, now: Date, checks: CredentialChecks): void {
  if (nbf && now < nbf) checks.fail('not_before', `Valid only from ${nbf.toISOString()}.`);
  else checks.pass('not_before', nbf ? `Valid since ${nbf.toISOString()}.` : 'No start is set.');
  if (exp && now >= exp) checks.fail('expiry', `Expired at ${exp.toISOString()}.`);
  else checks.pass('expiry', exp ? `Valid until ${exp.toISOString()}.` : 'No end is set.');
}

/** The parts of a credential with the header members it must have, or what is wrong. */
function readCredential(compact: string): { parts: SdJwtParts; jwt: CompactParts } | string {
  const parts = splitSdJwt(compact);
  const jwt = parts && readCompact(parts.issuerJwt);
  if (!parts || !jwt) return 'This is not an SD-JWT.';
  if (jwt.header.typ !== 'dc+sd-jwt') return 'This is not of type dc+sd-jwt.';
  if (jwt.header.alg !== 'ES256') return 'The signature is not an ES256 signature.';
  return { parts, jwt };
}

interface RegisteredClaims {
  iat?: Date;
  nbf?: Date;
  exp?: Date;
  status?: StatusReference;
}

/** The claims with a meaning of their own, checked for their form; or what is wrong. */
function readRegisteredClaims(claims: JsonObject): RegisteredClaims | string {
  if (typeof claims.vct !== 'string') return 'The credential names no type (vct).';
  const times: RegisteredClaims = {};
  for (const name of ['iat', 'nbf', 'exp'] as const) {
    const value = claims[name];
    if (value === undefined) continue;
    const date = new Date(typeof value === 'number' ? value * 1000 : Number.NaN);
    if (Number.isNaN(date.getTime())) return `The claim ${name} is not a time.`;
    times[name] = date;
  }
  if (claims.status === undefined) return times;
  const reference = isJsonObject(claims.status) ? claims.status.status_list : undefined;
  if (!isJsonObject(reference)) return 'The status is not in a status list.';
  const { uri, idx } = reference;
  if (typeof uri !== 'string' || typeof idx !== 'number' || !Number.isSafeInteger(idx) || idx < 0) {
    return 'The status reference is not readable.';
  }
  return { ...times, status: { uri, idx } };
}
