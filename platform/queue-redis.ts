// The queue on Redis or Valkey. Its loss costs time, never a request: PostgreSQL holds the truth.
import { Queue, Worker } from 'bullmq';
import { Redis, type RedisOptions } from 'ioredis';
import { errorLabel } from './error-report.ts';
import { queueErrors } from './queue-errors.ts';
import { type JobData, type QueueTransport, workerSettings } from './queue-transport.ts';
import { within } from './within.ts';

export interface RedisTransportOptions {
  url: string;
  /** Begins all keys, so that houses (and tests) can share one server. */
  prefix?: string;
}

const connectTimeoutMs = 5000;

/** First try after 100 ms, then doubling to 2 s: work goes on within seconds of Redis' return. */
const retryStrategy = (times: number): number => Math.min(50 * 2 ** times, 2000);

const isReady = (client: Redis): boolean => client.status === 'ready';

/** Carries the queue on Redis; connects when first needed. */
export function redisTransport({ url, prefix = 'yihao' }: RedisTransportOptions): QueueTransport {
  // One connection for all senders. It fails fast: a job that can't be sent is the sweep's.
  const senderOptions: RedisOptions = {
    enableOfflineQueue: false,
    maxRetriesPerRequest: 1,
    connectTimeout: connectTimeoutMs,
    retryStrategy,
  };
  let sender: Redis | undefined;
  let firstTry: Promise<void> | undefined;

  function openSender(): Redis {
    if (sender) return sender;
    const opened = new Redis(url, senderOptions);
    // Rejects with the first error, so that it is told and not only retried.
    firstTry = new Promise((resolve, reject) => {
      opened.once('ready', resolve);
      opened.once('error', reject);
    });
    firstTry.catch(() => {});
    // Without a listener ioredis writes to stderr itself; those who send report what fails.
    opened.on('error', () => {});
    sender = opened;
    return opened;
  }

  async function reach(): Promise<void> {
    if (isReady(openSender())) return;
    await firstTry;
    if (!isReady(openSender())) throw new Error('Redis is away.');
  }

  return {
    kind: 'redis',
    reach,
    check: async () => {
      let memory: string;
      try {
        await within(connectTimeoutMs, reach(), 'Redis');
        memory = await within(connectTimeoutMs, openSender().info('memory'), 'Redis');
      } catch (cause) {
        throw queueErrors.queue_unfit(
          `Redis at REDIS_URL does not answer (${errorLabel(cause)}). Start it, or unset REDIS_URL to run the queue on PostgreSQL.`,
          { cause },
        );
      }
      const policy = /^maxmemory_policy:(\S+)/m.exec(memory)?.[1];
      if (policy !== 'noeviction') {
        throw queueErrors.queue_unfit(
          `Redis at REDIS_URL has maxmemory-policy ${policy}: it may throw jobs away. Set it to noeviction.`,
        );
      }
    },
    openProducer: (name, onError) =>
      new Queue<JobData, void, string>(name, {
        connection: openSender(),
        prefix,
        // Nobody reads BullMQ's event stream here.
        streams: { events: { maxLen: 100 } },
      }).on('error', onError),
    openConsumer: (name, process, concurrency, onError) => {
      // Options, not a connection: a replacing worker gets new connections.
      const worker = new Worker<JobData, void, string>(name, process, {
        ...workerSettings,
        concurrency,
        removeOnComplete: { age: 3600, count: 1000 },
        connection: { url, maxRetriesPerRequest: null, retryStrategy },
        prefix,
      }).on('error', onError);
      return { close: () => worker.close(), abandon: () => worker.disconnect() };
    },
    close: async () => {
      if (!sender) return;
      try {
        await within(1000, sender.quit(), 'Redis');
      } catch {
        sender.disconnect();
      }
    },
  };
}
