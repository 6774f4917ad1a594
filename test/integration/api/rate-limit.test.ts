// The meter of requests over real counts: limits per caller that all processes keep together.
import { beforeEach, describe, expect, test } from 'vitest';
import { createMeter, type Meter } from '../../../api/rate-limit.ts';
import {
  AppError,
  createRateTickets,
  type FixedClock,
  fixedClock,
  type RateTickets,
} from '../../../platform/index.ts';
import { withDatabase } from '../../support/database.ts';

const house = withDatabase();
const key = Buffer.alloc(32, 7);
const minute = 60_000;
let offset = 0;
let clock: FixedClock;

/** Ten seconds into a minute nobody has counted in, by the database's clock and by ours. */
beforeEach(async () => {
  offset += 10 * minute;
  const now = Date.now();
  await house.setClockOffset(offset - (now % minute) + 10_000);
  clock = fixedClock(new Date(now).toISOString());
});

const ticketsOf = () => createRateTickets({ database: house.database, key });
const silent = { warn: () => {} };

/** A process of the house: its meter, and how often it asked the database. */
function openProcess(tickets: Pick<RateTickets, 'take'> = ticketsOf()) {
  let trips = 0;
  const counted: typeof tickets = {
    take: (...asked) => {
      trips += 1;
      return tickets.take(...asked);
    },
  };
  const meter = createMeter({ clock, tickets: counted, logger: silent });
  return { meter, trips: () => trips };
}

async function codeOf(act: Promise<unknown>): Promise<string> {
  return act.then(
    () => 'none',
    (error: unknown) => {
      if (error instanceof AppError) return error.code;
      throw error;
    },
  );
}

/** How many of so many requests at once are let in. */
async function letIn(meters: readonly Meter[], requests: number, caller: string, limit: number) {
  const codes = await Promise.all(
    Array.from({ length: requests }, (_, at) => {
      const meter = meters[at % meters.length];
      if (!meter) throw new TypeError('There are some.');
      return codeOf(meter.count(caller, limit));
    }),
  );
  return codes.filter((code) => code === 'none').length;
}

describe('a caller', () => {
  test('over its limit waits for the minute to end, and is told how long', async () => {
    const { meter } = openProcess();
    expect(await meter.count('address a', 2)).toMatchObject({
      'RateLimit-Limit': '2',
      'RateLimit-Remaining': '1',
    });
    clock.advance(20_000);
    const second = await meter.count('address a', 2);
    expect(second).toMatchObject({ 'RateLimit-Remaining': '0' });
    // Tests take time too.
    expect(Number(second['RateLimit-Reset'])).toBeLessThanOrEqual(30);
    const refused = await meter.count('address a', 2).catch((error: unknown) => error);
    expect(refused).toMatchObject({ code: 'api.rate_limited' });
    expect(refused instanceof AppError && refused.retryAfterSeconds).toBeGreaterThan(20);
    expect(await codeOf(meter.count('address b', 2))).toBe('none');
    clock.advance(40_000);
    await house.setClockOffset(offset + minute);
    expect(await codeOf(meter.count('address a', 2))).toBe('none');
  });

  test('is held to its limit by all processes together, whatever comes at once', async () => {
    for (const limit of [1, 7, 100, 1_000]) {
      const processes = [openProcess(), openProcess(), openProcess()];
      const meters = processes.map(({ meter }) => meter);
      const allowed = await letIn(meters, 3 * limit, `caller of ${limit}`, limit);
      expect([limit, allowed]).toEqual([limit, limit]);
    }
  });

  test('finds no more than a thirty-second part taken up by a process it does not ask again', async () => {
    const [idle, busy] = [openProcess(), openProcess()];
    await idle.meter.count('caller housing', 6_000);
    expect(await letIn([busy.meter], 6_100, 'caller housing', 6_000)).toBe(6_000 - 64);
    await idle.meter.count('caller civil', 320);
    expect(await letIn([busy.meter], 400, 'caller civil', 320)).toBe(310);
  });

  test('costs a trip to the database for every 64 requests, none once it is spent', async () => {
    const { meter, trips } = openProcess();
    for (let n = 0; n < 640; n += 1) await meter.count('caller housing', 6_000);
    expect(trips()).toBe(10);
    for (let n = 0; n < 3; n += 1) await meter.count('address a', 2).catch(() => {});
    const spent = trips();
    for (let n = 0; n < 50; n += 1) await meter.count('address a', 2).catch(() => {});
    expect(trips()).toBe(spent);
  });

  test('without a limit is not counted', async () => {
    const { meter, trips } = openProcess();
    for (let n = 0; n < 100; n += 1) expect(await meter.count('address a', 0)).toEqual({});
    meter.check('failures of a', 0);
    await meter.note('failures of a', 0);
    expect(trips()).toBe(0);
  });

  test('stands in no table but as a digest', async () => {
    await openProcess().meter.count('address 192.0.2.77', 5);
    const [row] = await house.ownerSql<{ text: string }[]>`
      select string_agg(c::text, '') as text from platform.rate_counts c`;
    expect(row?.text).toBeTruthy();
    expect(row?.text).not.toContain('192.0.2.77');
    expect(row?.text).not.toContain(Buffer.from('192.0.2.77').toString('hex'));
  });
});

