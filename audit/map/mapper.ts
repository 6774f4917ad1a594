// Keeps the map up with the log, where the log is sequenced. Another process at the same work is harmless:
// whoever locks the map's state first makes the edition, the other finds nothing left to do.
import type { Database, Logger, Metrics } from '../../platform/index.ts';
import { createBell } from '../bell.ts';
import { createExtend, type ExtendDeps } from './extend.ts';
import { prune } from './map-store.ts';

const afterFaultMs = 5_000;
/** Proofs are made of editions seconds old; what they replaced is kept for longer in case one is slow. */
const keptSeconds = 3_600;
const prunedAtOnce = 50;

export interface MapperDeps extends ExtendDeps {
  logger: Logger;
  metrics?: Metrics | undefined;
  /** From one look at the log to the next, 5 s unless said; null: only when asked. */
  everyMs?: number | null;
}

// A citizen waits this long at most to see a new look in her list; under load an edition then covers
// thousands of entries, and what it costs goes by the subjects among them.
const usuallyEveryMs = 5_000;

export function createMapper(deps: MapperDeps) {
  const { logDatabase, logger, everyMs = usuallyEveryMs } = deps;
  const extend = createExtend(deps);
  const metrics = mapMetrics(deps.metrics);
  const end = createBell();
  let isOn = false;
  let running: Promise<void> | undefined;

  /** Editions until the whole log is taken in; the last one's number. */
  async function catchUp(): Promise<number | undefined> {
    let last: number | undefined;
    for (;;) {
      const stop = metrics?.seconds.startTimer();
      const made = await extend();
      if (!made) return last;
      stop?.();
      last = made.edition;
      metrics?.edition.set(last);
      if (made.isWhole) return last;
    }
  }

  async function run(every: number): Promise<void> {
    while (isOn) {
      await end.wait(every);
      if (!isOn) return;
      try {
        await catchUp();
        await pruneOld(logDatabase);
      } catch (error) {
        metrics?.faults.inc();
        logger.error({ err: error }, 'The map of looks could not be extended; it is tried again.');
        await end.wait(afterFaultMs);
      }
    }
  }

  function halt(): void {
    isOn = false;
    end.ring();
  }

  return {
    /** Makes what editions are due; for whoever can't wait for the next look. */
    catchUp,
    begin: (): void => {
      if (isOn || everyMs === null) return;
      isOn = true;
      // A loop that was told to end a moment ago goes on.
      running ??= run(everyMs).finally(() => {
        running = undefined;
      });
    },
    halt,
    stop: async (): Promise<void> => {
      halt();
      await running;
    },
  };
}

async function pruneOld(logDatabase: Database): Promise<void> {
  while (await logDatabase.transaction((tx) => prune(tx, keptSeconds, prunedAtOnce)));
}

function mapMetrics(metrics: Metrics | undefined) {
  if (!metrics) return undefined;
  return {
    edition: metrics.gauge('audit_map_edition', 'The last edition of the map of looks'),
    seconds: metrics.histogram('audit_map_seconds', 'Time to make one edition'),
    faults: metrics.counter('audit_map_faults_total', 'Editions that failed'),
  };
}
