// The one writer of the tree. Any process may carry it: elected by a lock, fenced by the epoch in
// the head row, because a lock alone doesn't stop a process that was paused while it held it.
import { setTimeout as wait } from 'node:timers/promises';
import type { Database, Logger, Metrics } from '../platform/index.ts';
import { createBell } from './bell.ts';
import type { TreeHead } from './checkpoint.ts';
import { auditErrors } from './errors.ts';
import { type LeaderLock, takeLeaderLock } from './leader-lock.ts';
import {
  advanceHead,
  beginEpoch,
  ensurePartitions,
  hasStaged,
  insertTiles,
  lockHead,
  moveStaged,
} from './sequence-store.ts';
import type { ReadTile } from './tiles.ts';
import { loadTreeEdge, type TreeEdge } from './tree-edge.ts';

/** A leader's place: its epoch and the edge of the tree as it left it. */
export interface Leadership {
  epoch: number;
  edge: TreeEdge;
  lock: LeaderLock;
}

// One transaction takes what has gathered during the last one, up to this. Measured from a filled
// stage: 11,000 to 17,700 entries/s (README.md), so even the largest batch takes under 200 ms.
const mostPerBatch = 2048;
// Entries staged by other processes announce themselves to nobody: NOTIFY in every business
// transaction would serialise the commits. So the stage is looked at this often.
const lookEveryMs = 20;
// Between two batches that were not full. At once is no faster for the callers and costs more: 128 of
// them on 2 busy cores, 1,300 to 2,100 entries/s at once, 2,100 to 2,200 after 5 ms.
const gatherMs = 5;
const standByMs = 1000;
const afterFaultMs = 500;
// Room is made for the entries of this range and the next (migrations/0002_audit.sql).
const partitionSpan = 4_194_304;

export interface SequencerDeps {
  /** Connects as the log role with at least two sessions: one is kept for the lock. */
  logDatabase: Database;
  logger: Logger;
  metrics?: Metrics | undefined;
  readTile: ReadTile;
  /** Throws audit.head_mismatch when the tree must not be extended. */
  checkTree(head: TreeHead, edge: TreeEdge): Promise<void>;
  onLead(leadership: Leadership): void;
  /** The lead is lost: to a fault, or to another process. */
  onLost(): void;
  /** Before the lead is given up in peace. */
  onLeave(): Promise<void>;
  /** After the commit: entries `first`, `first + 1` … have these stage ids. */
  onSequenced(first: number, stageIds: string[]): void;
}

