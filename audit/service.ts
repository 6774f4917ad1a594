// The log, put together: staging, the sequencer, checkpoints, and everything that reads.
import type { Clock, Database, Ids, Logger, Metrics, RowScope, Tx } from '../platform/index.ts';
import { createAppend } from './append.ts';
import { listArchives } from './archive-store.ts';
import { createEntries, entryBundle } from './entries.ts';
import { auditErrors } from './errors.ts';
import { createKeyRotation } from './key-rotation.ts';
import { endOf, keysInUse, type LogLife, newestKey, originOf } from './life.ts';
import { createLives } from './life-store.ts';
import type { MapKey } from './map/extend.ts';
import { createMapper } from './map/mapper.ts';
import { createProve, type ProvenList } from './map/prove.ts';
import { createSample, type MapSample } from './map/sample.ts';
import { verifyInclusion } from './merkle-tree.ts';
import { createNewEpoch } from './new-epoch.ts';
import { inclusionProof } from './proofs.ts';
import { createPublisher } from './publisher.ts';
import { checkHead } from './self-check.ts';
import { sequencedChannel } from './sequence-store.ts';
import { createSequencer } from './sequencer.ts';
import { createSequencing } from './sequencing.ts';
import { createShown } from './shown.ts';
import { formatVkey, isKeyName, type NoteSigner } from './signed-note.ts';
import { checkStart, type StartFindings } from './start-check.ts';
import {
  discloseCase,
  findIndexes,
  findPublished,
  forgetSubject,
  getHead,
  listIndexesAbout,
} from './store.ts';
import { createTileSource } from './tile-source.ts';
import { isTile, type TileAddress, widthInTree } from './tiles.ts';
import { formatTlogProof } from './tlog-proof.ts';
import { type VerifyOptions, verifyLog } from './verify.ts';
import { createWaiters } from './waiters.ts';
import type { WitnessPolicy } from './witness-policy.ts';
import { createWitnessing, listWitnessedHeads } from './witnessing.ts';

export interface AuditDeps {
  /** Connects as the app role. */
  database: Database;
  /** As the log role, with at least two sessions; only where a sequencer may run. */
  logDatabase?: Database | undefined;
  clock: Clock;
  ids: Ids;
  logger: Logger;
  /** The log's first Ed25519 key. */
  signer: NoteSigner;
  /** Keys that came after it, by their public halves; undefined for keys that are not this log's. */
  laterSigner?: ((publicKey: Buffer) => NoteSigner | undefined) | undefined;
  /** The log's first name in checkpoints and keys: no space, no plus sign. */
  origin: string;
  /** Where the last published checkpoint is kept beside the database. */
  headFile?: string | undefined;
  /** Who watches from outside, and how many of them are enough; without it nobody does. */
  policy?: WitnessPolicy | undefined;
  /** The map from each subject to her entries: its key, and how often it is brought up with the log. */
  map?: { key: MapKey; everyMs?: number | null } | undefined;
  metrics?: Metrics | undefined;
}

/** Entries per statement: tens of milliseconds of work. */
const forgetAtOnce = 1000;

export type Audit = ReturnType<typeof createAudit>;

/** Who outside has signed the checkpoint that is shown. */
export interface WitnessState {
  isWitnessed: boolean;
  /** Key names of the witnesses who signed it. */
  witnesses: string[];
  /** Entries it covers. */
  size: number;
  /** How many witnesses the policy names. */
  asked: number;
}

