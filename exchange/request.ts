// A request as it is written, as it is sealed, and as the log is told of it.
import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { AccessEntry, Actor, Identity } from '../identity/index.ts';
import {
  canonicalJson,
  decodeBase64url,
  encodeBase64url,
  type JsonObject,
  type Tx,
} from '../platform/index.ts';
import { exchangeErrors } from './errors.ts';
import type { VerificationRow } from './request-store.ts';
import type { Service } from './service-book.ts';
import { faultsOfIssues } from './zod-faults.ts';

const Params: z.ZodType<JsonObject> = z.record(z.string(), z.json());

/** What a department sends (contract section 4.2); its canonical JSON is what the receipt hashes. */
export const AskInput = z.strictObject({
  service: z.string().min(1).max(64),
  subject: z.strictObject({ scheme: z.enum(['cn-id', 'uscc']), value: z.string().max(64) }),
  params: Params,
  legalBasis: z.string().min(1).max(64),
  purpose: z.string(),
  caseId: z.string(),
  officer: z.string().optional(),
  /** A date, or when the case is closed; then at the latest date the law allows. */
  discloseAfter: z.union([z.iso.datetime({ offset: true }), z.literal('case')]).optional(),
  discloseReason: z.string().optional(),
});
export type AskInput = z.infer<typeof AskInput>;

/** Reads a request; exchange.request_invalid with a pointer to each member that is wrong. */
export function readAskInput(written: unknown): AskInput {
  const read = AskInput.safeParse(written);
  if (read.success) return read.data;
  throw exchangeErrors.request_invalid('The request has members that are not usable.', {
    fields: faultsOfIssues(read.error),
  });
}

const SealedRequest = z.object({
  /** Identifiers in it stand as references to people. */
  params: Params,
  purpose: z.string(),
  caseId: z.string(),
  officer: z.string().optional(),
  discloseReason: z.string().optional(),
  salt: z.string(),
  requestHash: z.string(),
});

/** The part of a request that says something of its subject; stored sealed under her key. */
export type SealedRequest = z.infer<typeof SealedRequest>;

const requestContext = (id: string) => `exchange.verifications|${id}|request_sealed`;

export function sealRequest(
  tx: Tx,
  identity: Pick<Identity, 'sealFor'>,
  row: { id: string; subjectId: string },
  request: SealedRequest,
): Promise<Buffer> {
  const { params, ...rest } = request;
  const text = canonicalJson({ ...rest, params });
  return identity.sealFor(tx, row.subjectId, Buffer.from(text, 'utf8'), requestContext(row.id));
}

/** What a stored request says; null once its subject was erased. */
export async function openRequest(
  tx: Tx,
  identity: Pick<Identity, 'openMany'>,
  { id, subjectId: personId, requestSealed: sealed }: RequestInStore,
): Promise<SealedRequest | null> {
  const [text] = await identity.openMany(tx, [{ personId, sealed, context: requestContext(id) }]);
  return text ? SealedRequest.parse(JSON.parse(text.toString('utf8'))) : null;
}

type RequestInStore = Pick<VerificationRow, 'id' | 'subjectId' | 'requestSealed'>;

/** The salt of a request's two hashes. */
export function saltOf(request: SealedRequest): Buffer {
  return decodeBase64url(request.salt);
}

/** What the entries about one verification are made from. */
export type About = Pick<
  VerificationRow,
  'id' | 'subjectId' | 'service' | 'legalBasis' | 'discloseAt'
>;

/** What every entry about one verification says. */
export function entryAbout(
  row: About,
  service: Service,
  request: Pick<SealedRequest, 'purpose' | 'caseId' | 'officer'>,
): Omit<AccessEntry, 'type' | 'outcome'> {
  return {
    subject: row.subjectId,
    service: row.service,
    question: service.definition.questionZh,
    legalBasis: row.legalBasis,
    purpose: request.purpose,
    caseId: request.caseId,
    ...(request.officer === undefined ? {} : { officer: request.officer }),
    verification: row.id,
    ...(row.discloseAt === null ? {} : { discloseAt: new Date(row.discloseAt) }),
  };
}

/** The provider's own machinery as the one who acts: rules, deadlines. */
export function systemActor(row: Pick<VerificationRow, 'id' | 'provider' | 'traceparent'>): Actor {
  return {
    kind: 'system',
    requestId: row.id,
    organisationId: row.provider,
    roles: [],
    scopes: [],
    ...(row.traceparent === null ? {} : { traceparent: row.traceparent }),
  };
}

/** Who acts, as agreements and claims remember her: never a name. */
export function actorKey(actor: Actor): string {
  if (actor.officerId !== undefined) return `officer:${actor.officerId}`;
  if (actor.clientId !== undefined) return `client:${actor.clientId}`;
  return actor.kind;
}

/** The department that acts; 403 for those who act for none. */
export function departmentOf(actor: Actor): string {
  if (actor.organisationId !== null) return actor.organisationId;
  throw exchangeErrors.scope('Only a department can do this: sign in as an officer of one.');
}

/** An idempotency key as it is kept: it may hold anything, so only its digest. */
export function keyHash(key: string): Buffer {
  return createHash('sha256').update(key, 'utf8').digest();
}

/** The ids of the people a value refers to. */
export function referencesIn(value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap(referencesIn);
  if (typeof value !== 'object' || value === null) return [];
  if ('$person' in value && typeof value.$person === 'string') return [value.$person];
  return Object.values(value).flatMap(referencesIn);
}

/** A salt as it is sealed and handed out. */
export function saltText(salt: Buffer): string {
  return encodeBase64url(salt);
}

/** The request's body as the caller sent it: what its hash is made over. */
export function bodyOf(input: AskInput): JsonObject {
  const { subject, ...rest } = input;
  return { ...rest, subject: { ...subject } };
}
