// The log, put together: staging, the sequencer, checkpoints, and everything that reads.
import type { Clock, Database, Ids, Logger, Metrics } from '../platform/index.ts';
import { createAppend } from './append.ts';
import { verifierOf } from './checkpoint.ts';
import { createEntries } from './entries.ts';
import { auditErrors } from './errors.ts';
import { verifyInclusion } from './merkle-tree.ts';
import { inclusionProof } from './proofs.ts';
import { createPublisher } from './publisher.ts';
import { checkHead } from './self-check.ts';
import { sequencedChannel } from './sequence-store.ts';
import { createSequencer } from './sequencer.ts';
import { formatVkey, isKeyName, type NoteSigner } from './signed-note.ts';
import { findIndexes, findPublished, getHead } from './store.ts';
import { createTileSource } from './tile-source.ts';
import { isTile } from './tiles.ts';
import { formatTlogProof } from './tlog-proof.ts';
import { type VerifyOptions, verifyLog } from './verify.ts';
import { createWaiters } from './waiters.ts';

export interface AuditDeps {
  /** Connects as the app role. */
  database: Database;
  /** As the log role, with at least two sessions; only where a sequencer may run. */
  logDatabase?: Database | undefined;
  clock: Clock;
  ids: Ids;
  logger: Logger;
  /** The log's Ed25519 key. */
  signer: NoteSigner;
  /** The log's name in checkpoints and keys: no space, no plus sign. */
  origin: string;
  /** Where the last published checkpoint is kept beside the database. */
  headFile?: string | undefined;
  metrics?: Metrics | undefined;
}

export type Audit = ReturnType<typeof createAudit>;

export function createAudit(deps: AuditDeps) {
  const { database, logDatabase, logger, signer, origin } = deps;
  if (!isKeyName(origin)) throw new TypeError('The name of a log holds no space and no plus sign.');
  if (signer.publicKey.length !== 32) throw new TypeError('An Ed25519 public key has 32 bytes.');
  const verifier = verifierOf(origin, signer);
  const tiles = createTileSource(database.db);
  const entries = createEntries({ database });
  const { append, appendMany } = createAppend(deps);

  const waiters = createWaiters({
    lookUp: (stageIds) => findIndexes(database.db, stageIds),
    onError: (error) => logger.warn({ error }, 'Indexes of staged entries could not be read'),
  });
  const sequencer = logDatabase && createWriter(logDatabase);
  let stopListening: Promise<(() => Promise<void>) | undefined> | undefined;

  function createWriter(log: Database) {
    const parts = { ...deps, logDatabase: log, readTile: tiles.read, verifier };
    const publisher = createPublisher(parts);
    return createSequencer({
      ...parts,
      checkTree: (head, edge) => checkHead(head, edge.root(), parts),
      onLead: ({ epoch }) => publisher.begin(epoch),
      onLost: () => publisher.halt(),
      onLeave: () => publisher.stop(),
      onSequenced: (first, stageIds) => {
        waiters.settle(stageIds.map((id, at) => [id, first + at]));
        publisher.touch();
      },
    });
  }

  /** Another process sequences: the database tells when the tree has grown. */
  function listen(): void {
    stopListening ??= database
      .listen(sequencedChannel, () => void waiters.check())
      .catch((error: unknown) => {
        // The waiters look by themselves too, only less often.
        logger.warn({ error }, 'The log could not be listened to');
        stopListening = undefined;
        return undefined;
      });
  }

  return {
    append,
    appendMany,
    ...entries,

    /**
     * The indexes of staged entries, in the same order, once they are committed to the tree. Call
     * it after the commit that staged them, and before anything they tell of leaves the house.
     */
    sequenced: (stageIds: readonly string[], timeoutMs = 5000): Promise<number[]> => {
      const indexes = waiters.wait(stageIds, timeoutMs);
      if (sequencer?.isLeading()) sequencer.wake();
      else {
        listen();
        void waiters.check();
      }
      return indexes;
    },

    /** The indexes of those that are in the tree already. */
    indexesOf: (stageIds: readonly string[]): Promise<Map<string, number>> =>
      findIndexes(database.db, stageIds),

    /**
     * Runs the sequencer and signs checkpoints, in turn with other processes. Throws
     * audit.head_mismatch when the database is not the one that was signed for.
     */
    startSequencer: async (): Promise<void> => {
      if (!sequencer) throw new TypeError('A sequencer needs a connection as the log role.');
      await sequencer.start();
    },

    /** Sequences and publishes what is there, then lets go; who waits for more is turned away. */
    stop: async (): Promise<void> => {
      await sequencer?.stop();
      await (await stopListening)?.();
      stopListening = undefined;
      waiters.close();
    },

    /** The newest published checkpoint; null while there is none. */
    checkpoint: async (): Promise<string | null> =>
      (await findPublished(database.db))?.note ?? null,

    /** The key to verify checkpoints with. */
    vkey: formatVkey(origin, signer.publicKey),

    /** No outside witness has cosigned: an operator could still show different people different logs. */
    isWitnessed: false,

    /** The first `width` hashes of a tile; null when the tree hasn't got them. */
    tile: async (level: number, n: number, width: number): Promise<Buffer | null> => {
      const address = { level, n, width };
      return isTile(address) ? ((await tiles.find(address)) ?? null) : null;
    },

    /**
     * The C2SP tlog-proof of an entry in the newest checkpoint; audit.not_yet_checkpointed until one
     * covers it. Checked before it is handed out.
     */
    receipt: async (index: number): Promise<string> => {
      const { leafHash } = await entries.getEntry(index);
      const published = await findPublished(database.db);
      if (!published || published.size <= index) {
        throw auditErrors.not_yet_checkpointed(
          'No checkpoint covers this entry yet. Ask again in a second.',
          { retryAfterSeconds: 1 },
        );
      }
      const { size, root, note } = published;
      const hashes = await inclusionProof(index, { size, readTile: tiles.read });
      if (!verifyInclusion({ index, size, leafHash, root }, hashes)) {
        throw new Error(`The log can't prove its entry ${index}; run the audit verification.`);
      }
      return formatTlogProof({ index, hashes, checkpoint: note });
    },

    /** Size and root of the committed tree, signed or not. */
    head: () => getHead(database.db),

    /** Checks a range of entries and all that vouches for them; the whole log without one. */
    verify: (options: VerifyOptions = {}) => verifyLog(database, verifier, options),
  };
}
