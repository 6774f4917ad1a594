import { sql } from 'drizzle-orm';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  createLogger,
  createMetrics,
  createOutbox,
  createSweeper,
  type Outbox,
  type OutboxEvent,
  systemIds,
} from '../../../platform/index.ts';
import type { OutboxDeps } from '../../../platform/outbox.ts';
import {
  claimDeliveries,
  endDeliveries,
  fanOut,
  purgeOutbox,
} from '../../../platform/outbox-store.ts';
import { withDatabase } from '../../support/database.ts';
import { eventually } from '../../support/eventually.ts';

const { database, ownerSql, setClockOffset } = withDatabase();
const logger = createLogger({ level: 'silent' });
const someone = '99010119900101102X';
const opened: Outbox[] = [];

beforeEach(async () => {
  await ownerSql`truncate platform.outbox, platform.outbox_subscriptions, platform.outbox_deliveries`;
});

afterEach(async () => {
  await Promise.all(opened.splice(0).map((outbox) => outbox.close()));
  await setClockOffset(0);
});

/** An outbox as each process has one; sweeps are rare, so that waking is what delivers. */
function process(more: Partial<OutboxDeps> = {}) {
  const metrics = createMetrics();
  const sweeper = createSweeper({ database, logger, metrics });
  const deps = { database, ids: systemIds, logger, metrics, sweeper, sweepMs: 60_000, ...more };
  const outbox = createOutbox(deps);
  opened.push({ ...outbox, close: () => Promise.all([sweeper.close(), outbox.close()]).then() });
  const count = async (name: string) =>
    (await metrics.counter(name, '').get()).values.reduce((sum, { value }) => sum + value, 0);
  return { outbox, count };
}

const issued = (key: string, n = 0) => ({ topic: 'licence.issued', key, payload: { n } });
const numberOf = ({ payload }: OutboxEvent) =>
  typeof payload === 'object' && payload !== null && !Array.isArray(payload) ? payload.n : null;

test('each subscriber gets an event that was committed, and none one that was rolled back', async () => {
  const { outbox } = process();
  const seen: [string, OutboxEvent][] = [];
  for (const subscriber of ['exchange', 'oversight']) {
    outbox.on('licence.issued', subscriber, async (event) => {
      seen.push([subscriber, event]);
    });
  }
  await outbox.start();
  const refused = database.transaction(async (tx) => {
    await outbox.add(tx, { topic: 'licence.issued', key: 'L-0', payload: { n: 0 } });
    throw new Error('roll back');
  });
  await expect(refused).rejects.toThrow('roll back');
  await database.transaction((tx) =>
    outbox.add(tx, {
      topic: 'licence.issued',
      key: 'L-1',
      payload: { licence: 'L-1', version: 2 },
    }),
  );
  await eventually(() => seen.length === 2);
  const event = {
    id: expect.stringMatching(/^[0-9a-f-]{36}$/),
    topic: 'licence.issued',
    key: 'L-1',
    payload: { licence: 'L-1', version: 2 },
    at: expect.any(Date),
  };
  expect(seen.sort(([a], [b]) => a.localeCompare(b))).toEqual([
    ['exchange', event],
    ['oversight', event],
  ]);
  expect(seen[0]?.[1].id).toBe(seen[1]?.[1].id);
});

test('a process that only adds wakes the one that delivers', async () => {
  const worker = process();
  const api = process();
  const seen: unknown[] = [];
  worker.outbox.on('licence.issued', 'exchange', async (event) => {
    seen.push(numberOf(event));
  });
  await worker.outbox.start();
  await api.outbox.add(database.db, issued('L-1', 7));
  await eventually(() => seen.length === 1);
  expect(seen).toEqual([7]);
});

test('events added before the first look are swept', async () => {
  const api = process();
  const worker = process({ sweepMs: 50 });
  let seen = 0;
  worker.outbox.on('licence.issued', 'exchange', async () => {
    seen += 1;
  });
  await worker.outbox.start();
  // As after a crash between commit and wake-up: the adder never got to wake anybody.
  await api.outbox.add(database.db, issued('L-1'));
  await api.outbox.close();
  await eventually(() => seen === 1);
});

test('a failing subscriber is tried again after a pause and holds up no other', async () => {
  const { outbox, count } = process({ firstPauseMs: 20, sweepMs: 20 });
  const good: unknown[] = [];
  const bad: unknown[] = [];
  outbox.on('licence.issued', 'good', async (event) => {
    good.push(numberOf(event));
  });
  outbox.on('licence.issued', 'bad', async (event) => {
    bad.push(numberOf(event));
    if (bad.length < 4) throw new Error(`${someone} is not to be found`);
  });
  await outbox.start();
  await outbox.add(database.db, issued('L-1', 1));
  await eventually(() => good.length === 1);
  const noted = await eventually(
    async () =>
      (
        await ownerSql`
          select last_error from platform.outbox_deliveries
          where subscriber = 'bad' and last_error is not null`
      )[0],
  );
  expect(noted).toEqual({ last_error: 'Error' });
  await eventually(async () => (await count('outbox_delivered_total')) === 2);
  expect(good).toEqual([1]);
  expect(bad).toEqual([1, 1, 1, 1]);
  expect(await count('outbox_failed_total')).toBe(3);
});