describe('tries that were wrong', () => {
  const tryAt = async ({ meter }: ReturnType<typeof openProcess>) =>
    codeOf(
      (async () => {
        meter.check('failures of a', 3);
        await meter.note('failures of a', 3);
      })(),
    );

  test('are noted without a refusal, and refuse what comes after', async () => {
    const { meter } = openProcess();
    const here = { meter, trips: () => 0 };
    expect([await tryAt(here), await tryAt(here), await tryAt(here), await tryAt(here)]).toEqual([
      'none',
      'none',
      'none',
      'api.rate_limited',
    ]);
    expect(() => meter.check('failures of b', 3)).not.toThrow();
  });

  test('at one door are heard of at the next with the first one there', async () => {
    const [here, there] = [openProcess(), openProcess()];
    for (const _ of [1, 2, 3]) expect(await tryAt(here)).toBe('none');
    expect(await tryAt(there)).toBe('none');
    expect([await tryAt(here), await tryAt(there)]).toEqual([
      'api.rate_limited',
      'api.rate_limited',
    ]);
  });
});

test('a crowd of addresses is counted together, and crowds out no known caller', async () => {
  const everything = { take: async () => ({ given: 2, taken: 2, secondsLeft: 50 }) };
  const { meter } = openProcess(everything);
  for (let n = 0; n < 50_000; n += 1) await meter.note(`address ${n}`, 2);
  expect(await codeOf(meter.count('caller housing', 1))).toBe('none');
  const headers = await meter.count('address new', 2);
  // The next stranger stands in the same count.
  expect([headers['RateLimit-Remaining'], await meter.count('address newer', 2)]).toEqual([
    '1',
    expect.objectContaining({ 'RateLimit-Remaining': '0' }),
  ]);
  expect(await meter.count('address 7', 2)).toMatchObject({ 'RateLimit-Remaining': '0' });
});

test('without the database each process counts alone, and goes on refusing', async () => {
  const broken = { take: () => Promise.reject(new Error('connection lost')) };
  const { meter, trips } = openProcess(broken);
  expect(await letIn([meter], 20, 'caller housing', 7)).toBe(7);
  expect(trips()).toBe(1);
});

test('past minutes are emptied as wholes, and one that was missed is begun anew', async () => {
  const tickets = ticketsOf();
  await tickets.take('caller ring', 40, () => 17);
  const rows = async () => {
    const [row] = await house.ownerSql<{ count: number }[]>`
      select count(*)::int from platform.rate_counts where taken = 17`;
    return row?.count;
  };
  expect(await rows()).toBe(1);
  // Four minutes on, the same slot is the present one.
  await house.setClockOffset(offset + 4 * minute);
  expect(await tickets.take('caller ring', 40, () => 23)).toMatchObject({ given: 23, taken: 23 });
  await house.setClockOffset(offset + 6 * minute);
  await tickets.forgetPast();
  const [left] = await house.ownerSql<{ count: number }[]>`
    select count(*)::int from platform.rate_counts where taken = 23`;
  expect(left?.count).toBe(0);
});
