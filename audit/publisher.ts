// Checkpoints: signs the committed head within a second, keeps the note, then lets it out. Nothing
// is shown that is not in the database and the head file; nothing is signed that does not grow out
// of what was signed before.
import {
  type Clock,
  type Database,
  type Logger,
  type Metrics,
  replaceFile,
} from '../platform/index.ts';
import { createBell } from './bell.ts';
import { signCheckpoint, type TreeHead } from './checkpoint.ts';
import { auditErrors } from './errors.ts';
import { keysInUse, type LogEpoch, takenOver } from './life.ts';
import type { Lives } from './life-store.ts';
import { growsFrom, rootOf } from './proofs.ts';
import { findLastCheckpoint, insertCheckpoint, markPublished } from './sequence-store.ts';
import type { NoteSigner } from './signed-note.ts';
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
  lives: Lives;
  /** The private half of one of the log's keys. */
  signerOf(publicKey: Buffer): NoteSigner;
  headFile?: string | undefined;
  /** After a checkpoint may be shown. */
  onPublished?(): void;
}

export function createPublisher(deps: PublisherDeps) {
  const { logDatabase, clock, logger, readTile, lives, signerOf, headFile } = deps;
  const metrics = publisherMetrics(deps.metrics);
  let epoch: number | undefined;
  let running: Promise<void> | undefined;
  const growth = createBell();
  const end = createBell();

  /** Steps in this order: re-derive, compare with the last, sign, keep, head file, publish. */
  async function publish(leaderEpoch: number): Promise<void> {
    const head = await getHead(logDatabase.db);
    const last = await findLastCheckpoint(logDatabase.db);
    const { current } = await lives.read(logDatabase.db);
    // A new epoch speaks first when its own first entry is in.
    if (head.size <= takenOver(current)) return;
    if (last?.size === head.size && last.isPublished) return;
    const tree = { size: head.size, readTile };
    const isWhole = head.root.equals(await rootOf(tree));
    if (!isWhole || (last && !(await growsFrom(last, head.root, tree)))) {
      throw auditErrors.head_mismatch(
        `The tree of ${head.size} entries does not grow out of what was signed before. Nothing is signed. Run the audit verification.`,
      );
    }
    const note =
      last?.size === head.size ? last.note : await signAndKeep(head, current, leaderEpoch);
    if (note === undefined) return;
    if (headFile) await replaceFile(headFile, note);
    await markPublished(logDatabase.db, head.size, clock.now());
    metrics?.size.set(head.size);
    deps.onPublished?.();
  }

  async function signAndKeep(
    head: TreeHead,
    current: LogEpoch,
    leaderEpoch: number,
  ): Promise<string | undefined> {
    const [first, ...others] = keysInUse(current).map(({ verifier }) =>
      signerOf(verifier.publicKey),
    );
    if (!first) throw new TypeError('A log has a key in use.');
    const note = signCheckpoint(current.origin, head, first, ...others);
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
