// The auditor's view. Whoever watches is watched: each call is an entry of its own, refused ones
// too, and nothing is answered before that entry is in the tree.
import { scopeOfLog, type VerifyReport } from '../audit/index.ts';
import {
  type AccessEntry,
  type Actor,
  containsCitizenId,
  type PersonIdentifier,
  requireScope,
} from '../identity/index.ts';
import { AppError } from '../platform/index.ts';
import { type AuditItem, auditItem } from './access-item.ts';
import type { OversightDeps } from './deps.ts';
import { oversightErrors } from './errors.ts';
import { type Page, type PageQuery, readPage, readPeriod, toPage } from './page.ts';

export interface AuditQuery extends PageQuery {
  subject?: PersonIdentifier | undefined;
  caseId?: string | undefined;
  department?: string | undefined;
  service?: string | undefined;
  /** A pseudonym as it stands in an item. */
  actor?: string | undefined;
  type?: string | undefined;
  outcome?: string | undefined;
  from?: string | undefined;
  to?: string | undefined;
  /** Why; needed when a person is searched for, who will read it. */
  reason?: string | undefined;
}

/** An item with the bytes that were hashed, both base64. */
export type AuditEntry = AuditItem & { leaf: string; leafHash: string };

/** What is still to be said about a call when it ends. */
type Call = Omit<AccessEntry, 'outcome' | 'code'>;

export function createAuditors(deps: OversightDeps) {
  const { database, audit, identity, cityTz } = deps;
  const log = audit.as(scopeOfLog);

  /** Runs `act` for an auditor; its outcome is sequenced before anyone learns it. */
  async function watched<T>(actor: Actor, call: Call, act: () => Promise<T>): Promise<T> {
    const end = async (outcome: Pick<AccessEntry, 'outcome' | 'code'>) => {
      const { stageId } = await database.transaction((tx) =>
        identity.recordAccess(tx, actor, { ...call, ...outcome }),
      );
      await audit.sequenced([stageId]);
    };
    let result: T;
    try {
      requireScope(actor, 'audit:read');
      result = await act();
    } catch (error) {
      await end(
        error instanceof AppError
          ? { outcome: isRefusal(error) ? 'refused' : 'failed', code: error.code }
          : { outcome: 'failed' },
      );
      throw error;
    }
    await end({ outcome: 'ok' });
    return result;
  }

  return {
    /** Entries by any of the conditions, newest first; by person only with a reason. */
    async search(actor: Actor, query: AuditQuery): Promise<Page<AuditItem>> {
      const { subject, reason, limit: _, ...conditions } = query;
      const call: Call = { type: 'audit.searched' };
      return watched(actor, call, async () => {
        refuseIdentifiers({ reason, ...conditions });
        call.question = inWords(conditions);
        call.purpose = reason;
        const subjectTag = subject && (await lookFor(subject, reason, call));
        const { limit, beforeIndex } = readPage(query);
        const { caseId, department, service, actor: pseudonym, type, outcome } = conditions;
        const entries = await log.findEntries({
          subjectTag,
          caseTag: caseId === undefined ? undefined : identity.caseTag(caseId),
          department,
          service,
          actor: pseudonym,
          type,
          outcome,
          ...readPeriod(query, cityTz),
          beforeIndex,
          limit: limit + 1,
        });
        const details = await identity.openAccess(entries);
        const items = details.flatMap((detail, at) => {
          const entry = entries[at];
          return entry ? [auditItem(entry, detail)] : [];
        });
        return toPage(entries, items, limit);
      });
    },

    /** One entry with the exact bytes that were hashed. */
    async entry(actor: Actor, index: number): Promise<AuditEntry> {
      const call = { type: 'audit.entry_read', question: inWords({ index }) };
      return watched(actor, call, async () => {
        const entry = await log.getEntry(index);
        const [detail] = await identity.openAccess([entry]);
        if (!detail) throw new TypeError('One entry in, one detail out.');
        return {
          ...auditItem(entry, detail),
          leaf: entry.leaf.toString('base64'),
          leafHash: entry.leafHash.toString('base64'),
        };
      });
    },

    /** The tlog-proof of any entry. */
    async entryReceipt(actor: Actor, index: number): Promise<string> {
      const call = { type: 'audit.receipt_read', question: inWords({ index }) };
      return watched(actor, call, () => audit.receipt(index));
    },

    /** Hashes the whole log anew and holds it against all that vouches for it. */
    async integrity(actor: Actor): Promise<VerifyReport> {
      return watched(actor, { type: 'audit.integrity_checked' }, () => audit.verify());
    },
  };

  /** The tag of the person searched for, who is told of the search in her own log. */
  async function lookFor(
    subject: PersonIdentifier,
    reason: string | undefined,
    call: Call,
  ): Promise<Buffer> {
    call.subject = (await find(subject)) ?? undefined;
    if (reason === undefined || reason.trim() === '') {
      throw oversightErrors.reason_required(
        'A search by person needs a reason; the person will read it.',
        { fields: [{ pointer: '/reason', detail: 'Say why.' }] },
      );
    }
    return identity.subjectTag(subject);
  }

  async function find(subject: PersonIdentifier): Promise<string | null> {
    try {
      return await identity.findPerson(database.db, subject);
    } catch (cause) {
      if (!(cause instanceof AppError) || !cause.fields) throw cause;
      const fields = cause.fields.map((f) => ({ ...f, pointer: `/subject${f.pointer}` }));
      throw new AppError(cause.kind, cause.code, cause.detail, { fields, cause });
    }
  }
}

/** What is kept with the log names nobody: the subject has a field of her own. */
function refuseIdentifiers(texts: Record<string, string | undefined>): void {
  const names = Object.keys(texts).filter((name) => containsCitizenId(texts[name] ?? ''));
  if (names.length === 0) return;
  throw oversightErrors.identifier_in_text(
    'A citizen ID belongs in `subject` alone; anything else is kept with the log as it is.',
    { fields: names.map((name) => ({ pointer: `/${name}`, detail: 'Contains a citizen ID.' })) },
  );
}

/** Refused for what the caller is or asked; anything else went wrong on our side or in time. */
function isRefusal({ kind }: AppError): boolean {
  return ['unauthenticated', 'forbidden', 'invalid', 'malformed'].includes(kind);
}

/** The conditions of a question as one line, for the log; never a person's identifier. */
function inWords(conditions: Record<string, string | number | undefined>): string | undefined {
  const words = Object.entries(conditions).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name}=${value}`],
  );
  return words.length === 0 ? undefined : words.join(' ');
}
