// Jobs as wake-up calls (trust.md 3): a job may be lost, doubled or late; the row it points to tells.
//
// One BullMQ queue per job name, not one queue with names: a process takes only jobs it has a
// handler for (old and new code run side by side), and slow imports don't stand before questions.
//
// Measured on 2 busy cores, one process, its server beside it (fsync; Redis with AOF everysec):
//   Redis       11,500 jobs/s handed over by 64 callers, 5,800 run; add to handler 1 ms, p95 6 ms
//   PostgreSQL     960 jobs/s handed over by 64 callers,   960 run; add to handler 3 ms, p95 12 ms
import { UnrecoverableError } from 'bullmq';
import { errorLabel } from './error-report.ts';
import type { Logger } from './logger.ts';
import type { Metrics } from './metrics.ts';
import { PermanentFailure } from './queue-errors.ts';
import { createSender } from './queue-sender.ts';
import type { Consumer, JobData, JobProcessor, QueueTransport } from './queue-transport.ts';
import { quietWarn } from './quiet-log.ts';
import { within } from './within.ts';

/** Idempotent: a job may come twice, and its row may have moved on. */
export type JobHandler = (data: JobData) => Promise<void>;

export interface QueueDeps {
  transport: QueueTransport;
  logger: Logger;
  metrics: Metrics;
  /** Jobs of one name that run at once in this process. */
  concurrency?: number;
  /** Bound on close(); BullMQ has none of its own. */
  closeTimeoutMs?: number;
  /** How long jobs may wait while none runs, before the worker is taken for deaf and replaced. */
  deafAfterMs?: number;
  /** Bound on handing over one job. */
  addTimeoutMs?: number;
}

/** One name's worker in this process, and what the watchdog remembers of it. */
interface Line {
  consumer: Consumer;
  started: number;
  startedAtLastLook: number;
  deafLooks: number;
}

const looksPerDeafness = 3;
const hangUpTimeoutMs = 1000;

