// The auditor's view: search, one entry, its receipt, the integrity of the whole. Each call is watched.
import { auditErrors, type VerifyReport } from '../audit/index.ts';
import type { Actor, PersonIdentifier } from '../identity/index.ts';
import { type AuditItem, auditItem } from './access-item.ts';
import type { OversightDeps } from './deps.ts';
import { oversightErrors } from './errors.ts';
import type { Page, PageQuery } from './page.ts';
import {
  type Conditions,
  conditionsOf,
  inWords,
  refuseIdentifiers,
  type Searching,
} from './search-conditions.ts';
import type { Call, Watch } from './watched.ts';

export interface AuditQuery extends PageQuery, Conditions {
  subject?: PersonIdentifier | undefined;
  /** Why; needed when a person is searched for, who will read it. */
  reason?: string | undefined;
}

/** An item with the bytes that were hashed, both base64. */
export type AuditEntry = AuditItem & { leaf: string; leafHash: string };

export function createAuditors(
  { audit, identity }: Pick<OversightDeps, 'audit' | 'identity'>,
  watch: Watch,
  searching: Searching,
) {
  return {
    /** Entries by any of the conditions, newest first; by person only with a reason. */
    async search(actor: Actor, query: AuditQuery): Promise<Page<AuditItem>> {
      const { subject, reason } = query;
      const conditions = conditionsOf(query);
      const { cursor } = query;
      const call: Call = { type: 'audit.searched' };
      return watch.look(actor, call, async () => {
        refuseIdentifiers({ reason, ...conditions, cursor });
        call.question = inWords({ ...conditions, cursor });
        call.purpose = reason;
        const subjectTag = subject && (await lookFor(subject, reason, call));
        const filter = searching.filterOf(conditions, subjectTag);
        const { found, nextCursor } = await searching.page(filter, conditions.purpose, query);
        return { items: found.map(({ entry, detail }) => auditItem(entry, detail)), nextCursor };
      });
    },

    /** One entry with the exact bytes that were hashed. */
    async entry(actor: Actor, index: number): Promise<AuditEntry> {
      const call = { type: 'audit.entry_read', question: inWords({ index }) };
      return watch.look(actor, call, async () => {
        const [one] = await searching.open([await searching.entry(index)]);
        if (!one) throw new TypeError('One entry in, one detail out.');
        const { entry, detail } = one;
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
      return watch.look(actor, call, () => audit.receipt(index));
    },

    /** The first `width` leaves of bundle `n`, as they were hashed. */
    async entryBundle(actor: Actor, n: number, width: number): Promise<Buffer> {
      const call = { type: 'audit.bundle_read', question: inWords({ bundle: n, width }) };
      return watch.look(actor, call, async () => {
        const bundle = await audit.entryBundle(n, width);
        if (!bundle) throw auditErrors.unknown_entry('The log has no such entry bundle.');
        return bundle;
      });
    },

    /** Hashes the whole log anew and holds it against all that vouches for it. */
    async integrity(actor: Actor): Promise<VerifyReport> {
      return watch.look(actor, { type: 'audit.integrity_checked' }, () => audit.verify());
    },
  };

  /** The tag of the person searched for, who is told of the search in her own log. */
  async function lookFor(
    subject: PersonIdentifier,
    reason: string | undefined,
    call: Call,
  ): Promise<Buffer> {
    call.subject = (await searching.findPerson(subject)) ?? undefined;
    if (reason === undefined || reason.trim() === '') {
      throw oversightErrors.reason_required(
        'A search by person needs a reason; the person will read it.',
        { fields: [{ pointer: '/reason', detail: 'Say why.' }] },
      );
    }
    return identity.subjectTag(subject);
  }
}