test('a subscriber that hangs is given up in time and holds up no other', async () => {
  const { outbox, count } = process({ handlerTimeoutMs: 50, maxAttempts: 1 });
  const good: unknown[] = [];
  outbox.on('licence.issued', 'good', async (event) => {
    good.push(numberOf(event));
  });
  outbox.on('licence.issued', 'hanging', () => new Promise(() => {}));
  await outbox.start();
  for (let n = 0; n < 20; n++) await outbox.add(database.db, issued(`L-${n}`, n));
  await eventually(() => good.length === 20);
  await eventually(async () => (await count('outbox_dead_total')) === 20);
});

test('events of a key keep their order: a failed one holds back its key alone, until it is dead', async () => {
  const { outbox, count } = process({ firstPauseMs: 10, maxAttempts: 3, sweepMs: 20 });
  const seen: string[] = [];
  let isBroken = true;
  outbox.on('licence.issued', 'exchange', async (event) => {
    seen.push(`${event.key} ${numberOf(event)}`);
    if (event.key === 'A' && numberOf(event) === 1 && isBroken) throw new Error('broken');
  });
  outbox.on('licence.revoked', 'exchange', async (event) => {
    seen.push(`${event.key} revoked`);
  });
  await outbox.start();
  await database.transaction(async (tx) => {
    await outbox.add(tx, issued('A', 1));
    await outbox.add(tx, { topic: 'licence.revoked', key: 'A', payload: {} });
    await outbox.add(tx, issued('B', 1));
    await outbox.add(tx, issued('A', 2));
  });
  await eventually(() => seen.includes('A 2'));
  expect(seen.filter((entry) => entry.startsWith('A'))).toEqual([
    'A 1',
    'A 1',
    'A 1',
    'A revoked',
    'A 2',
  ]);
  expect(seen.indexOf('B 1')).toBeLessThan(seen.indexOf('A revoked'));
  expect(await count('outbox_dead_total')).toBe(1);

  isBroken = false;
  expect(await outbox.revive('exchange')).toBe(1);
  await eventually(async () => (await count('outbox_delivered_total')) === 4);
  expect(seen.at(-1)).toBe('A 1');
});

test('any number of processes share the work: each event once, each key in order', async () => {
  const seen = new Map<string, unknown[]>();
  const processes = [process(), process(), process()];
  for (const { outbox } of processes) {
    outbox.on('licence.issued', 'exchange', async (event) => {
      seen.set(event.key, [...(seen.get(event.key) ?? []), numberOf(event)]);
    });
    await outbox.start();
  }
  const keys = Array.from({ length: 20 }, (_, n) => `L-${n}`);
  const numbers = Array.from({ length: 10 }, (_, n) => n);
  await Promise.all(
    keys.map(async (key, n) => {
      for (const number of numbers) {
        await processes[n % 3]?.outbox.add(database.db, issued(key, number));
      }
    }),
  );
  const total = () => [...seen.values()].reduce((sum, list) => sum + list.length, 0);
  await eventually(() => total() >= 200, { timeoutMs: 15_000 });
  expect(Object.fromEntries(seen)).toEqual(Object.fromEntries(keys.map((key) => [key, numbers])));
});

test('what a dead process had claimed is delivered by another, and its late word counts nothing', async () => {
  const { outbox } = process();
  let seen = 0;
  outbox.on('licence.issued', 'exchange', async () => {
    seen += 1;
  });
  await ownerSql`insert into platform.outbox_subscriptions values ('licence.issued', 'exchange', now())`;
  await outbox.add(database.db, issued('L-1'));
  await fanOut(database);
  const topics = ['licence.issued'];
  const [dead] = await claimDeliveries(database.db, 'exchange', topics, 1, 30_000);
  if (!dead) throw new Error('Nothing was claimed.');
  expect(await claimDeliveries(database.db, 'exchange', topics, 1, 30_000)).toEqual([]);
  await setClockOffset(31_000);
  const [next] = await claimDeliveries(database.db, 'exchange', topics, 1, 30_000);
  await endDeliveries(database.db, [dead], 'dead', 'late');
  expect(next).toEqual({ ...dead, attempts: 2, ageSeconds: expect.any(Number) });
  await setClockOffset(62_000);
  await outbox.start();
  await eventually(() => seen === 1);
});

