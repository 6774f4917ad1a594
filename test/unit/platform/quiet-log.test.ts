import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createLogger } from '../../../platform/index.ts';
import { quietWarn } from '../../../platform/quiet-log.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

function open() {
  const lines: string[] = [];
  const logger = createLogger({
    level: 'info',
    destination: { write: (line) => lines.push(line) },
  });
  const read = () => lines.map((line): object => JSON.parse(line));
  return { warn: quietWarn(logger), read };
}

test('a thousand warnings at once are two lines, the second with their number', () => {
  const { warn, read } = open();
  for (let n = 0; n < 1000; n++) warn({ n }, 'Away.');
  expect(read()).toMatchObject([{ level: 'warn', n: 0, msg: 'Away.' }]);
  vi.advanceTimersByTime(60_000);
  expect(read()).toMatchObject([
    { n: 0, msg: 'Away.' },
    { n: 999, times: 999, msg: 'Away.' },
  ]);
});

test('warnings far apart are all written at once', () => {
  const { warn, read } = open();
  for (const n of [1, 2, 3]) {
    warn({ n }, 'Away.');
    vi.advanceTimersByTime(6000);
  }
  expect(read()).toMatchObject([{ n: 1 }, { n: 2 }, { n: 3 }]);
});

test('an outage that lasts is a line per five seconds', () => {
  const { warn, read } = open();
  for (let n = 0; n < 300; n++) {
    warn({ n }, 'Away.');
    vi.advanceTimersByTime(100);
  }
  expect(read()).toHaveLength(7);
});
