import { afterAll, afterEach, describe, expect, test } from 'vitest';
import {
  createLogger,
  createMetrics,
  createQueue,
  type Queue,
  redisTransport,
} from '../../platform/index.ts';
import { describeQueue } from '../integration/platform/queue-promises.ts';
import { eventually } from '../support/eventually.ts';
import { type RedisServer, startRedis } from './redis-server.ts';

const server = await startRedis();
afterAll(() => server.close());
const logger = createLogger({ level: 'silent' });

describeQueue('Redis', {
  makeTransport: () => redisTransport({ url: server.url, prefix: 'promises' }),
  readKept: async (queue, id) => {
    const job = await server.client.hgetall(`promises:${queue}:${id}`);
    const events = await server.client.xrange(`promises:${queue}:events`, '-', '+');
    return job.finishedOn ? JSON.stringify([job, events]) : '';
  },
});

test('all keys begin with the prefix, so that houses can share a server', async () => {
  await server.client.flushall();
  const queue = open(server, 'house-a');
  queue.handle('test-prefix', async () => {});
  await queue.start();
  await queue.add('test-prefix', { id: 'job-a', data: { n: 1 } });
  await eventually(() => server.client.hget('house-a:test-prefix:job-a', 'finishedOn'));
  await queue.close();
  const keys = await server.client.keys('*');
  expect(keys.filter((key) => !key.startsWith('house-a:'))).toEqual([]);
});

test('a Redis that may evict jobs is refused, with what to do', async () => {
  const policies = ['allkeys-lru', 'volatile-lru', 'volatile-ttl', 'allkeys-random'];
  for (const policy of policies) {
    const evicting = await startRedis({ 'maxmemory-policy': policy });
    const queue = open(evicting);
    await expect(queue.start(), policy).rejects.toMatchObject({
      code: 'platform.queue_unfit',
      detail: expect.stringContaining(`maxmemory-policy ${policy}`),
    });
    await queue.close();
    await evicting.close();
  }
});

test('a Redis that is not there is refused, with what to do', async () => {
  const queue = createQueue({
    transport: redisTransport({ url: 'redis://127.0.0.1:1' }),
    logger,
    metrics: createMetrics(),
  });
  await expect(queue.start()).rejects.toMatchObject({
    code: 'platform.queue_unfit',
    detail: expect.stringContaining('unset REDIS_URL'),
  });
  await queue.close();
});

describe('while Redis is away', () => {
  let redis: RedisServer;
  let queue: Queue;
  const seen: unknown[] = [];

  afterEach(async () => {
    await queue.close();
    await redis.close();
    seen.length = 0;
  });

  async function openRunning(settings: Record<string, string> = {}) {
    redis = await startRedis(settings);
    const metrics = createMetrics();
    queue = createQueue({ transport: redisTransport({ url: redis.url }), logger, metrics });
    queue.handle('test', async ({ n }) => {
      seen.push(n);
    });
    await queue.start();
    await queue.add('test', { id: 'job-0', data: { n: 0 } });
    await eventually(() => seen.length === 1);
    return metrics;
  }

  test('adding returns at once, throws nothing and is counted; after its return work goes on', async () => {
    const metrics = await openRunning();
    await redis.kill();
    const start = performance.now();
    for (let n = 1; n <= 500; n++) await queue.add('test', { id: `job-${n}`, data: { n } });
    expect(performance.now() - start).toBeLessThan(3000);
    const lost = await metrics.counter('queue_jobs_not_added_total', '').get();
    expect(lost.values).toEqual([{ labels: { queue: 'test' }, value: 500 }]);

    await redis.start();
    let n = 500;
    await eventually(
      async () => {
        n += 1;
        await queue.add('test', { id: `job-${n}`, data: { n } });
        return seen.length > 1;
      },
      { timeoutMs: 15_000 },
    );
  });

  test('closing is in time', async () => {
    await openRunning();
    await redis.kill();
    const start = performance.now();
    await queue.close();
    expect(performance.now() - start).toBeLessThan(8000);
  });

  test('a full one refuses jobs without a throw, and takes them again when there is room', async () => {
    const metrics = await openRunning();
    await redis.client.config('SET', 'maxmemory', '1');
    await queue.add('test', { id: 'job-1', data: { n: 1 } });
    const lost = await metrics.counter('queue_jobs_not_added_total', '').get();
    expect(lost.values).toEqual([{ labels: { queue: 'test' }, value: 1 }]);
    await redis.client.config('SET', 'maxmemory', '0');
    let n = 1;
    await eventually(
      async () => {
        n += 1;
        await queue.add('test', { id: `job-${n}`, data: { n } });
        return seen.length > 1;
      },
      { timeoutMs: 15_000 },
    );
  });

  test('an emptied one (FLUSHALL) loses jobs, and runs those dispatched anew', async () => {
    await openRunning();
    await queue.add('test', { id: 'job-1', data: { n: 1 }, delayMs: 600_000 });
    await redis.client.flushall();
    await queue.add('test', { id: 'job-2', data: { n: 2 } });
    await eventually(() => seen.includes(2), { timeoutMs: 15_000 });
    expect(seen).toEqual([0, 2]);
  });
});

function open(redis: RedisServer, prefix?: string): Queue {
  const transport = redisTransport({ url: redis.url, ...(prefix ? { prefix } : {}) });
  return createQueue({ transport, logger, metrics: createMetrics() });
}
