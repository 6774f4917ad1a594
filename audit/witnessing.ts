// Asking the witnesses: each published checkpoint is shown to those the policy names, and what they
// sign is kept with it. The log never waits for them; until a quorum has signed, it says so.
import type { Clock, Database, Logger, Metrics } from '../platform/index.ts';
import { createBell } from './bell.ts';
import type { TreeHead } from './checkpoint.ts';
import type { Cosignature } from './cosignature.ts';
import { type LogEpoch, type LogLife, takenOver } from './life.ts';
import type { Lives } from './life-store.ts';
import { consistencyProof, growsFrom } from './proofs.ts';
import { findToWitness, insertCosignature, markWitnessed } from './sequence-store.ts';
import { splitNote } from './signed-note.ts';
import type { ReadTile } from './tiles.ts';
import { type WitnessClient, witnessClient } from './witness-client.ts';
import type { WitnessPolicy } from './witness-policy.ts';

// A witness that did not answer is asked again with the next checkpoint, or after this.
const askAgainMs = 1000;
// One for the size it tells us, one for another process that asked in between.
const mostTries = 3;

export interface WitnessingDeps {
  logDatabase: Database;
  clock: Clock;
  logger: Logger;
  metrics?: Metrics | undefined;
  readTile: ReadTile;
  lives: Lives;
  policy: WitnessPolicy;
  /** A witness holds a checkpoint of ours that this log doesn't grow out of: sign nothing more. */
  onConflict(reason: string): void;
}

type Published = NonNullable<Awaited<ReturnType<typeof findToWitness>>>;

/** The clients of all witnesses of a policy that have an address. */
export function clientsOf({ witnesses }: WitnessPolicy): WitnessClient[] {
  return witnesses.flatMap(({ url, ...witness }) =>
    url === undefined ? [] : [witnessClient({ ...witness, url })],
  );
}

export function createWitnessing(deps: WitnessingDeps) {
  const { logDatabase, clock, logger, readTile, policy, onConflict } = deps;
  const clients = clientsOf(policy);
  const counters = witnessingMetrics(deps.metrics);
  /** The name of the log they were asked about last. */
  let asked = '';
  /** What each witness has recorded of it, as far as it told us. */
  const recorded = new Map<string, number>();
  /** Who did not sign when last asked: said once, not every second. */
  const missed = new Set<string>();
  const bell = createBell();
  let isActive = false;
  let running: Promise<void> | undefined;

  async function ask(
    client: WitnessClient,
    published: Published,
    current: LogEpoch,
  ): Promise<Cosignature> {
    const { text } = splitNote(published.note);
    for (let attempt = 1; attempt <= mostTries; attempt++) {
      const oldSize = recorded.get(client.name) ?? 0;
      if (oldSize > published.size) break;
      const proof = await proofFrom(oldSize, published);
      const answer = await client.addCheckpoint(text, { oldSize, proof, note: published.note });
      if (answer.kind === 'signed') {
        recorded.set(client.name, published.size);
        return answer.cosignature;
      }
      if (answer.kind === 'refused') {
        if (answer.status === 422) break;
        throw new Error(`${client.name} refuses with ${answer.status}.`);
      }
      recorded.set(client.name, answer.size);
    }
    // The witness speaks of another history. Its word is no proof: our own signature on it is.
    const head = await client.latest(current);
    if (head && !(await growsFrom(head, published.root, { size: published.size, readTile }))) {
      halt();
      onConflict(
        `${client.name} holds a signed checkpoint over ${head.size} entries that this log of ${published.size} does not grow out of`,
      );
    }
    throw new Error(`${client.name} has recorded another size than ${published.size} grows from.`);
  }

  async function proofFrom(oldSize: number, { size }: TreeHead): Promise<Buffer[]> {
    if (oldSize === 0 || oldSize === size) return [];
    return consistencyProof(oldSize, { size, readTile });
  }

  /** Shows the newest published checkpoint to all who have not signed it, at once. */
  async function witness(): Promise<void> {
    const { current } = await deps.lives.read(logDatabase.db);
    if (current.origin !== asked) recorded.clear();
    asked = current.origin;
    const published = await findToWitness(logDatabase.db, takenOver(current));
    if (!published) return;
    const missing = clients.filter(({ name }) => !published.cosigners.includes(name));
    const cosigners = new Set(published.cosigners);
    await Promise.all(
      missing.map(async (client) => {
        try {
          const cosignature = await ask(client, published, current);
          await insertCosignature(logDatabase.db, published.size, cosignature);
          cosigners.add(client.name);
          counters?.signed.inc();
          if (missed.delete(client.name))
            logger.info({ witness: client.name }, 'A witness is back');
        } catch (error) {
          counters?.faults.inc();
          if (missed.has(client.name)) return;
          missed.add(client.name);
          logger.warn({ error, witness: client.name }, 'A witness did not sign; it is asked again');
        }
      }),
    );
    if (!published.isWitnessed && policy.isQuorum(cosigners)) {
      await markWitnessed(logDatabase.db, published.size, clock.now());
      counters?.size.set(published.size);
    }
  }

  async function run(): Promise<void> {
    while (isActive) {
      try {
        await witness();
      } catch (error) {
        logger.error({ error }, 'The witnesses could not be asked');
      }
      if (isActive) await bell.wait(askAgainMs);
    }
    running = undefined;
  }

  function halt(): void {
    isActive = false;
    bell.ring();
  }

  return {
    begin(): void {
      isActive = true;
      running ??= run();
    },
    /** A checkpoint was published. */
    touch: (): void => bell.ring(),
    halt,
    /** Asks once more for what was published last, then no more. */
    async stop(): Promise<void> {
      const wasActive = isActive;
      halt();
      await running;
      if (!wasActive) return;
      await witness().catch((error: unknown) => {
        logger.error({ error }, 'The witnesses could not be asked at the end');
      });
    },
  };
}

/** A head that a witness has signed. */
export interface WitnessedHead extends TreeHead {
  epoch: LogEpoch;
  note: string;
  name: string;
}

/** Heads of this log that witnesses signed; whoever doesn't answer in time is left out, and said. */
export async function listWitnessedHeads(
  { policy, logger }: Pick<WitnessingDeps, 'policy' | 'logger'>,
  { epochs }: LogLife,
): Promise<WitnessedHead[]> {
  const heads = await Promise.all(
    clientsOf(policy).map(async (client): Promise<WitnessedHead[]> => {
      try {
        const latest = await Promise.all(
          epochs.map(async (epoch) => ({ epoch, head: await client.latest(epoch) })),
        );
        return latest.flatMap(({ epoch, head }) =>
          head ? [{ ...head, epoch, name: client.name }] : [],
        );
      } catch (error) {
        logger.warn(
          { error, witness: client.name },
          'A witness could not be asked what it has signed',
        );
        return [];
      }
    }),
  );
  return heads.flat();
}

function witnessingMetrics(metrics: Metrics | undefined) {
  if (!metrics) return undefined;
  return {
    signed: metrics.counter('audit_cosignatures_total', 'Cosignatures received from witnesses'),
    faults: metrics.counter('audit_witness_faults_total', 'Times a witness did not sign'),
    size: metrics.gauge('audit_witnessed_size', 'Entries covered by the last witnessed checkpoint'),
  };
}
