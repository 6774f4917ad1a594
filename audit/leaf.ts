// The leaf: what an entry says for ever, as canonical JSON (RFC 8785). No plaintext of a person and
// no bare hash of one: pseudonyms, salted commitments, and 128 secret random bits in each.
import { hash } from 'node:crypto';
import { z } from 'zod';
import { canonicalJson, encodeBase64url, type Ids } from '../platform/index.ts';

/** The statements a leaf commits to without showing them. */
export type Committed = 'subject' | 'purpose' | 'case';

/** One statement and the 32 random bytes that hide it; the pair opens the commitment. */
export interface Commitment {
  salt: Buffer;
  value: Buffer;
}

/** What a room wants to have logged. */
export interface LeafDraft {
  /** A past-tense event name: 'verification.asked'. */
  type: string;
  outcome: 'ok' | 'refused' | 'failed';
  code?: string | undefined;
  department: string | null;
  /** A pseudonym, never a name or a key of an officer. */
  actor: string;
  role?: string | undefined;
  service?: string | undefined;
  legalBasis?: string | undefined;
  verification?: string | undefined;
  licence?: string | undefined;
  answerKind?: string | undefined;
  commitments: Partial<Record<Committed, Commitment>>;
  /** Ciphertext of the detail (salts, purpose, case …); the leaf carries its hash. */
  sealed?: Buffer | undefined;
  /** 32-byte opaque look-up tags; deletable, never in the leaf. */
  tags?: { subject?: Buffer | undefined; case?: Buffer | undefined } | undefined;
  /** The subject is shown the entry from then on; it exists at once. */
  discloseAt?: Date | undefined;
  /** Of an entry that tells of a statement of the log about itself: the statement's digest. */
  statement?: string | undefined;
  traceparent?: string | undefined;
  /** What an edition of the map says of itself (docs/adr/0021). */
  map?: MapStatement | undefined;
}

const digest = z.string().regex(/^[A-Za-z0-9_-]{43}$/);

/** The root of a map; 32-byte values in base64url. */
const MapStatement = z.strictObject({
  edition: z.int().min(1),
  root: digest,
  /** A salted commitment to the root of what isn't disclosed yet. */
  pending: digest,
  key: digest,
  size: z.int().min(0),
  due: z.iso.datetime({ precision: 3 }),
});
export type MapStatement = z.infer<typeof MapStatement>;

/** The members of a leaf; a commitment is base64url(SHA-256(salt ‖ value)). */
export const Leaf = z.strictObject({
  v: z.literal(1),
  id: z.uuid(),
  nonce: z.string().regex(/^[A-Za-z0-9_-]{22}$/),
  at: z.iso.datetime({ precision: 3 }),
  type: z.string().min(1),
  outcome: z.enum(['ok', 'refused', 'failed']),
  code: z.string().optional(),
  dept: z.string().nullable(),
  actor: z.string().min(1),
  role: z.string().optional(),
  service: z.string().optional(),
  basis: z.string().optional(),
  verification: z.string().optional(),
  licence: z.string().optional(),
  kind: z.string().optional(),
  subj: digest.optional(),
  purpose: digest.optional(),
  case: digest.optional(),
  /** base64url(SHA-256(sealed)). */
  ct: digest.optional(),
  /** The digest of a statement of the log about itself (statement.ts). */
  statement: digest.optional(),
  trace: z.string().optional(),
  map: MapStatement.optional(),
});
export type Leaf = z.infer<typeof Leaf>;

/** base64url(SHA-256(salt ‖ value)): hides the value as long as the salt is unknown. */
export function commit({ salt, value }: Commitment): string {
  return encodeBase64url(hash('sha256', Buffer.concat([salt, value]), 'buffer'));
}

/** base64url(SHA-256(sealed)). */
export function sealedDigest(sealed: Buffer): string {
  return encodeBase64url(hash('sha256', sealed, 'buffer'));
}

/** The leaf for a draft; the UTF-8 bytes of this text are stored as they are and never made again. */
export function makeLeaf(draft: LeafDraft, id: string, at: Date, ids: Ids): string {
  const { subject, purpose, case: caseId } = draft.commitments;
  for (const each of [subject, purpose, caseId]) {
    if (each && each.salt.length !== 32)
      throw new TypeError('A commitment needs 32 bytes of salt.');
  }
  const leaf: Leaf = {
    v: 1,
    id,
    nonce: ids.token(16),
    at: at.toISOString(),
    type: draft.type,
    outcome: draft.outcome,
    code: draft.code,
    dept: draft.department,
    actor: draft.actor,
    role: draft.role,
    service: draft.service,
    basis: draft.legalBasis,
    verification: draft.verification,
    licence: draft.licence,
    kind: draft.answerKind,
    subj: subject && commit(subject),
    purpose: purpose && commit(purpose),
    case: caseId && commit(caseId),
    ct: draft.sealed && sealedDigest(draft.sealed),
    statement: draft.statement,
    trace: draft.traceparent,
    map: draft.map,
  };
  return canonicalJson(leaf);
}

/** Reads stored leaf bytes; undefined when they are not a leaf. */
export function parseLeaf(bytes: Buffer): Leaf | undefined {
  try {
    return Leaf.safeParse(JSON.parse(bytes.toString())).data;
  } catch {
    return undefined;
  }
}
