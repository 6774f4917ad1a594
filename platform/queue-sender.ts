// Handing over jobs: bounded, and never in the way of the caller.
import type { JobsOptions } from 'bullmq';
import { holdsCitizenId } from './citizen-id-net.ts';
import type { Logger } from './logger.ts';
import type { Metrics } from './metrics.ts';
import type { JobData, Producer, QueueTransport } from './queue-transport.ts';
import { quietWarn } from './quiet-log.ts';
import { TimeoutError, within } from './within.ts';

export interface QueueJob {
  /**
   * Unique per dispatch, `req-<uuid>-<dispatchNo>`: a job whose id is still known is silently left
   * out. Letters, digits, `.`, `_`, `-`; not digits alone.
   */
  id: string;
  /** Identifiers of rows, never of people. */
  data: JobData;
  /** 1 goes before 2; jobs without go before both. */
  priority?: number;
  delayMs?: number;
}

interface SenderDeps {
  transport: QueueTransport;
  logger: Logger;
  metrics: Metrics;
  addTimeoutMs: number;
}

const idPattern = /^(?!\d+$)[A-Za-z0-9._-]{1,128}$/;
const coolDownMs = 1000;
const timeoutsMax = 20;

const jobOptions: JobsOptions = {
  attempts: 5,
  backoff: { type: 'exponential', delay: 1000, jitter: 0.5 },
};

/** The sending half of the queue. */
export function createSender({ transport, logger, metrics, addTimeoutMs }: SenderDeps) {
  const producers = new Map<string, Producer>();
  const warn = quietWarn(logger);
  const closings = new Set<Promise<void> | undefined>();
  const added = metrics.counter('queue_jobs_added_total', 'Jobs handed over.', ['queue']);
  const notAdded = metrics.counter('queue_jobs_not_added_total', 'Jobs left to the sweep.', [
    'queue',
  ]);
  let isClosed = false;
  let isCoolingDown = false;
  let timeoutsInARow = 0;

  async function add(name: string, job: QueueJob): Promise<void> {
    try {
      checkJob(job);
      if (isClosed) throw new Error('The queue is closed.');
      if (isCoolingDown) throw new Error('The queue failed a moment ago.');
      await send(name, job);
      added.inc({ queue: name });
    } catch (error) {
      notAdded.inc({ queue: name });
      warn({ err: error, queue: name, job: job.id }, 'A job was left to the sweep.');
    }
  }

  async function send(name: string, job: QueueJob): Promise<void> {
    const { id, data, priority, delayMs } = job;
    try {
      const handOver = async () => {
        await transport.reach();
        await producerOf(name).add(name, data, {
          ...jobOptions,
          jobId: id,
          ...(priority === undefined ? {} : { priority }),
          ...(delayMs === undefined ? {} : { delay: delayMs }),
        });
      };
      await within(addTimeoutMs, handOver(), 'the queue');
      timeoutsInARow = 0;
    } catch (error) {
      coolDown();
      timeoutsInARow = error instanceof TimeoutError ? timeoutsInARow + 1 : 0;
      // A slow server keeps its sender. One that failed is replaced: BullMQ remembers it for ever.
      if (timeoutsInARow === 0 || timeoutsInARow > timeoutsMax) dropProducer(name);
      throw error;
    }
  }

  function producerOf(name: string): Producer {
    const known = producers.get(name);
    if (known) return known;
    const made = transport.openProducer(name, (error) =>
      logger.debug({ err: error, queue: name }, 'The queue lost its server.'),
    );
    producers.set(name, made);
    return made;
  }

  /** Closes it without being waited for, except by close(). */
  function dropProducer(name: string): void {
    const closing = producers
      .get(name)
      ?.close()
      .catch((error: unknown) => logger.debug({ err: error }, 'A broken sender did not close.'))
      .finally(() => closings.delete(closing));
    producers.delete(name);
    closings.add(closing);
  }

  function coolDown(): void {
    isCoolingDown = true;
    setTimeout(() => {
      isCoolingDown = false;
    }, coolDownMs).unref();
  }

  return {
    add,
    /** Jobs of one name that wait and that run, in the whole cluster. */
    counts: async (name: string): Promise<{ waiting: number; active: number }> => {
      const asking = producerOf(name).getJobCounts('waiting', 'prioritized', 'active');
      const counts = await within(addTimeoutMs, asking, 'the queue').catch((error: unknown) => {
        dropProducer(name);
        throw error;
      });
      return {
        waiting: (counts.waiting ?? 0) + (counts.prioritized ?? 0),
        active: counts.active ?? 0,
      };
    },
    close: async (): Promise<void> => {
      isClosed = true;
      await Promise.all([...producers.values()].map((producer) => producer.close()));
      await Promise.all(closings);
    },
  };
}

function checkJob({ id, data }: QueueJob): void {
  if (!idPattern.test(id)) throw new TypeError('This is not a job id.');
  if (holdsCitizenId(JSON.stringify({ id, data }))) {
    throw new TypeError('A job must not hold a citizen ID.');
  }
}
