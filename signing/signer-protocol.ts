// What may be asked of the signer over its socket (docs/adr/0012-signer.md): six typed requests, none
// of them bytes to be signed.
import { z } from 'zod';
import type { Json, JsonObject } from '../platform/index.ts';
import type { CredentialContent } from './issue-credential.ts';
import { StampRequest } from './timestamp-request.ts';

const Values: z.ZodType<Record<string, Json>> = z.record(z.string(), z.json());
const Members: z.ZodType<JsonObject> = Values;
const seconds = z.number().int().nonnegative();

/** A credential's content as it travels: times in seconds since 1970. */
export const CredentialRequest = z.strictObject({
  vct: z.url().max(300),
  claims: Members,
  disclosable: Values,
  status: z.strictObject({ uri: z.url().max(300), idx: z.number().int().nonnegative() }),
  iat: seconds,
  nbf: seconds.optional(),
  exp: seconds.optional(),
  cnfJwk: Members.optional(),
});
export type CredentialRequest = z.infer<typeof CredentialRequest>;

/** A document by what it says: all of it, or some fields alone. The signer reads the rest for itself. */
export const DocumentRequest = z.strictObject({
  number: z.string().max(120),
  fields: z.array(z.string().max(64)).max(250).nullable(),
});
export type DocumentRequest = z.infer<typeof DocumentRequest>;

/** Credentials that one request may hold. */
export const MOST_CREDENTIALS = 500;

export const SignerRequests = {
  '/credentials': z.strictObject({
    credentials: z.array(CredentialRequest).min(1).max(MOST_CREDENTIALS),
  }),
  '/receipts': z.strictObject({ verification: z.uuid() }),
  '/status-lists': z.strictObject({ id: z.string().max(20) }),
  '/crl': z.strictObject({}),
  '/timestamps': StampRequest,
  '/documents': DocumentRequest,
} as const;

export const SignerReplies = {
  '/credentials': z.object({ credentials: z.array(z.string()) }),
  '/receipts': z.object({ receipt: z.string() }),
  '/status-lists': z.object({ token: z.string().nullable() }),
  '/crl': z.object({ der: z.base64() }),
  '/timestamps': z.object({ token: z.base64() }),
  '/documents': z.object({ pdf: z.base64() }),
} as const;

export type SignerPath = keyof typeof SignerRequests;

const toSeconds = (date: Date): number => Math.floor(date.getTime() / 1000);
const toDate = (given: number): Date => new Date(given * 1000);

/** The content for the wire; every credential of this house has a place in a status list. */
export function writeContent(content: CredentialContent): CredentialRequest {
  const { vct, claims, disclosable, status, iat, nbf, exp, cnfJwk } = content;
  if (!status) throw new TypeError('The signer signs no credential that can not be revoked.');
  return {
    vct,
    claims,
    disclosable,
    status: { uri: status.uri, idx: status.idx },
    iat: toSeconds(iat),
    ...(nbf && { nbf: toSeconds(nbf) }),
    ...(exp && { exp: toSeconds(exp) }),
    ...(cnfJwk && { cnfJwk }),
  };
}

export function readContent(request: CredentialRequest): CredentialContent {
  const { vct, claims, disclosable, status, iat, nbf, exp, cnfJwk } = request;
  return {
    vct,
    claims,
    disclosable,
    status,
    iat: toDate(iat),
    ...(nbf !== undefined && { nbf: toDate(nbf) }),
    ...(exp !== undefined && { exp: toDate(exp) }),
    ...(cnfJwk && { cnfJwk }),
  };
}
