// Who acted behind a pseudonym: one auditor asks, another approves, and for a day both read it. It is
// never stored; the department whose officer it is learns that it was done, and the subject of the
// entry reads in her own log that it was asked for and why.
import { scopeOfLog } from '../audit/index.ts';
import { type Actor, requireRole, requireScope, rowScopeOf } from '../identity/index.ts';
import { dbNow, isUniqueViolation, type Tx } from '../platform/index.ts';
import type { OversightDeps } from './deps.ts';
import { oversightErrors } from './errors.ts';
import { isId, pageOfRows, readCursor, readReason } from './operator.ts';
import type { Found, Searching } from './search-conditions.ts';
import {
  decideUnmasking,
  findUnmasking,
  insertUnmasking,
  listUnmaskings,
  lockUnmasking,
  type UnmaskingRow,
} from './unmasking-store.ts';
import type { Call, Watch } from './watched.ts';

/** How long the two may read who it was. */
const SHOWN_HOURS = 24;

/** A request to unmask, as auditors see it. */
export type Unmasking = {
  id: string;
  state: UnmaskingRow['state'];
  index: number;
  actor: string;
  department: string | null;
  reason: string;
  requestedBy: string;
  requestedAt: string;
  decidedBy: string | null;
  decidedAt: string | null;
  shownUntil: string | null;
  /** Only for the two auditors, only until then, and only where one unmasking is read. */
  officer: string | null;
};

/** What the department is told. */
export type UnmaskingNotice = {
  id: string;
  index: number;
  at: string;
  verification?: string;
  unmaskedAt: string;
};

interface Input {
  /** The entry, or a pseudonym as it stands in one. */
  index?: number | undefined;
  actor?: string | undefined;
  reason: string;
}

type ListQuery = { limit?: number; cursor?: string | undefined };