test('a topic waits for the subscribers other processes have, and a new one hears what comes later', async () => {
  const old = process();
  const heardByOld: unknown[] = [];
  old.outbox.on('licence.issued', 'old', async (event) => {
    heardByOld.push(numberOf(event));
  });
  await old.outbox.start();
  await old.outbox.add(database.db, issued('L-1', 1));
  await eventually(() => heardByOld.length === 1);

  const fresh = process({ sweepMs: 50 });
  const heardByNew: unknown[] = [];
  fresh.outbox.on('licence.issued', 'new', async (event) => {
    heardByNew.push(numberOf(event));
  });
  await fresh.outbox.start();
  await old.outbox.add(database.db, issued('L-1', 2));
  await eventually(() => heardByOld.length === 2);
  await eventually(() => heardByNew.length === 1);
  expect(heardByNew).toEqual([2]);
});

describe('what an event may be', () => {
  test('no citizen ID stands in it', async () => {
    const { outbox } = process();
    const events = [
      { topic: 'licence.issued', key: someone, payload: {} },
      { topic: 'licence.issued', key: 'L-1', payload: { holder: someone } },
      { topic: 'licence.issued', key: 'L-1', payload: { deep: [{ note: `for ${someone}.` }] } },
      { topic: 'licence.issued', key: 'L-1', payload: { [someone]: true } },
    ];
    for (const event of events) {
      await expect(outbox.add(database.db, event), JSON.stringify(event)).rejects.toThrow(
        'must not hold a citizen ID',
      );
    }
    expect(Array.from(await ownerSql`select 1 from platform.outbox`)).toEqual([]);
  });

  test('its topic is a room’s word and its key is short', async () => {
    const { outbox } = process();
    const events = [
      { topic: 'issued', key: 'L-1', payload: {} },
      { topic: 'Licence.Issued', key: 'L-1', payload: {} },
      { topic: 'licence.issued', key: '', payload: {} },
      { topic: 'licence.issued', key: 'x'.repeat(201), payload: {} },
    ];
    for (const event of events) {
      await expect(outbox.add(database.db, event), JSON.stringify(event)).rejects.toMatchObject({
        cause: { code: '23514' },
      });
    }
  });

  test('the app role can’t rewrite one', async () => {
    for (const column of ['payload', 'topic', 'key', 'id', 'occurred_at']) {
      const change = sql.raw(`update platform.outbox set ${column} = ${column}`);
      await expect(database.db.execute(change), column).rejects.toMatchObject({
        cause: { code: '42501' },
      });
    }
  });
});

test('delivered events go after a week; dead and waiting ones stay', async () => {
  const { outbox, count } = process({ maxAttempts: 1 });
  outbox.on('licence.issued', 'exchange', async (event) => {
    if (event.key === 'dead') throw new Error('no');
  });
  await outbox.start();
  await outbox.add(database.db, issued('delivered'));
  await outbox.add(database.db, issued('dead'));
  await eventually(async () => (await count('outbox_delivered_total')) === 1);
  await eventually(async () => (await count('outbox_dead_total')) === 1);
  await outbox.close();
  await outbox.add(database.db, issued('waiting'));
  await fanOut(database);

  const keys = async () =>
    (await ownerSql`select key from platform.outbox order by key`).map(({ key }) => key);
  await setClockOffset(6 * 86_400_000);
  await purgeOutbox(database.db, 7);
  expect(await keys()).toEqual(['dead', 'delivered', 'waiting']);
  await setClockOffset(7 * 86_400_000 + 60_000);
  await purgeOutbox(database.db, 7);
  expect(await keys()).toEqual(['dead', 'waiting']);
  const left = await ownerSql`select key, state from platform.outbox_deliveries order by key`;
  expect(Array.from(left)).toEqual([
    { key: 'dead', state: 'dead' },
    { key: 'waiting', state: 'pending' },
  ]);
});

test('a subscriber no process has named for a month is forgotten, with what waited for it', async () => {
  const { outbox } = process();
  await ownerSql`insert into platform.outbox_subscriptions values
    ('licence.issued', 'gone', now()), ('licence.issued', 'here', now())`;
  await outbox.add(database.db, issued('L-1'));
  await fanOut(database);
  await setClockOffset(31 * 86_400_000);
  await ownerSql`
    update platform.outbox_subscriptions set seen_at = now() + interval '31 days'
    where subscriber = 'here'`;
  await purgeOutbox(database.db, 7);
  const subscribers = (table: string) => ownerSql`
    select subscriber from platform.${ownerSql(table)} order by subscriber`;
  expect(Array.from(await subscribers('outbox_subscriptions'))).toEqual([{ subscriber: 'here' }]);
  expect(Array.from(await subscribers('outbox_deliveries'))).toEqual([{ subscriber: 'here' }]);
});