export function createSequencer(deps: SequencerDeps) {
  const { logDatabase, logger, readTile } = deps;
  const metrics = sequencerMetrics(deps.metrics);
  let leadership: Leadership | undefined;
  let running: Promise<void> | undefined;
  let isStopping = false;
  const bell = createBell();

  /** Takes the lead if nobody has it: lock, new epoch, self-check, in this order. */
  async function tryLead(): Promise<Leadership | undefined> {
    const lock = await takeLeaderLock(logDatabase, (error) => {
      if (leadership?.lock === lock) stepDown(error);
    });
    if (!lock) return undefined;
    try {
      const { epoch, ...head } = await beginEpoch(logDatabase.db);
      const edge = await loadTreeEdge({ size: head.size, readTile });
      await deps.checkTree(head, edge);
      await ensurePartitions(logDatabase.db, head.size);
      metrics?.isLeading.set(1);
      metrics?.size.set(head.size);
      logger.info({ epoch, size: head.size }, 'This process sequences the log');
      return { epoch, edge, lock };
    } catch (error) {
      await lock.release();
      throw error;
    }
  }

  /** Puts the next batch into the tree; returns how many entries that were. */
  async function sequenceBatch({ epoch, edge }: Leadership): Promise<number> {
    const first = edge.size;
    const endTimer = metrics?.batchSeconds.startTimer();
    const stageIds = await logDatabase.transaction(async (tx) => {
      // A second try finds the edge ahead of the tree: then it is to be loaded anew.
      if (edge.size !== first) throw fenced();
      // In one round trip, in this order: what was moved under a head that isn't ours is rolled back.
      const [isOurs, rows] = await Promise.all([
        lockHead(tx, first, epoch),
        moveStaged(tx, first, mostPerBatch),
      ]);
      if (!isOurs) throw fenced();
      if (rows.length === 0) return [];
      const full = rows.flatMap(({ leafHash }) => edge.append(leafHash));
      const to = { size: edge.size, root: edge.root() };
      const [, isAdvanced] = await Promise.all([
        insertTiles(tx, full),
        advanceHead(tx, { size: first, epoch }, to),
      ]);
      if (!isAdvanced) throw fenced();
      return rows.map(({ stageId }) => stageId);
    });
    if (stageIds.length === 0) return 0;
    endTimer?.();
    metrics?.entries.inc(stageIds.length);
    metrics?.batchEntries.observe(stageIds.length);
    metrics?.size.set(edge.size);
    deps.onSequenced(first, stageIds);
    const half = partitionSpan / 2;
    if (Math.floor(first / half) !== Math.floor(edge.size / half)) {
      await ensurePartitions(logDatabase.db, edge.size);
    }
    return stageIds.length;
  }

  async function run(): Promise<void> {
    while (!isStopping) {
      try {
        leadership ??= await lead();
        if (!leadership) await bell.wait(standByMs);
        else if (!(await hasStaged(logDatabase.db))) await bell.wait(lookEveryMs);
        else if ((await sequenceBatch(leadership)) < mostPerBatch) await wait(gatherMs);
      } catch (error) {
        stepDown(error);
        await bell.wait(afterFaultMs);
      }
    }
  }

  async function lead(): Promise<Leadership | undefined> {
    const taken = await tryLead();
    if (taken) deps.onLead(taken);
    return taken;
  }

  /** After any fault the edge in memory may be ahead of the database: it is given up with the lead. */
  function stepDown(error: unknown): void {
    metrics?.faults.inc();
    metrics?.isLeading.set(0);
    logger.error({ error }, 'The log could not be sequenced; this process gives up the lead');
    void leadership?.lock.release();
    if (leadership) deps.onLost();
    leadership = undefined;
  }

  return {
    isLeading: () => leadership !== undefined,
    /** Something was staged. */
    wake: (): void => {
      if (leadership) bell.ring();
    },
    /** Tries to lead, and goes on trying; throws when the self-check of the first try fails. */
    start: async (): Promise<void> => {
      if (running) return;
      isStopping = false;
      leadership = await lead();
      running = run();
    },
    /** Puts what is staged into the tree, then gives up the lead. */
    stop: async (): Promise<void> => {
      isStopping = true;
      bell.ring();
      await running;
      running = undefined;
      if (!leadership) return;
      try {
        while ((await sequenceBatch(leadership)) === mostPerBatch);
        await deps.onLeave();
        await leadership.lock.release();
        metrics?.isLeading.set(0);
        leadership = undefined;
      } catch (error) {
        stepDown(error);
      }
    },
  };
}

function fenced() {
  return auditErrors.unavailable('Another process leads the log now.');
}

function sequencerMetrics(metrics: Metrics | undefined) {
  if (!metrics) return undefined;
  const sizes = [1, 4, 16, 64, 256, 1024, 2048];
  return {
    entries: metrics.counter('audit_entries_total', 'Entries put into the tree by this process'),
    faults: metrics.counter('audit_sequencer_faults_total', 'Times the sequencer gave up the lead'),
    batchSeconds: metrics.histogram('audit_batch_seconds', 'Time to sequence one batch'),
    batchEntries: metrics.histogram('audit_batch_entries', 'Entries in one batch', [], sizes),
    size: metrics.gauge('audit_tree_size', 'Entries in the tree, as this leader left it'),
    isLeading: metrics.gauge('audit_is_leading', '1 where the sequencer is at work'),
  };
}
