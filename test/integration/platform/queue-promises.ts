// What the queue promises on either server; run on PostgreSQL here and on Redis in test/redis/.
import { afterEach, describe, expect, test } from 'vitest';
import {
  createLogger,
  createMetrics,
  createQueue,
  type JobData,
  PermanentFailure,
  type Queue,
  type QueueJob,
  type QueueTransport,
} from '../../../platform/index.ts';
import type { QueueDeps } from '../../../platform/queue.ts';
import { eventually } from '../../support/eventually.ts';

export interface QueueWorld {
  makeTransport: () => QueueTransport;
  /** What the server keeps of a failed job, as text. */
  readKept: (queue: string, id: string) => Promise<string>;
}

const logger = createLogger({ level: 'silent' });
const someone = '99010119900101102X';

export function describeQueue(kind: string, { makeTransport, readKept }: QueueWorld): void {
  describe(`the queue on ${kind}`, () => {
    const opened: Queue[] = [];
    let count = 0;

    afterEach(async () => {
      await Promise.all(opened.splice(0).map((queue) => queue.close()));
    });

    function open(more: Partial<QueueDeps> = {}) {
      const metrics = createMetrics();
      const queue = createQueue({ transport: makeTransport(), logger, metrics, ...more });
      opened.push(queue);
      const meter = async (name: string, labels: Record<string, string>) => {
        const metric = await metrics.registry.getSingleMetric(`yihao_${name}`)?.get();
        return (
          metric?.values.find(({ labels: found }) =>
            Object.entries(labels).every(([label, value]) => found[label] === value),
          )?.value ?? 0
        );
      };
      return { queue, meter };
    }

    const newName = () => `test-${process.pid}-${count++}`;

    test('runs a job with its data, and counts it', async () => {
      const { queue, meter } = open();
      const name = newName();
      const seen: JobData[] = [];
      queue.handle(name, async (data) => {
        seen.push(data);
      });
      await queue.start();
      await queue.add(name, { id: 'req-a-1', data: { request: 'a', dispatch: 1 } });
      await eventually(async () => (await meter('queue_jobs_done_total', { queue: name })) > 0);
      expect(seen).toEqual([{ request: 'a', dispatch: 1 }]);
      expect(await meter('queue_jobs_added_total', { queue: name })).toBe(1);
    });

    test('leaves out a job whose id waits already, and runs the next dispatch', async () => {
      const name = newName();
      const sender = open().queue;
      for (const id of ['req-a-1', 'req-a-1', 'req-a-2', 'last-a']) {
        await sender.add(name, { id, data: { id } });
      }
      const { queue } = open({ concurrency: 1 });
      const seen: unknown[] = [];
      queue.handle(name, async ({ id }) => {
        seen.push(id);
      });
      await queue.start();
      await eventually(() => seen.includes('last-a'));
      expect(seen).toEqual(['req-a-1', 'req-a-2', 'last-a']);
    });

    test('goes by priority, jobs without one first, and holds a delayed job back', async () => {
      const name = newName();
      const sender = open().queue;
      await sender.add(name, { id: 'delayed-a', data: { id: 'delayed' }, delayMs: 700 });
      await sender.add(name, { id: 'second-a', data: { id: 'second' }, priority: 2 });
      await sender.add(name, { id: 'first-a', data: { id: 'first' }, priority: 1 });
      await sender.add(name, { id: 'plain-a', data: { id: 'plain' } });
      const { queue } = open({ concurrency: 1 });
      const seen: unknown[] = [];
      queue.handle(name, async ({ id }) => {
        seen.push(id);
      });
      await queue.start();
      await eventually(() => seen.length === 4);
      expect(seen).toEqual(['plain', 'first', 'second', 'delayed']);
    });

    test('takes only jobs it has a handler for', async () => {
      const [mine, theirs] = [newName(), newName()];
      const { queue: one } = open();
      const { queue: other } = open();
      const seen: string[] = [];
      one.handle(mine, async () => {
        seen.push('one took mine');
      });
      await one.start();
      await one.add(theirs, { id: 'job-a', data: {} });
      await one.add(mine, { id: 'job-a', data: {} });
      await eventually(() => seen.length === 1);
      other.handle(theirs, async () => {
        seen.push('other took theirs');
      });
      await other.start();
      await eventually(() => seen.length === 2);
      expect(seen).toEqual(['one took mine', 'other took theirs']);
    });

    test('tries a failed job again after a pause', async () => {
      const { queue } = open();
      const name = newName();
      const times: number[] = [];
      queue.handle(name, async () => {
        times.push(performance.now());
        if (times.length === 1) throw new Error('not yet');
      });
      await queue.start();
      await queue.add(name, { id: 'job-a', data: {} });
      await eventually(() => times.length === 2);
      const [first, second] = times;
      expect((second ?? 0) - (first ?? 0)).toBeGreaterThan(400);
    });

    test('gives up at once when trying again is hopeless, and keeps no words about it', async () => {
      const { queue, meter } = open();
      const name = newName();
      let runs = 0;
      queue.handle(name, async () => {
        runs += 1;
        throw new PermanentFailure(`${someone} has no such licence`);
      });
      await queue.start();
      await queue.add(name, { id: 'job-a', data: {} });
      const kept = await eventually(async () => {
        const text = await readKept(name, 'job-a');
        return text.includes('PermanentFailure') ? text : undefined;
      });
      expect(kept).not.toContain(someone);
      expect(kept).not.toContain('no such licence');
      expect(runs).toBe(1);
      expect(await meter('queue_jobs_done_total', { queue: name, outcome: 'failed' })).toBe(1);
    });

    test('refuses odd ids and citizen IDs without a throw', async () => {
      const { queue, meter } = open();
      const name = newName();
      const seen: JobData[] = [];
      queue.handle(name, async (data) => {
        seen.push(data);
      });
      await queue.start();
      const jobs: QueueJob[] = [
        { id: '', data: {} },
        { id: '123', data: {} },
        { id: 'req:1', data: {} },
        { id: 'x'.repeat(129), data: {} },
        { id: `req-${someone}-1`, data: {} },
        { id: 'req-a-1', data: { subject: someone } },
      ];
      for (const job of jobs) await queue.add(name, job);
      await queue.add(name, { id: 'job-good', data: { good: 1 } });
      await eventually(() => seen.length > 0);
      expect(seen).toEqual([{ good: 1 }]);
      expect(await meter('queue_jobs_not_added_total', { queue: name })).toBe(jobs.length);
    });

    test('waits for a running job when it closes', async () => {
      const { queue } = open();
      const name = newName();
      let state = 'waiting';
      let finish = () => {};
      queue.handle(name, async () => {
        state = 'running';
        await new Promise<void>((resolve) => {
          finish = resolve;
        });
        state = 'done';
      });
      await queue.start();
      await queue.add(name, { id: 'job-a', data: {} });
      await eventually(() => state === 'running');
      const closed = queue.close();
      finish();
      await closed;
      expect(state).toBe('done');
    });

    test('closes in time although a job hangs, and takes no more jobs after', async () => {
      const { queue, meter } = open({ closeTimeoutMs: 300 });
      const name = newName();
      let isRunning = false;
      queue.handle(name, async () => {
        isRunning = true;
        await new Promise(() => {});
      });
      await queue.start();
      await queue.add(name, { id: 'job-a', data: {} });
      await eventually(() => isRunning);
      const start = performance.now();
      await queue.close();
      expect(performance.now() - start).toBeLessThan(3000);
      await queue.add(name, { id: 'job-b', data: {} });
      expect(await meter('queue_jobs_not_added_total', { queue: name })).toBe(1);
    });

    test('replaces a worker that hears nothing while jobs wait', async () => {
      const transport = makeTransport();
      const name = newName();
      let opens = 0;
      const deafAtFirst: QueueTransport = {
        ...transport,
        openConsumer: (queue, ...rest) =>
          transport.openConsumer(opens++ === 0 ? `${queue}-elsewhere` : queue, ...rest),
      };
      const { queue, meter } = open({ transport: deafAtFirst, deafAfterMs: 300 });
      let hasRun = false;
      queue.handle(name, async () => {
        hasRun = true;
      });
      await queue.start();
      await queue.add(name, { id: 'job-a', data: {} });
      await eventually(() => hasRun);
      expect(await meter('queue_workers_replaced_total', { queue: name })).toBe(1);
      expect(opens).toBe(2);
    });

    test('names its handlers before it starts, each name once', async () => {
      const { queue } = open();
      const name = newName();
      queue.handle(name, async () => {});
      expect(() => queue.handle(name, async () => {})).toThrow('has a handler already');
      await queue.start();
      expect(() => queue.handle(newName(), async () => {})).toThrow('before the queue starts');
      await expect(queue.start()).rejects.toThrow('started already');
    });
  });
}
