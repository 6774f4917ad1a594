// The one way to log a look: an access entry becomes a leaf of the audit log. The leaf holds
// pseudonyms and salted commitments; the words behind them are sealed under the subject's data key,
// so that they vanish with it while every proof goes on verifying (spec/trust.md 2.6).
import { z } from 'zod';
import type { Audit, LeafDraft, LogEntry } from '../audit/index.ts';
import {
  canonicalJson,
  type Database,
  encodeBase64url,
  type Ids,
  type Tx,
} from '../platform/index.ts';
import type { Actor } from './actor.ts';
import type { DataKeys, PersonKey } from './data-keys.ts';
import { identityErrors } from './errors.ts';
import type { PersonIndex } from './person-index.ts';
import { open, seal } from './sealing.ts';
import { findByAuditTag } from './store-people.ts';

/** One look at a person's data, or a refusal of one, as the act that made it describes it. */
export interface AccessEntry {
  type: string;
  outcome: 'ok' | 'refused' | 'failed';
  code?: string;
  /** The person looked at; absent when nobody's data was touched. */
  subject?: string;
  /** Default: the actor's organisation. */
  department?: string;
  /** Default: agent for who acts for another, an officer's role when she has one only, else the kind of actor. */
  role?: string;
  service?: string;
  question?: string;
  legalBasis?: string;
  purpose?: string;
  caseId?: string;
  officer?: string;
  verification?: string;
  licence?: string;
  answerKind?: string;
  discloseAt?: Date;
  /** The delegation it was about or done by; default: the one the actor acts by. */
  delegation?: string;
}

const COMMITTED = ['subject', 'purpose', 'case'] as const;
type Committed = (typeof COMMITTED)[number];

/** The salt and value behind a commitment: base64url(SHA-256(salt ‖ UTF-8 of value)) is in the leaf. */
interface Opening {
  salt: string;
  value: string;
}

/** What only the subject, an auditor and the department may read of an entry; null once erased. */
export interface AccessDetail {
  purpose: string | null;
  caseId: string | null;
  question: string | null;
  officer: string | null;
  /** The delegation an agent acted by. */
  delegation: string | null;
  /** The caller's traceparent (W3C Trace Context). */
  trace: string | null;
  openings: Partial<Record<Committed, Opening>>;
}

const Sealed = z.object({
  purpose: z.string().optional(),
  caseId: z.string().optional(),
  question: z.string().optional(),
  officer: z.string().optional(),
  delegation: z.string().optional(),
  trace: z.string().optional(),
  salts: z.partialRecord(z.enum(COMMITTED), z.string()),
});

const SALT_BYTES = 32;
const CONTEXT = 'audit.entries||sealed|1';
const NOTHING: AccessDetail = {
  purpose: null,
  caseId: null,
  question: null,
  officer: null,
  delegation: null,
  trace: null,
  openings: {},
};