export function createAudit(deps: AuditDeps) {
  const { database, logDatabase, logger, signer, origin } = deps;
  if (!isKeyName(origin)) throw new TypeError('The name of a log holds no space and no plus sign.');
  if (signer.publicKey.length !== 32) throw new TypeError('An Ed25519 public key has 32 bytes.');
  const lives = createLives(formatVkey(origin, signer.publicKey));
  refuseForeignPolicy(deps.policy, (key) => findSigner(key) !== undefined);
  const shown = createShown({ database, policy: deps.policy, lives });
  const tiles = createTileSource(database.db);
  const { append, appendMany } = createAppend(deps);

  const waiters = createWaiters({
    lookUp: (stageIds) => findIndexes(database.db, stageIds),
    onError: (error) => logger.warn({ error }, 'Indexes of staged entries could not be read'),
  });
  const mapper =
    logDatabase && deps.map && createMapper({ ...deps, ...deps.map, logDatabase, append });
  const prove =
    deps.map &&
    createProve({
      database,
      key: deps.map.key,
      shownSize: async () => (await shown.find())?.size ?? 0,
      receipt,
    });
  const sequencer = logDatabase && createWriter(logDatabase);
  let stopListening: Promise<(() => Promise<void>) | undefined> | undefined;

  function findSigner(publicKey: Buffer): NoteSigner | undefined {
    return publicKey.equals(signer.publicKey) ? signer : deps.laterSigner?.(publicKey);
  }

  function signerOf(publicKey: Buffer): NoteSigner {
    const found = findSigner(publicKey);
    if (found) return found;
    throw new Error(
      'A key of the log that is in use is not in KEYS_DIR: restore the folder from its backup.',
    );
  }

  /** What those who write the log work with. */
  function partsOf(log: Database) {
    const { policy } = deps;
    return {
      ...deps,
      logDatabase: log,
      readTile: tiles.read,
      lives,
      signerOf,
      ...(policy && {
        listWitnessedHeads: (life: LogLife) => listWitnessedHeads({ policy, logger }, life),
      }),
    };
  }

  function createWriter(log: Database) {
    const { policy } = deps;
    const parts = partsOf(log);
    const witnessing =
      policy &&
      createWitnessing({
        ...parts,
        policy,
        onConflict: (reason) => {
          logger.fatal(
            { reason },
            'Nothing more is signed: restore the database that was signed for',
          );
          publisher.halt();
        },
      });
    const publisher = createPublisher({ ...parts, onPublished: () => witnessing?.touch() });
    return createSequencer({
      ...parts,
      checkTree: async (head, edge) => {
        await checkHead(head, edge.root(), parts);
        // Whoever leads can sign: a key that is not there is missed now, not by the first checkpoint.
        const { current } = await lives.read(log.db);
        for (const { verifier } of keysInUse(current)) {
          signerOf(verifier.publicKey).sign(Buffer.from(current.origin));
        }
      },
      onLead: ({ epoch }) => {
        publisher.begin(epoch);
        witnessing?.begin();
        mapper?.begin();
      },
      onLost: () => {
        publisher.halt();
        witnessing?.halt();
        mapper?.halt();
      },
      onLeave: async () => {
        await publisher.stop();
        await witnessing?.stop();
      },
      onSequenced: (first, stageIds) => {
        waiters.settle(stageIds.map((id, at) => [id, first + at]));
        publisher.touch();
      },
    });
  }

  function requireLog(): Database {
    if (logDatabase) return logDatabase;
    throw new TypeError('A statement of the log needs a connection as the log role.');
  }

  const witnessNames = () => (deps.policy?.witnesses ?? []).map(({ verifier }) => verifier.name);

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

  /**
   * The C2SP tlog-proof of an entry in the newest checkpoint; audit.not_yet_checkpointed until one
   * covers it. Checked before it is handed out.
   */
  async function receipt(index: number): Promise<string> {
    const { leafHash } = await createEntries(database).getEntry(index);
    const published = await shown.find(index);
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
  }

  return {
    append,
    appendMany,

    /** The entries of whoever may see these rows: scopeOfTag, scopeOfLog or the system's. */
    as: (scope: RowScope) => createEntries(database.as(scope)),

    /** Leaves as they were hashed; null when the tree hasn't got them. */
    entryBundle: (n: number, width: number) => entryBundle(database.db, n, width),

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
      refuseDamage(await checkStart(database, await lives.read(database.db), deps.ids), logger);
      await sequencer.start();
    },

    /** Resolves while entries get their places, by whichever process; else throws audit.unavailable. */
    requireSequencing: createSequencing(database),

    /** Sequences and publishes what is there, then lets go; who waits for more is turned away. */
    stop: async (): Promise<void> => {
      await mapper?.stop();
      await sequencer?.stop();
      await (await stopListening)?.();
      stopListening = undefined;
      waiters.close();
    },

    /** The checkpoint to show, with its cosignatures; null while none is published. */
    checkpoint: async (): Promise<string | null> => (await shown.find())?.note ?? null,

    /** The same with its size and root, of those over at least `size` entries; undefined while none is. */
    checkpointOver: async (size: number) => {
      const found = await shown.find(size - 1);
      return found && found.size >= size ? found : undefined;
    },

    /** The inclusion proof of an entry in a tree of this size, which the log must have had. */
    inclusion: (index: number, size: number): Promise<Buffer[]> =>
      inclusionProof(index, { size, readTile: tiles.read }),

    /**
     * How far the log is vouched for from outside. While not witnessed, an operator could still show
     * different people different logs.
     */
    witnessState: async (): Promise<WitnessState> => {
      const { isWitnessed = false, witnesses = [], size = 0 } = (await shown.find()) ?? {};
      const asked = deps.policy?.witnesses.length ?? 0;
      return { isWitnessed, witnesses, size, asked };
    },

    /** The names and keys of the log from its beginning, and what it stated about them. */
    life: (): Promise<LogLife> => lives.read(database.db),

    /** The key to verify checkpoints with, as it was when the life was last read. */
    get vkey(): string {
      return newestKey(lives.last().current).vkey;
    },

    /** States what a restore has lost and goes on under another name; with every process stopped. */
    newEpoch: () => createNewEpoch({ ...partsOf(requireLog()), witnessNames: witnessNames() }),

    /** Another key for the log, while it runs. */
    keyRotation: () => createKeyRotation(partsOf(requireLog())),

    /** The newest published checkpoint of an epoch; null when it has none. */
    checkpointOf: async (number: number): Promise<string | null> => {
      const life = await lives.read(database.db);
      const epoch = life.epochs.find((one) => one.number === number);
      if (!epoch) return null;
      const end = endOf(life, epoch);
      if (!end) return (await shown.find())?.note ?? null;
      const note = await findPublished(database.db, end.kept);
      return note !== undefined && originOf(note) === epoch.origin ? note : null;
    },

    /** A tile of an epoch's tree, as far as it is kept. */
    tileOf: async (number: number, address: TileAddress): Promise<Buffer | null> => {
      const life = await lives.read(database.db);
      const epoch = life.epochs.find((one) => one.number === number);
      if (!epoch || !isTile(address)) return null;
      const kept = endOf(life, epoch)?.kept ?? Number.MAX_SAFE_INTEGER;
      const { level, n, width } = address;
      if (widthInTree(level, n, kept) < width) return null;
      return (await tiles.find(address)) ?? null;
    },

    /** The first `width` hashes of a tile; null when the tree hasn't got them. */
    tile: async (level: number, n: number, width: number): Promise<Buffer | null> => {
      const address = { level, n, width };
      return isTile(address) ? ((await tiles.find(address)) ?? null) : null;
    },

    receipt,

    /**
     * Brings the map up with the log at once instead of at its next turn; the newest edition made, if any.
     */
    publishMap: async (): Promise<number | undefined> => {
      if (!mapper) throw new TypeError('The map needs a key and a connection as the log role.');
      return mapper.catchUp();
    },

    /** The proof that the list of a subject's entries is whole; for her alone. */
    proveCompleteness: async (subjectTag: Buffer): Promise<ProvenList> => {
      if (!prove) throw new TypeError('Without a key there is no map.');
      return prove.completeness(subjectTag);
    },

    /** Where entries stand in the map, with the proofs; for whoever was found to be an auditor. */
    sampleMap: async (indexes: readonly number[]): Promise<MapSample[]> => {
      if (!prove || !deps.map) throw new TypeError('Without a key there is no map.');
      return createSample({ database, key: deps.map.key, prove })(indexes);
    },

    /** The indexes of all entries about a subject. */
    indexesAbout: listIndexesAbout,

    /** Ends the delay of a case's entries: the subject sees them, and the next map takes them in. */
    discloseCase,

    /**
     * Takes from the entries of a subject what finds and tells of her, some at a time; the leaves and
     * every proof stay as they are. Returns how many it found: call it again until there are none.
     */
    forgetSubject: (tx: Tx, subjectTag: Buffer): Promise<number> =>
      forgetSubject(tx, subjectTag, forgetAtOnce),

    /** The ranges that lie in archive files. */
    archives: () => listArchives(database.db),

    /** Size and root of the committed tree, signed or not. */
    head: () => getHead(database.db),

    /** Checks a range of entries and all that vouches for them; the whole log without one. */
    verify: async (options: VerifyOptions = {}) =>
      verifyLog(database, await lives.read(database.db), options),
  };
}

