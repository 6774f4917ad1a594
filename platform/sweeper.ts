// Repairs at regular intervals, each by one process of the cluster at a time.
import { sql } from 'drizzle-orm';
import { type Database, selectRows } from './database.ts';
import type { Logger } from './logger.ts';
import type { Metrics } from './metrics.ts';

/** One run. `signal` is aborted when the process stops: a long run should look at it. */
export type Sweep = (signal: AbortSignal) => Promise<void>;

export interface SweeperDeps {
  /**
   * A pool apart from the one sweeps work on: each running sweep holds one connection with its lock,
   * and on one pool they could wait for one another for ever.
   */
  database: Database;
  logger: Logger;
  metrics: Metrics;
}

/**
 * Plain intervals, not the queue's schedulers: those stop after some restarts (trust.md 3.3). A run
 * happens under an advisory lock that ends with its transaction, so also with its process. A lost
 * connection frees the lock early: sweeps must bear a rare second runner.
 */
export function createSweeper({ database, logger, metrics }: SweeperDeps) {
  const timers: NodeJS.Timeout[] = [];
  const names = new Set<string>();
  const running = new Set<Promise<void>>();
  const stopping = new AbortController();
  const runs = metrics.counter('sweeps_total', 'Runs of sweeps.', ['sweep', 'outcome']);
  const seconds = metrics.histogram('sweep_seconds', 'Run time of a sweep.', ['sweep']);

  function every(ms: number, name: string, sweep: Sweep): void {
    if (names.has(name)) throw new TypeError(`There is a sweep "${name}" already.`);
    if (stopping.signal.aborted) throw new TypeError('The sweeper is closed.');
    names.add(name);
    let isRunning = false;
    timers.push(
      setInterval(() => {
        // A run that outlasts the interval is not joined by a second one.
        if (isRunning) return;
        isRunning = true;
        const run = runAlone(name, sweep).finally(() => {
          isRunning = false;
          running.delete(run);
        });
        running.add(run);
      }, ms),
    );
  }

  async function runAlone(name: string, sweep: Sweep): Promise<void> {
    let swept: Promise<void> | undefined;
    const session = database.transaction(async (tx) => {
      // The session of the lock is idle while the sweep works elsewhere.
      await tx.execute(sql`set local idle_in_transaction_session_timeout = 0`);
      const [lock] = await selectRows<{ is_mine: boolean }>(
        tx,
        sql`select pg_try_advisory_xact_lock(
          hashtextextended(${`yihao.sweep.${name}`}, 0)) as is_mine`,
      );
      if (!lock?.is_mine) return;
      swept = run(name, sweep);
      await swept;
    });
    try {
      await session;
    } catch (error) {
      logger.warn({ err: error, sweep: name }, 'A sweep could not get its lock, or lost it.');
      await swept;
    }
  }

  async function run(name: string, sweep: Sweep): Promise<void> {
    const stop = seconds.startTimer({ sweep: name });
    try {
      await sweep(stopping.signal);
      runs.inc({ sweep: name, outcome: 'ok' });
    } catch (error) {
      runs.inc({ sweep: name, outcome: 'failed' });
      logger.error({ err: error, sweep: name }, 'A sweep failed; it runs again.');
    } finally {
      stop();
    }
  }

  return {
    /** Runs `sweep` every `ms` milliseconds, the first time after that long. */
    every,
    /** Starts no more runs, tells the running ones to end, and waits for them. */
    close: async (): Promise<void> => {
      for (const timer of timers) clearInterval(timer);
      stopping.abort();
      await Promise.all(running);
    },
  };
}

export type Sweeper = ReturnType<typeof createSweeper>;
