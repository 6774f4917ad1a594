// Staging: an entry is written in the transaction of the act it tells of, so that both are there or
// neither. Refused while too much waits for the sequencer: an act that can't be logged must not be.
import type { Clock, Database, Ids, Logger, Metrics, Tx } from '../platform/index.ts';
import { auditErrors } from './errors.ts';
import type { LeafDraft } from './leaf.ts';
import { stagedRow } from './staged-row.ts';
import { countStaged, insertStaged } from './store.ts';

// As many as Tessera leaves outstanding: half a second's work of the sequencer on a slow machine, so who is
// taken in is done long before the five seconds she waits are over.
const mostStaged = 4096;
const countEveryMs = 500;
const insertAtOnce = 1000;

export interface AppendDeps {
  database: Database;
  clock: Clock;
  ids: Ids;
  logger: Logger;
  metrics?: Metrics | undefined;
}

export function createAppend({ database, clock, ids, logger, metrics }: AppendDeps) {
  const depth = metrics?.gauge(
    'audit_staged',
    'Entries waiting for the sequencer, when last counted',
  );
  let isFull = false;
  let countedAt = Number.NEGATIVE_INFINITY;

  /** The stage is counted beside the acts, at most twice a second, never for each of them. */
  function countSometimes(): void {
    const now = performance.now();
    if (now - countedAt < countEveryMs) return;
    countedAt = now;
    countStaged(database.db, mostStaged).then(
      (count) => {
        isFull = count >= mostStaged;
        depth?.set(count);
      },
      (error: unknown) => logger.warn({ error }, 'The stage of the log could not be counted'),
    );
  }

  async function appendMany(tx: Tx, drafts: readonly LeafDraft[]): Promise<{ stageId: string }[]> {
    countSometimes();
    if (isFull) {
      throw auditErrors.unavailable('The log has fallen behind. Try again in a moment.', {
        retryAfterSeconds: 2,
      });
    }
    const rows = drafts.map((draft) => stagedRow(draft, { clock, ids }));
    for (let at = 0; at < rows.length; at += insertAtOnce) {
      await insertStaged(tx, rows.slice(at, at + insertAtOnce));
    }
    return rows.map(({ id }) => ({ stageId: id }));
  }

  return {
    /** Stages several entries, in this order; audit.unavailable while the log has fallen behind. */
    appendMany,
    /** Stages one entry in the caller's transaction. */
    append: async (tx: Tx, draft: LeafDraft): Promise<{ stageId: string }> => {
      const [staged] = await appendMany(tx, [draft]);
      if (!staged) throw new TypeError('One draft gives one staged entry.');
      return staged;
    },
  };
}
