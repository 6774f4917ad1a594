// The meter of requests: fixed windows, limits per caller, bounded memory.
import { expect, test } from 'vitest';
import { createMeter } from '../../../api/rate-limit.ts';
import { AppError, fixedClock } from '../../../platform/index.ts';

function codeOf(act: () => unknown): string {
  try {
    act();
    return 'none';
  } catch (error) {
    if (error instanceof AppError) return error.code;
    throw error;
  }
}

const start = '2026-03-04T05:00:00Z';

test('a caller over its limit waits for the minute to end, and is told how long', () => {
  const clock = fixedClock(start);
  const meter = createMeter({ clock });
  expect(meter.count('address a', 2)).toEqual({
    'RateLimit-Limit': '2',
    'RateLimit-Remaining': '1',
    'RateLimit-Reset': '60',
  });
  clock.advance(20_000);
  expect(meter.count('address a', 2)).toMatchObject({
    'RateLimit-Remaining': '0',
    'RateLimit-Reset': '40',
  });
  let refused: AppError | undefined;
  try {
    meter.count('address a', 2);
  } catch (error) {
    if (error instanceof AppError) refused = error;
  }
  expect([refused?.code, refused?.retryAfterSeconds]).toEqual(['api.rate_limited', 40]);
  expect(codeOf(() => meter.count('address b', 2))).toBe('none');
  clock.advance(40_000);
  expect(codeOf(() => meter.count('address a', 2))).toBe('none');
});

test('failures are noted without a refusal, and refuse what comes after', () => {
  const meter = createMeter({ clock: fixedClock(start) });
  for (const _ of [1, 2, 3]) {
    expect(codeOf(() => meter.check('failures of a', 3))).toBe('none');
    meter.note('failures of a');
  }
  expect(codeOf(() => meter.check('failures of a', 3))).toBe('api.rate_limited');
  expect(codeOf(() => meter.check('failures of b', 3))).toBe('none');
});

test('a limit of 0 is none', () => {
  const meter = createMeter({ clock: fixedClock(start) });
  for (let n = 0; n < 100; n += 1) expect(meter.count('address a', 0)).toEqual({});
  meter.note('failures of a');
  expect(codeOf(() => meter.check('failures of a', 0))).toBe('none');
});

test('a crowd of addresses is counted together, and crowds out no known caller', () => {
  const meter = createMeter({ clock: fixedClock(start) });
  for (let n = 0; n < 50_000; n += 1) meter.note(`address ${n}`);
  expect(codeOf(() => meter.count('address new', 1))).toBe('none');
  expect(codeOf(() => meter.count('address newer', 1))).toBe('api.rate_limited');
  expect(codeOf(() => meter.count('address 7', 2))).toBe('none');
  expect(codeOf(() => meter.count('caller housing', 1))).toBe('none');
});
