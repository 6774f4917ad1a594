// The integrity check as a job: a range of choice, with progress, to be cancelled, going on where a process was
// killed. The truth is in the row; a run is taken on by whoever sweeps.
import { type Actor, accountOf, requireScope } from '../identity/index.ts';
import { systemScope, type Tx } from '../platform/index.ts';
import type { OversightDeps } from './deps.ts';
import { oversightErrors } from './errors.ts';
import {
  addChecked,
  cancelRun,
  findRun,
  type IntegrityFault,
  insertRun,
  listRunning,
  listRuns,
  type RunRow,
} from './integrity-store.ts';
import { isId, pageOfRows, readCursor } from './operator.ts';
import type { Page, PageQuery } from './page.ts';
import type { Call, Watch } from './watched.ts';

/** A run of the check. */
export type IntegrityRun = {
  id: string;
  state: RunRow['state'];
  requestedBy: string;
  requestedAt: string;
  from: number;
  /** Index after the last one. */
  to: number;
  done: number;
  total: number;
  /** Null while it runs. */
  ok: boolean | null;
  firstBadIndex: number | null;
  /** The first hundred. */
  faults: IntegrityFault[];
  root: string | null;
  endedAt: string | null;
};

// 64 tiles: about a second on a quiet machine, so that cancelling and progress are felt.
const ENTRIES_AT_ONCE = 16_384;

export function createIntegrityRuns(
  { database, ids, audit }: Pick<OversightDeps, 'database' | 'ids' | 'audit'>,
  watch: Watch,
  { entriesAtOnce = ENTRIES_AT_ONCE }: { entriesAtOnce?: number } = {},
) {
  async function get(tx: Tx, id: string): Promise<RunRow> {
    const row = isId(id) ? await findRun(tx, id) : undefined;
    if (!row) throw oversightErrors.run_not_found('There is no such run of the integrity check.');
    return row;
  }

  /** Checks the next piece of a run; true while there is more. */
  async function step(id: string): Promise<boolean> {
    const run = await findRun(database.db, id);
    if (run?.state !== 'running') return false;
    const to = Math.min(run.to, run.next + entriesAtOnce);
    const report = await audit.verify({ from: run.next, to });
    const known = new Set(run.faults.map(({ index, what }) => `${index} ${what}`));
    const faults = report.faults
      .filter(({ index }) => index === undefined || index >= run.from)
      .filter(({ index, what }) => !known.has(`${index} ${what}`));
    // Where another runner was faster, or the run was cancelled, this changes nothing.
    const isDone = to >= run.to;
    await addChecked(database.db, { id, from: run.next, to, faults, root: report.root, isDone });
    return !isDone;
  }

  return {
    /** Begins a run over a range, the whole log without one. */
    async startIntegrityRun(
      actor: Actor,
      { from = 0, to }: { from?: number | undefined; to?: number | undefined } = {},
    ): Promise<IntegrityRun> {
      const call: Call = { type: 'audit.integrity_started', question: `from=${from}` };
      return watch.change(actor, call, systemScope, async (tx) => {
        requireScope(actor, 'audit:read');
        const { size } = await audit.head();
        const end = to ?? size;
        if (from > end || end > size) {
          const detail = `The log has ${size} entries: choose a range within.`;
          throw oversightErrors.range_invalid(detail, { fields: [{ pointer: '/to', detail }] });
        }
        call.question = `from=${from} to=${end}`;
        const id = ids.uuid();
        await insertRun(tx, { id, requestedBy: accountOf(actor), from, to: end });
        return show(await get(tx, id));
      });
    },

    async integrityRun(actor: Actor, id: string): Promise<IntegrityRun> {
      requireScope(actor, 'audit:read');
      return show(await get(database.db, id));
    },

    /** Runs, latest first. */
    async listIntegrityRuns(
      actor: Actor,
      { limit = 50, cursor }: PageQuery = {},
    ): Promise<Page<IntegrityRun>> {
      requireScope(actor, 'audit:read');
      const page = { beforeId: readCursor(cursor), limit: limit + 1 };
      return pageOfRows(await listRuns(database.db, page), limit, show);
    },

    /** Ends a run before its end; what was checked stays said. */
    async cancelIntegrityRun(actor: Actor, id: string): Promise<IntegrityRun> {
      const call: Call = { type: 'audit.integrity_cancelled', caseId: isId(id) ? id : undefined };
      return watch.change(actor, call, systemScope, async (tx) => {
        requireScope(actor, 'audit:read');
        await get(tx, id);
        if (!(await cancelRun(tx, id))) {
          throw oversightErrors.run_ended('This run has ended already.');
        }
        return show(await get(tx, id));
      });
    },

    /** For the sweeper. */
    async checkIntegrity(signal?: AbortSignal): Promise<void> {
      for (const id of await listRunning(database.db)) {
        while (!signal?.aborted && (await step(id)));
      }
    },
  };
}

function show(row: RunRow): IntegrityRun {
  const { id, state, requestedBy, requestedAt, from, to, checked, faults, root, endedAt } = row;
  const indexes = faults.flatMap(({ index }) => (index === undefined ? [] : [index]));
  return {
    id,
    state,
    requestedBy,
    requestedAt,
    from,
    to,
    done: checked,
    total: to - from,
    ok: state === 'running' ? null : faults.length === 0,
    firstBadIndex: indexes.length === 0 ? null : Math.min(...indexes),
    faults: faults.slice(0, 100),
    root,
    endedAt,
  };
}
