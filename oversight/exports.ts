// Exports of the log for auditors: one asks, another approves, a job writes the file (export-build.ts),
// and the two take it as long as it is kept. Asking, deciding and every taking are entries.
import { z } from 'zod';
import { scopeOfLog } from '../audit/index.ts';
import { type Actor, type PersonIdentifier, requireScope } from '../identity/index.ts';
import type { Tx } from '../platform/index.ts';
import type { OversightDeps } from './deps.ts';
import { oversightErrors } from './errors.ts';
import {
  decideExport,
  type ExportRow,
  findExport,
  findPart,
  insertExport,
  listExports,
  lockExport,
} from './export-store.ts';
import { isId, pageOfRows, readCursor, readReason } from './operator.ts';
import type { Page, PageQuery } from './page.ts';
import {
  type Conditions,
  conditionsOf,
  inWords,
  refuseIdentifiers,
  type Searching,
} from './search-conditions.ts';
import type { Call, Watch } from './watched.ts';

/** An export as auditors see it; whom it looks for it doesn't say. */
export type AuditExport = {
  id: string;
  state: ExportRow['state'];
  /** Null once it ran out, was withdrawn, or its person was erased. */
  conditions: Record<string, string> | null;
  reason: string | null;
  isByPerson: boolean;
  requestedBy: string;
  requestedAt: string;
  decidedBy: string | null;
  decidedAt: string | null;
  /** Entries written, of how many; total is null before the job has begun. */
  done: number;
  total: number | null;
  bytes: number;
  failure: string | null;
  readyAt: string | null;
  expiresAt: string | null;
};

/** The file in its parts, each opened when it is asked for. */
export interface ExportFile {
  name: string;
  bytes: number;
  parts: AsyncIterable<Buffer>;
}

const Request = z.object({ conditions: z.record(z.string(), z.string()), reason: z.string() });
type Request = z.infer<typeof Request>;

export const requestContext = (id: string) => `oversight.exports|${id}|request_sealed`;
export const partContext = (id: string, n: number) => `oversight.export_parts|${id}/${n}|sealed`;

/** What an export was asked for; null when that is gone. */
export async function readRequest(
  tx: Tx,
  identity: Pick<OversightDeps['identity'], 'openMany'>,
  { id, personId, requestSealed }: Pick<ExportRow, 'id' | 'personId' | 'requestSealed'>,
): Promise<Request | null> {
  if (!requestSealed) return null;
  const sealed = { personId, sealed: requestSealed, context: requestContext(id) };
  const [text] = await identity.openMany(tx, [sealed]);
  return text ? Request.parse(JSON.parse(text.toString('utf8'))) : null;
}