// What is wrong in one place is often wrong in thousands.
const mostTold = 20;

/**
 * A spoilt entry is told of, loudly, and can be put back: the tree says what it was. On a spoilt tree
 * nothing is built.
 */
function refuseDamage({ entries, tree }: StartFindings, logger: Logger): void {
  for (const { index, what } of entries.slice(0, mostTold)) {
    logger.fatal({ index, what }, 'An entry of the log is damaged; run the audit verification');
  }
  if (entries.length > mostTold) {
    logger.fatal(
      { found: entries.length },
      'More entries of the log are damaged than are told here',
    );
  }
  const [first] = tree;
  if (!first) return;
  for (const { index, what } of tree.slice(0, mostTold))
    logger.fatal({ index, what }, 'The log is damaged');
  const where = first.index === undefined ? '' : `At entry ${first.index}: `;
  throw auditErrors.head_mismatch(
    `The log is damaged. ${where}${first.what} Nothing is written or signed. Run the audit verification; restore what it names.`,
  );
}

/** A policy that lists logs must list this one: else it is another house's. */
function refuseForeignPolicy(
  policy: WitnessPolicy | undefined,
  isOurs: (publicKey: Buffer) => boolean,
): void {
  if (!policy || policy.logs.length === 0) return;
  if (policy.logs.some(({ verifier }) => isOurs(verifier.publicKey))) return;
  throw auditErrors.policy_invalid("The witness policy lists other logs, but not this one's key.");
}