/** Recording and opening of looks. */
export function createAccess(deps: {
  database: Database;
  audit: Pick<Audit, 'appendMany'>;
  index: PersonIndex;
  dataKeys: DataKeys;
  ids: Ids;
}) {
  const { database, audit, index, dataKeys, ids } = deps;

  /**
   * Stages entries in the caller's transaction, in their order, with two statements for any number.
   * Refuses nothing but a subject who was erased: what a purpose or a case may say is for the caller
   * to check.
   */
  async function recordAccessMany(
    tx: Tx,
    actor: Actor,
    entries: readonly AccessEntry[],
  ): Promise<{ stageId: string }[]> {
    const subjects = entries.flatMap(({ subject }) => (subject === undefined ? [] : [subject]));
    const keys = await dataKeys.load(tx, subjects);
    return audit.appendMany(
      tx,
      entries.map((entry) => {
        if (entry.subject === undefined) return draftOf(actor, entry, null);
        const subject = keys.get(entry.subject);
        if (!subject) throw identityErrors.erased('The data of this person has been erased.');
        return draftOf(actor, entry, subject);
      }),
    );
  }

  function draftOf(actor: Actor, entry: AccessEntry, subject: PersonKey | null): LeafDraft {
    const { purpose, caseId, question } = entry;
    const officer = entry.officer ?? actor.onBehalfOf ?? actor.officerKey;
    const delegation = entry.delegation ?? actor.actingFor?.delegationId;
    const values: Partial<Record<Committed, string>> = {
      ...(subject ? { subject: encodeBase64url(subject.subjectTag) } : {}),
      ...(purpose === undefined ? {} : { purpose }),
      ...(caseId === undefined ? {} : { case: caseId }),
    };
    const commitments: LeafDraft['commitments'] = {};
    const salts: Partial<Record<Committed, string>> = {};
    for (const name of COMMITTED) {
      const value = values[name];
      if (value === undefined) continue;
      const salt = ids.bytes(SALT_BYTES);
      commitments[name] = { salt, value: Buffer.from(value, 'utf8') };
      salts[name] = encodeBase64url(salt);
    }
    const trace = actor.traceparent;
    const detail = canonicalJson({ purpose, caseId, question, officer, delegation, trace, salts });
    const key = subject?.key ?? dataKeys.platformKey;
    return {
      type: entry.type,
      outcome: entry.outcome,
      code: entry.code,
      department: entry.department ?? actor.organisationId,
      actor: index.pseudonym(actorName(actor, officer), subject?.subjectTag ?? null),
      role: entry.role ?? roleOf(actor),
      service: entry.service,
      legalBasis: entry.legalBasis,
      verification: entry.verification,
      licence: entry.licence,
      answerKind: entry.answerKind,
      commitments,
      sealed: seal(ids, key, Buffer.from(detail, 'utf8'), CONTEXT),
      tags: {
        ...(subject ? { subject: subject.subjectTag } : {}),
        ...(caseId === undefined ? {} : { case: index.caseTag(caseId) }),
      },
      discloseAt: entry.discloseAt,
      // A caller that keeps one trace all day would let people lay their receipts side by side and know
      // one officer by it; so of a look at somebody it is among the sealed words.
      traceparent: subject ? undefined : trace,
    };
  }

  return {
    recordAccessMany,

    /** Stages one entry; see recordAccessMany. */
    async recordAccess(tx: Tx, actor: Actor, entry: AccessEntry): Promise<{ stageId: string }> {
      const [staged] = await recordAccessMany(tx, actor, [entry]);
      if (!staged) throw new TypeError('One entry in, one staged.');
      return staged;
    },

    /** The sealed words of entries, in their order. Who may see them is for the caller to decide. */
    async openAccess(entries: readonly LogEntry[]): Promise<AccessDetail[]> {
      const tags = new Map<string, Buffer>();
      for (const { subjectTag } of entries) {
        if (subjectTag) tags.set(subjectTag.toString('hex'), subjectTag);
      }
      const keys = new Map<string, Buffer>();
      if (tags.size > 0) {
        for (const row of await findByAuditTag(database.db, [...tags.values()])) {
          const key = dataKeys.hold(row)?.key;
          if (key && row.auditTag) keys.set(row.auditTag.toString('hex'), key);
        }
      }
      return entries.map(({ sealed, subjectTag }) => {
        const key = subjectTag ? keys.get(subjectTag.toString('hex')) : dataKeys.platformKey;
        return sealed && key ? openDetail(key, sealed, subjectTag) : NOTHING;
      });
    },
  };
}

export type Access = ReturnType<typeof createAccess>;

function openDetail(key: Buffer, sealed: Buffer, subjectTag: Buffer | null): AccessDetail {
  let text: string;
  try {
    text = open(key, sealed, CONTEXT).toString('utf8');
  } catch (error) {
    // Without its tag an entry of an erased person looks like one of the platform's own.
    if (subjectTag === null) return NOTHING;
    throw error;
  }
  const said = Sealed.parse(JSON.parse(text));
  const { purpose, caseId, question, officer, delegation, trace, salts } = said;
  const values = {
    subject: subjectTag ? encodeBase64url(subjectTag) : undefined,
    purpose,
    case: caseId,
  };
  const openings: AccessDetail['openings'] = {};
  for (const name of COMMITTED) {
    const salt = salts[name];
    const value = values[name];
    if (salt !== undefined && value !== undefined) openings[name] = { salt, value };
  }
  return {
    purpose: purpose ?? null,
    caseId: caseId ?? null,
    question: question ?? null,
    officer: officer ?? null,
    delegation: delegation ?? null,
    trace: trace ?? null,
    openings,
  };
}

/** What a pseudonym is made from: the person who acts where she is known, else the system. */
function actorName(actor: Actor, officer: string | undefined): string {
  if (actor.officerId !== undefined) return `officer|${actor.officerId}`;
  if (actor.clientId !== undefined) return `client|${actor.clientId}|${officer ?? ''}`;
  if (actor.personId !== undefined) return `person|${actor.personId}`;
  return actor.kind;
}

function roleOf(actor: Actor): string {
  if (actor.actingFor) return 'agent';
  const [role, ...others] = actor.roles;
  return role !== undefined && others.length === 0 ? role : actor.kind;
}
