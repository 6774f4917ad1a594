// The queue on PostgreSQL, through BullMQ's own backend: tables and functions in the schema bullmq.
import { createPostgresBackend, runMigrations, withBackend } from 'bullmq';
import pg from 'pg';
import { errorLabel } from './error-report.ts';
import { queueErrors } from './queue-errors.ts';
import { type JobData, type QueueTransport, workerSettings } from './queue-transport.ts';

export interface PostgresTransportOptions {
  /** The app role's URL. */
  url: string;
}

const { Queue, Worker } = withBackend(createPostgresBackend);

const schema = 'bullmq';
const connectTimeoutMs = 5000;

/**
 * Makes or brings up to date BullMQ's tables as the owner, and gives the app role what sending and
 * running jobs needs, found by taking away one right after the other: with each of these missing
 * something fails. It can define nothing and not touch the list of migrations. Running it again
 * changes nothing.
 */
export async function migrateQueue(ownerUrl: string, appRole: string): Promise<void> {
  const owner = new pg.Client({
    connectionString: ownerUrl,
    connectionTimeoutMillis: connectTimeoutMs,
    application_name: 'yihao-migrate-queue',
  });
  await owner.connect();
  try {
    await runMigrations(owner, schema);
    const app = owner.escapeIdentifier(appRole);
    await owner.query(`
      grant usage on schema ${schema} to ${app};
      grant select on ${schema}.migration, ${schema}.job_dependency to ${app};
      grant select, insert, update, delete on ${schema}.job to ${app};
      grant select, insert, delete on ${schema}.event to ${app};
      grant select, insert, update on ${schema}.meta to ${app};
      grant usage on sequence ${schema}.job_seq, ${schema}.event_seq to ${app};`);
  } finally {
    await owner.end();
  }
}

/** Carries the queue on PostgreSQL as the app role; the tables must be there. */
export function postgresTransport({ url }: PostgresTransportOptions): QueueTransport {
  // Each end has a pool of its own, opened under load and given back when idle, and each consumer
  // one connection for LISTEN: a rebuilt one shares nothing with the one before.
  const connection = (applicationName: string, max: number) => ({
    connectionString: url,
    schema,
    migrate: false,
    max,
    connectionTimeoutMillis: connectTimeoutMs,
    application_name: applicationName,
  });

  return {
    kind: 'postgres',
    reach: async () => {},
    check: async () => {
      const client = new pg.Client(connection('yihao-queue-check', 1));
      try {
        await client.connect();
        await client.query(`select 1 from ${schema}.migration limit 1`);
      } catch (cause) {
        throw queueErrors.queue_unfit(
          `The queue's tables can't be used (${errorLabel(cause)}). Run yihao migrate first.`,
          { cause },
        );
      } finally {
        await client.end();
      }
    },
    openProducer: (name, onError) =>
      new Queue<JobData, void>(name, {
        connection: connection('yihao-queue', 4),
        streams: { events: { maxLen: 100 } },
      }).on('error', onError),
    openConsumer: (name, process, concurrency, onError) => {
      const worker = new Worker<JobData, void>(name, process, {
        ...workerSettings,
        concurrency,
        // Keeping the last thousand is a scan per job: 460 jobs/s, against 960 without.
        removeOnComplete: { count: 0 },
        connection: connection('yihao-queue-worker', 4),
      }).on('error', onError);
      return { close: () => worker.close(), abandon: () => worker.disconnect() };
    },
    close: async () => {},
  };
}
