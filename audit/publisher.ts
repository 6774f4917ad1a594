// Checkpoints: signs the committed head within a second, keeps the note, then lets it out. Nothing
// is shown that is not in the database and the head file; nothing is signed that does not grow out
// of what was signed before.
import type { Clock, Database, Logger, Metrics } from '../platform/index.ts';
import { createBell } from './bell.ts';
import { signCheckpoint, type TreeHead } from './checkpoint.ts';
import { auditErrors } from './errors.ts';
import { readHeadFile, writeHeadFile } from './head-file.ts';
import { growsFrom, rootOf } from './proofs.ts';
import {
  type CheckpointRow,
  findLastCheckpoint,
  insertCheckpoint,
  markPublished,
} from './sequence-store.ts';
import type { NoteSigner, NoteVerifier } from './signed-note.ts';
import { getHead } from './store.ts';
import type { ReadTile } from './tiles.ts';

// An entry after a lull is covered at once; under load one checkpoint covers most of a second.
const gatherMs = 20;
const apartMs = 800;
const afterFaultMs = 1000;
const lookEveryMs = 1000;

export interface PublisherDeps {
  logDatabase: Database;
  clock: Clock;
  logger: Logger;
  metrics?: Metrics | undefined;
  readTile: ReadTile;
  origin: string;
  signer: NoteSigner;
  verifier: NoteVerifier;
  headFile?: string | undefined;
}

export function createPublisher(deps: PublisherDeps) {
  const { logDatabase, clock, logger, readTile, origin, signer, headFile } = deps;
  const metrics = publisherMetrics(deps.metrics);
  let epoch: number | undefined;
  let running: Promise<void> | undefined;
  const growth = createBell();
  const end = createBell();

  /** Steps in this order: re-derive, compare with the last, sign, keep, head file, publish. */
  async function publish(leaderEpoch: number): Promise<void> {
    const head = await getHead(logDatabase.db);
    const last = await findLastCheckpoint(logDatabase.db);
    if (last?.size === head.size && last.isPublished) return;
    const tree = { size: head.size, readTile };
    const isWhole = head.root.equals(await rootOf(tree));
    if (!isWhole || (last && !(await growsFrom(last, head.root, tree)))) {
      throw auditErrors.head_mismatch(
        `The tree of ${head.size} entries does not grow out of what was signed before. Nothing is signed. Run the audit verification.`,
      );
    }
    const note = last?.size === head.size ? last.note : await signAndKeep(head, leaderEpoch);
    if (note === undefined) return;
    if (headFile) await writeHeadFile(headFile, note);
    await markPublished(logDatabase.db, head.size, clock.now());
    metrics?.size.set(head.size);
  }

  async function signAndKeep(head: TreeHead, leaderEpoch: number): Promise<string | undefined> {
    const note = signCheckpoint(origin, head, signer);
    const kept = { head, note, signedAt: clock.now(), epoch: leaderEpoch };
    return (await insertCheckpoint(logDatabase.db, kept)) ? note : undefined;
  }

  async function run(): Promise<void> {
    while (epoch !== undefined) {
      let pauseMs = apartMs;
      try {
        await publish(epoch);
      } catch (error) {
        metrics?.faults.inc();
        logger.error({ error }, 'No checkpoint could be published');
        growth.ring();
        pauseMs = afterFaultMs;
      }
      await end.wait(pauseMs);
      await growth.wait(lookEveryMs);
      if (epoch !== undefined) await end.wait(gatherMs);
    }
    running = undefined;
  }

  function halt(): void {
    epoch = undefined;
    end.ring();
    growth.ring();
  }

  return {
    /** This process leads: from now on it signs, beginning with what is not yet published. */
    begin: (leaderEpoch: number): void => {
      epoch = leaderEpoch;
      running ??= run();
    },
    /** The tree has grown. */
    touch: (): void => growth.ring(),
    /** The lead is lost: signs no more. */
    halt,
    /** Publishes what is there, then signs no more. */
    stop: async (): Promise<void> => {
      const leaderEpoch = epoch;
      halt();
      await running;
      if (leaderEpoch === undefined) return;
      await publish(leaderEpoch).catch((error: unknown) => {
        logger.error({ error }, 'The last checkpoint could not be published');
      });
    },
  };
}

/**
 * Refuses a database that is older than what was published, or that does not fit it: a leader on it
 * would build a second history. Throws audit.head_mismatch with what to do.
 */
export async function checkHead(
  head: TreeHead,
  derivedRoot: Buffer,
  deps: Pick<PublisherDeps, 'logDatabase' | 'readTile' | 'verifier' | 'headFile'>,
): Promise<void> {
  const { logDatabase, readTile, verifier, headFile } = deps;
  if (!head.root.equals(derivedRoot)) {
    throw auditErrors.head_mismatch(
      `The tiles of the log do not give the root of its ${head.size} entries. Run the audit verification; restore what it names.`,
    );
  }
  const last: CheckpointRow | undefined = await findLastCheckpoint(logDatabase.db);
  const inFile = headFile ? await readHeadFile(headFile, verifier) : undefined;
  for (const known of [last, inFile]) {
    if (!known) continue;
    if (known.size > head.size) {
      throw auditErrors.head_mismatch(
        `The database holds ${head.size} log entries, but a checkpoint over ${known.size} was signed. It is an old copy: restore the newest one. Nothing is written or signed.`,
      );
    }
    if (!(await growsFrom(known, head.root, { size: head.size, readTile }))) {
      throw auditErrors.head_mismatch(
        `The log does not grow out of the signed checkpoint over ${known.size} entries. Restore the database that belongs to ${headFile ?? 'it'}. Nothing is written or signed.`,
      );
    }
  }
}

function publisherMetrics(metrics: Metrics | undefined) {
  if (!metrics) return undefined;
  return {
    size: metrics.gauge('audit_checkpoint_size', 'Entries covered by the last checkpoint'),
    faults: metrics.counter(
      'audit_checkpoint_faults_total',
      'Checkpoints that failed or were refused',
    ),
  };
}
