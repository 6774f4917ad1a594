// What a queue is carried by: BullMQ on Redis or on PostgreSQL (trust.md 3.2), behind one face.
import type { JobsOptions, Processor } from 'bullmq';

/** What a job carries: identifiers and numbers. Servers keep it in clear text. */
export type JobData = Record<string, string | number>;

/** The sending end of one queue. */
export interface Producer {
  /** One by one: in bulk, BullMQ on PostgreSQL makes sequences and temporary tables as it goes. */
  add(name: string, data: JobData, options: JobsOptions): Promise<unknown>;
  /** Jobs per state, in the whole cluster. */
  getJobCounts(
    ...states: ('waiting' | 'prioritized' | 'active')[]
  ): Promise<Record<string, number>>;
  close(): Promise<void>;
}

/** The receiving end of one queue. */
export interface Consumer {
  /** Lets running jobs finish, however long they take: bound it. */
  close(): Promise<void>;
  /** Drops the connections, whatever runs. */
  abandon(): Promise<void>;
}

export type JobProcessor = Processor<JobData, void, string>;

export interface QueueTransport {
  readonly kind: 'redis' | 'postgres';
  /** Rejects when the server can't be reached or isn't fit to carry the queue. */
  check(): Promise<void>;
  /** Resolves when jobs can be handed over; rejects at once while the server is known to be away. */
  reach(): Promise<void>;
  openProducer(queue: string, onError: (error: Error) => void): Producer;
  openConsumer(
    queue: string,
    process: JobProcessor,
    concurrency: number,
    onError: (error: Error) => void,
  ): Consumer;
  /** Ends what the producers and consumers shared; close those first. */
  close(): Promise<void>;
}

/** Settings of every worker, on either server. */
export const workerSettings = {
  lockDuration: 30_000,
  stalledInterval: 30_000,
  // A worker that dies fails no job: attempts don't count for it, and the row decides anyway.
  maxStalledCount: 20,
  // BullMQ's 15 s would keep a worker away that long after its server is back.
  runRetryDelay: 1000,
  removeOnFail: { age: 604_800 },
};
