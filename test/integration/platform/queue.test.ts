import { sql } from 'drizzle-orm';
import { expect, test } from 'vitest';
import {
  createLogger,
  createMetrics,
  createQueue,
  migrateQueue,
  postgresTransport,
  selectRows,
} from '../../../platform/index.ts';
import { withDatabase } from '../../support/database.ts';
import { eventually } from '../../support/eventually.ts';
import { describeQueue } from './queue-promises.ts';

const { database, appUrl, ownerUrl, ownerSql } = withDatabase();
const logger = createLogger({ level: 'silent' });

describeQueue('PostgreSQL', {
  makeTransport: () => postgresTransport({ url: appUrl }),
  readKept: async (queue, id) => {
    const rows = await ownerSql`
      select job.*, (select json_agg(event) from bullmq.event where event.queue = job.queue)
      from bullmq.job where queue = ${queue} and id = ${id} and state = 'failed'`;
    return JSON.stringify(rows);
  },
});

const roleOf = (url: string) => decodeURIComponent(new URL(url).username);

test('the tables can be brought up to date any number of times', async () => {
  const versions = () => ownerSql`select version, name from bullmq.migration order by version`;
  const before = Array.from(await versions());
  await migrateQueue(ownerUrl, roleOf(appUrl));
  expect(Array.from(await versions())).toEqual(before);
  expect(before.length).toBeGreaterThan(0);
});

test('the app role can neither define anything in the queue nor touch its list of migrations', async () => {
  const statements = [
    'create table bullmq.mine (id int)',
    'create function bullmq.mine() returns int language sql return 1',
    'create sequence bullmq.mine',
    'alter table bullmq.job add column mine int',
    'truncate bullmq.job',
    'drop table bullmq.event',
    "insert into bullmq.migration (version, name) values (99, 'mine')",
    'delete from bullmq.migration',
  ];
  for (const statement of statements) {
    await expect(database.db.execute(statement), statement).rejects.toMatchObject({
      cause: { code: '42501' },
    });
  }
});

test('a queue without its tables, or without its server, refuses to start and says what to do', async () => {
  const noTables = new URL(appUrl);
  noTables.pathname = '/postgres';
  const cases = [noTables.href, 'postgres://yihao_app@127.0.0.1:1/yihao'];
  for (const url of cases) {
    const queue = createQueue({
      transport: postgresTransport({ url }),
      logger,
      metrics: createMetrics(),
    });
    await expect(queue.start()).rejects.toMatchObject({
      code: 'platform.queue_unfit',
      kind: 'unavailable',
      detail: expect.stringContaining('Run yihao migrate first'),
    });
    await queue.close();
  }
});

test('adding to a server that is away returns in time, throws nothing and is counted', async () => {
  const metrics = createMetrics();
  const queue = createQueue({
    transport: postgresTransport({ url: 'postgres://yihao_app@127.0.0.1:1/yihao' }),
    logger,
    metrics,
  });
  const start = performance.now();
  for (let n = 0; n < 500; n++) await queue.add('test-away', { id: `job-${n}`, data: {} });
  expect(performance.now() - start).toBeLessThan(3000);
  const counted = await metrics.counter('queue_jobs_not_added_total', '').get();
  expect(counted.values).toEqual([{ labels: { queue: 'test-away' }, value: 500 }]);
  await queue.close();
});

test('a server that does not answer is waited for no longer than the bound; what was sent comes late', async () => {
  const metrics = createMetrics();
  const queue = createQueue({
    transport: postgresTransport({ url: appUrl }),
    logger,
    metrics,
    addTimeoutMs: 200,
  });
  const seen: unknown[] = [];
  queue.handle('test-slow', async ({ n }) => {
    seen.push(n);
  });
  await queue.start();
  await queue.add('test-slow', { id: 'job-1', data: { n: 1 } });
  await eventually(() => seen.length === 1);
  await ownerSql.begin(async (tx) => {
    await tx`lock table bullmq.job in access exclusive mode`;
    const start = performance.now();
    await queue.add('test-slow', { id: 'job-2', data: { n: 2 } });
    expect(performance.now() - start).toBeLessThan(1500);
    const lost = await metrics.counter('queue_jobs_not_added_total', '').get();
    expect(lost.values).toEqual([{ labels: { queue: 'test-slow' }, value: 1 }]);
  });
  await eventually(() => seen.includes(2), { timeoutMs: 15_000 });
  await queue.close();
});

test('sender and worker go on after the server cut all their connections', async () => {
  const queue = createQueue({
    transport: postgresTransport({ url: appUrl }),
    logger,
    metrics: createMetrics(),
  });
  const seen: unknown[] = [];
  queue.handle('test-cut', async ({ n }) => {
    seen.push(n);
  });
  await queue.start();
  await queue.add('test-cut', { id: 'job-1', data: { n: 1 } });
  await eventually(() => seen.length === 1);
  const cut = await selectRows(
    database.db,
    sql`select pg_terminate_backend(pid) from pg_stat_activity
      where datname = current_database() and usename = current_user and pid <> pg_backend_pid()`,
  );
  expect(cut.length).toBeGreaterThanOrEqual(2);
  let sent = 1;
  await eventually(
    async () => {
      sent += 1;
      await queue.add('test-cut', { id: `job-${sent}`, data: { n: sent } });
      return seen.length > 1;
    },
    { timeoutMs: 15_000 },
  );
  expect(seen.length).toBeGreaterThan(1);
  await queue.close();
});