export function createExports(deps: OversightDeps, watch: Watch, searching: Searching) {
  const { database, ids, audit, identity } = deps;
  const log = database.as(scopeOfLog);

  async function show(tx: Tx, row: ExportRow): Promise<AuditExport> {
    const request = await readRequest(tx, identity, row);
    const { id, state, requestedBy, requestedAt, decidedBy, decidedAt } = row;
    const { done, total, bytes, failure, readyAt, expiresAt } = row;
    return {
      id,
      state: row.state === 'ready' && row.isOver ? 'expired' : state,
      conditions: request?.conditions ?? null,
      reason: request?.reason ?? null,
      isByPerson: row.personId !== null,
      requestedBy,
      requestedAt,
      decidedBy,
      decidedAt,
      done,
      total,
      bytes,
      failure,
      readyAt,
      expiresAt,
    };
  }

  async function get(tx: Tx, id: string): Promise<ExportRow> {
    const row = isId(id) ? await findExport(tx, id) : undefined;
    if (!row) throw noExport();
    return row;
  }

  async function decide(actor: Actor, id: string, state: 'running' | 'refused') {
    const call: Call = {
      type: state === 'running' ? 'audit.export_approved' : 'audit.export_refused',
      caseId: isId(id) ? id : undefined,
    };
    return watch.change(actor, call, scopeOfLog, async (tx) => {
      requireScope(actor, 'audit:read');
      const by = await identity.officerAccountOf(actor, 'auditor');
      const row = isId(id) ? await lockExport(tx, id) : undefined;
      if (!row) throw noExport();
      if (row.requestedBy === by) {
        throw oversightErrors.own_act('Four eyes: another auditor must decide this.');
      }
      if (row.state !== 'requested') {
        throw oversightErrors.export_decided('This export was decided before.');
      }
      const { size } = await audit.head();
      await decideExport(tx, { id, state, by, treeSize: size });
      call.subject = row.personId ?? undefined;
      const shown = await show(tx, await get(tx, id));
      call.purpose = shown.reason ?? undefined;
      return shown;
    });
  }

  return {
    /** Asks for all entries that match, with their proofs; another auditor decides. */
    async requestExport(
      actor: Actor,
      input: Conditions & { subject?: PersonIdentifier | undefined; reason: string },
    ): Promise<AuditExport> {
      const call: Call = { type: 'audit.export_requested' };
      return watch.change(actor, call, scopeOfLog, async (tx) => {
        requireScope(actor, 'audit:read');
        const requestedBy = await identity.officerAccountOf(actor, 'auditor');
        const conditions = conditionsOf(input);
        refuseIdentifiers({ ...conditions });
        const reason = readReason(input.reason);
        // Refuses what no search would take.
        searching.filterOf(conditions, undefined);
        let personId: string | null = null;
        if (input.subject) {
          personId = await searching.findPerson(input.subject);
          if (personId === null) {
            throw oversightErrors.unknown_subject('The house knows nobody with this number.');
          }
        }
        const id = ids.uuid();
        Object.assign(call, {
          purpose: reason,
          caseId: id,
          question: inWords(conditions),
          subject: personId ?? undefined,
        });
        const text = Buffer.from(JSON.stringify({ conditions, reason }), 'utf8');
        const requestSealed = await identity.sealFor(tx, personId, text, requestContext(id));
        const organisation = actor.organisationId ?? '';
        await insertExport(tx, { id, personId, requestSealed, requestedBy, organisation });
        return show(tx, await get(tx, id));
      });
    },

    approveExport: (actor: Actor, id: string) => decide(actor, id, 'running'),
    refuseExport: (actor: Actor, id: string) => decide(actor, id, 'refused'),

    /** How far one export is. It tells of no entry, and is asked again and again: not logged. */
    async export(actor: Actor, id: string): Promise<AuditExport> {
      requireScope(actor, 'audit:read');
      return log.transaction(async (tx) => show(tx, await get(tx, id)));
    },

    /** All exports, latest first. */
    async listExports(
      actor: Actor,
      { limit = 50, cursor }: PageQuery = {},
    ): Promise<Page<AuditExport>> {
      requireScope(actor, 'audit:read');
      return log.transaction(async (tx) => {
        const page = { beforeId: readCursor(cursor), limit: limit + 1 };
        const shown: AuditExport[] = [];
        for (const row of await listExports(tx, page)) shown.push(await show(tx, row));
        return pageOfRows(shown, limit, (one) => one);
      });
    },

    /** The file, for the two who asked and approved; the taking is in the tree before a byte of it is out. */
    async exportFile(actor: Actor, id: string): Promise<ExportFile> {
      const call: Call = { type: 'audit.export_taken', caseId: isId(id) ? id : undefined };
      const row = await watch.change(actor, call, scopeOfLog, async (tx) => {
        requireScope(actor, 'audit:read');
        const account = await identity.officerAccountOf(actor, 'auditor');
        const found = await get(tx, id);
        if (account !== found.requestedBy && account !== found.decidedBy) {
          throw oversightErrors.not_yours('Only the two auditors who asked and approved take it.');
        }
        if (found.state === 'expired' || found.state === 'withdrawn' || found.isOver) {
          throw oversightErrors.export_gone('This file is gone. Ask for a new export.');
        }
        if (found.state !== 'ready') {
          throw oversightErrors.export_not_ready('This file is not written yet.', {
            retryAfterSeconds: 2,
          });
        }
        call.subject = found.personId ?? undefined;
        call.purpose = (await readRequest(tx, identity, found))?.reason;
        return found;
      });
      return { name: `yihao-audit-${id}.ndjson`, bytes: row.bytes, parts: partsOf(row) };
    },
  };

  async function* partsOf({ id, parts }: ExportRow): AsyncGenerator<Buffer> {
    for (let n = 0; n < parts; n++) {
      yield await log.transaction(async (tx) => {
        const sealed = await findPart(tx, id, n);
        if (!sealed) throw oversightErrors.export_gone('This file went away while it was read.');
        return identity.openFor(tx, null, sealed, partContext(id, n));
      });
    }
  }
}

const noExport = () => oversightErrors.export_not_found('There is no such export.');