export function createUnmaskings(deps: OversightDeps, watch: Watch, searching: Searching) {
  const { database, ids, identity } = deps;

  const context = (id: string) => `oversight.unmaskings|${id}|reason_sealed`;

  async function show(tx: Tx, row: UnmaskingRow): Promise<Unmasking> {
    const text = await identity.openFor(tx, null, row.reasonSealed, context(row.id));
    return {
      id: row.id,
      state: row.state,
      index: row.entryIndex,
      actor: row.pseudonym,
      department: row.organisation,
      reason: text.toString('utf8'),
      requestedBy: row.requestedBy,
      requestedAt: row.requestedAt,
      decidedBy: row.decidedBy,
      decidedAt: row.decidedAt,
      shownUntil: row.shownUntil,
      officer: null,
    };
  }

  async function entryAt(index: number): Promise<Found> {
    const [one] = await searching.open([await searching.entry(index)]);
    if (!one) throw new TypeError('One entry in, one detail out.');
    return one;
  }

  /** The entry somebody wants to have unmasked: the newest of a pseudonym, or the one named. */
  async function wanted({ index, actor }: Input): Promise<Found> {
    if (index !== undefined) return entryAt(index);
    const filter = searching.filterOf({ actor }, undefined);
    const { found } = await searching.page(filter, undefined, { limit: 1 });
    const [one] = found;
    if (one && actor !== undefined) return one;
    throw oversightErrors.unknown_entry('No entry has this pseudonym.');
  }

  /** Who acted; refused where no officer did, or her name went with the subject's data. */
  function officerOf({ detail }: Found): string {
    if (detail.officer !== null) return detail.officer;
    throw oversightErrors.no_officer(
      'This entry names no officer: a system or a citizen acted, or its words were erased.',
    );
  }

  /** What the entry's subject reads of it, no sooner than the entry itself. */
  async function tellSubject(tx: Tx, call: Call, { entry }: Found): Promise<void> {
    if (!entry.subjectTag) return;
    call.subject = (await identity.findPersonByTag(tx, entry.subjectTag)) ?? undefined;
    const isLater = entry.discloseAt && entry.discloseAt > (await dbNow(tx));
    if (isLater && entry.discloseAt) call.discloseAt = entry.discloseAt;
  }

  async function get(tx: Tx, id: string): Promise<UnmaskingRow> {
    const row = isId(id) ? await findUnmasking(tx, id) : undefined;
    if (!row) throw noUnmasking();
    return row;
  }

  async function decide(
    actor: Actor,
    id: string,
    state: 'approved' | 'refused',
  ): Promise<Unmasking> {
    const call: Call = { type: `unmasking.${state}`, caseId: isId(id) ? id : undefined };
    return watch.change(actor, call, scopeOfLog, async (tx) => {
      requireScope(actor, 'audit:read');
      const by = await identity.officerAccountOf(actor, 'auditor');
      const row = isId(id) ? await lockUnmasking(tx, id) : undefined;
      if (!row) throw noUnmasking();
      if (row.requestedBy === by) {
        throw oversightErrors.own_act('Four eyes: another auditor must decide this.');
      }
      if (row.state !== 'requested') {
        throw oversightErrors.unmasking_decided('This was decided before.');
      }
      const found = await entryAt(row.entryIndex);
      const officer = state === 'approved' ? officerOf(found) : null;
      await tellSubject(tx, call, found);
      await decideUnmasking(tx, { id, state, by, shownHours: SHOWN_HOURS });
      const shown = await show(tx, await get(tx, id));
      call.purpose = shown.reason;
      return { ...shown, officer };
    });
  }

  return {
    /** Asks who acted in an entry; another auditor decides. */
    async requestUnmasking(actor: Actor, input: Input): Promise<Unmasking> {
      const call: Call = { type: 'unmasking.requested' };
      return watch.change(actor, call, scopeOfLog, async (tx) => {
        requireScope(actor, 'audit:read');
        const requestedBy = await identity.officerAccountOf(actor, 'auditor');
        const reason = readReason(input.reason);
        const found = await wanted(input);
        const officer = officerOf(found);
        const { index, actor: pseudonym } = found.entry;
        // Hers, where the house knows her: an answer stands in the name of who answered by rule.
        const department =
          (await identity.organisationOfOfficer(officer)) ?? found.entry.department;
        const id = ids.uuid();
        const bytes = Buffer.from(reason, 'utf8');
        const reasonSealed = await identity.sealFor(tx, null, bytes, context(id));
        const row = { id, entryIndex: index, pseudonym, organisation: department };
        try {
          await insertUnmasking(tx, { ...row, reasonSealed, requestedBy });
        } catch (cause) {
          if (!isUniqueViolation(cause, 'unmaskings_open')) throw cause;
          throw oversightErrors.unmasking_open('This was asked for already, and waits.', { cause });
        }
        Object.assign(call, { purpose: reason, caseId: id, question: `index=${index}` });
        await tellSubject(tx, call, found);
        return show(tx, await get(tx, id));
      });
    },

    approveUnmasking: (actor: Actor, id: string) => decide(actor, id, 'approved'),
    refuseUnmasking: (actor: Actor, id: string) => decide(actor, id, 'refused'),

    /** One unmasking; with who it was for the two who decided it, while the time lasts. */
    async unmasking(actor: Actor, id: string): Promise<Unmasking> {
      const call: Call = { type: 'unmasking.read', caseId: isId(id) ? id : undefined };
      return watch.change(actor, call, scopeOfLog, async (tx) => {
        requireScope(actor, 'audit:read');
        const row = await get(tx, id);
        const shown = await show(tx, row);
        if (!row.isShown) return shown;
        const account = await identity.officerAccountOf(actor, 'auditor');
        if (account !== row.requestedBy && account !== row.decidedBy) return shown;
        const found = await entryAt(row.entryIndex);
        await tellSubject(tx, call, found);
        return { ...shown, officer: officerOf(found) };
      });
    },

    /** All unmaskings, latest first; nobody's name is among them. */
    async listUnmaskings(actor: Actor, { limit = 50, cursor }: ListQuery = {}) {
      return watch.change(actor, { type: 'unmasking.listed' }, scopeOfLog, async (tx) => {
        requireScope(actor, 'audit:read');
        const rows = await listUnmaskings(tx, { beforeId: readCursor(cursor), limit: limit + 1 });
        const shown: Unmasking[] = [];
        for (const row of rows) shown.push(await show(tx, row));
        return pageOfRows(shown, limit, (one) => one);
      });
    },

    /** Which of a department's looks had their officer unmasked: for its stewards. Latest first. */
    async unmaskingNotices(actor: Actor, { limit = 50, cursor }: ListQuery = {}) {
      requireRole(actor, 'steward');
      const organisation = actor.organisationId ?? '';
      const page = { organisation, beforeId: readCursor(cursor), limit: limit + 1 };
      const rows = await database
        .as(rowScopeOf(actor))
        .transaction((tx) => listUnmaskings(tx, page));
      const notices: UnmaskingNotice[] = [];
      for (const row of rows) {
        const { at, verification } = await searching.entry(row.entryIndex);
        notices.push({
          id: row.id,
          index: row.entryIndex,
          at: at.toISOString(),
          ...(verification !== undefined && { verification }),
          unmaskedAt: row.decidedAt ?? '',
        });
      }
      return pageOfRows(notices, limit, (one) => one);
    },
  };
}

const noUnmasking = () => oversightErrors.unmasking_not_found('There is no such unmasking.');