/** The queue's two ends. Handlers are named before start(); a process that only sends never starts. */
export function createQueue({
  transport,
  logger,
  metrics,
  concurrency = 8,
  closeTimeoutMs = 5000,
  deafAfterMs = 30_000,
  addTimeoutMs = 2000,
}: QueueDeps) {
  const sender = createSender({ transport, logger, metrics, addTimeoutMs });
  const handlers = new Map<string, JobHandler>();
  const lines = new Map<string, Line>();
  const retirings = new Set<Promise<void>>();
  const meters = {
    done: metrics.counter('queue_jobs_done_total', 'Job runs that ended.', ['queue', 'outcome']),
    seconds: metrics.histogram('queue_job_seconds', 'Run time of a job.', ['queue']),
    waitSeconds: metrics.histogram('queue_wait_seconds', 'From add to handler.', ['queue']),
    waiting: metrics.gauge('queue_jobs_waiting', 'Jobs waiting, at the last look.', ['queue']),
    replaced: metrics.counter('queue_workers_replaced_total', 'Deaf workers replaced.', ['queue']),
  };
  let isStarted = false;
  let isClosed = false;
  let watchdog: NodeJS.Timeout | undefined;

  function handle(name: string, handler: JobHandler): void {
    if (isStarted) throw new TypeError('Handlers are named before the queue starts.');
    if (handlers.has(name)) throw new TypeError(`"${name}" has a handler already.`);
    handlers.set(name, handler);
  }

  async function start(): Promise<void> {
    if (isStarted) throw new TypeError('The queue was started already.');
    isStarted = true;
    await transport.check();
    for (const [name, handler] of handlers) openLine(name, handler);
    watchdog = setInterval(() => {
      for (const [name, line] of lines) {
        look(name, line).catch((error: unknown) =>
          logger.debug({ err: error, queue: name }, 'The watchdog could not look.'),
        );
      }
    }, deafAfterMs / looksPerDeafness);
    watchdog.unref();
  }

  function openLine(name: string, handler: JobHandler): void {
    const process: JobProcessor = async (job) => {
      line.started += 1;
      if (job.processedOn !== undefined) {
        const waitedMs = job.processedOn - job.timestamp - (job.opts.delay ?? 0);
        meters.waitSeconds.observe({ queue: name }, Math.max(0, waitedMs) / 1000);
      }
      const stop = meters.seconds.startTimer({ queue: name });
      try {
        await handler(job.data);
        meters.done.inc({ queue: name, outcome: 'ok' });
      } catch (error) {
        meters.done.inc({ queue: name, outcome: 'failed' });
        logger.warn({ err: error, queue: name, job: job.id }, 'A job failed.');
        throw keepable(error);
      } finally {
        stop();
      }
    };
    const warn = quietWarn(logger);
    const line: Line = {
      started: 0,
      startedAtLastLook: 0,
      deafLooks: 0,
      consumer: transport.openConsumer(name, process, concurrency, (error) =>
        warn({ err: error, queue: name }, 'A worker met an error.'),
      ),
    };
    lines.set(name, line);
  }

  /** A worker that takes no job while jobs wait and none runs anywhere is deaf (bullmq#4585). */
  async function look(name: string, line: Line): Promise<void> {
    const { waiting, active } = await sender.counts(name);
    meters.waiting.set({ queue: name }, waiting);
    const isStuck = waiting > 0 && active === 0 && line.started === line.startedAtLastLook;
    line.startedAtLastLook = line.started;
    line.deafLooks = isStuck ? line.deafLooks + 1 : 0;
    const handler = handlers.get(name);
    if (line.deafLooks < looksPerDeafness || isClosed || !handler) return;
    logger.error({ queue: name, waiting }, 'A worker is deaf and is replaced.');
    meters.replaced.inc({ queue: name });
    openLine(name, handler);
    const retiring = retire([line.consumer]).finally(() => retirings.delete(retiring));
    retirings.add(retiring);
  }

  async function close(): Promise<void> {
    if (isClosed) return;
    isClosed = true;
    clearInterval(watchdog);
    await Promise.all([retire([...lines.values()].map(({ consumer }) => consumer)), ...retirings]);
    await isDone(hangUpTimeoutMs, sender.close(), 'the senders');
    await transport.close();
  }

  /** Lets running jobs finish, bounded. What lasts longer is cut off: its work is taken up again. */
  async function retire(consumers: Consumer[]): Promise<void> {
    const closing = Promise.all(consumers.map((consumer) => consumer.close()));
    if (await isDone(closeTimeoutMs, closing, 'the running jobs')) return;
    const cutting = Promise.all(consumers.map((consumer) => consumer.abandon()));
    await isDone(hangUpTimeoutMs, cutting, 'the workers');
  }

  async function isDone(ms: number, work: Promise<unknown>, what: string): Promise<boolean> {
    try {
      await within(ms, work, what);
      return true;
    } catch (error) {
      logger.warn({ err: error }, 'A part of the queue did not close cleanly.');
      return false;
    }
  }

  return {
    /**
     * Sends a job. Never throws: what can't be handed over within two seconds is logged, counted
     * and left to the sweep over the rows. Call it after the commit, never inside a transaction.
     */
    add: sender.add,
    /** Names what runs the jobs of this name. */
    handle,
    /** Checks the server, then takes jobs. Rejects with platform.queue_unfit when it can't work. */
    start,
    /** Stops taking jobs and waits for the running ones, bounded. */
    close,
  };
}

export type Queue = ReturnType<typeof createQueue>;

/** What the queue may keep of a failure: its kind, since messages may quote personal data. */
function keepable(error: unknown): Error {
  const isPermanent = error instanceof PermanentFailure;
  const label = errorLabel(isPermanent && error.cause ? error.cause : error);
  const kept = isPermanent ? new UnrecoverableError(label) : new Error(label);
  kept.stack = label;
  return kept;
}
