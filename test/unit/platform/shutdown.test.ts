import { EventEmitter } from 'node:events';
import { expect, test } from 'vitest';
import { createLogger, createShutdown } from '../../../platform/index.ts';
import { eventually } from '../../support/eventually.ts';

function open(boundMs = 1000) {
  const codes: number[] = [];
  const lines: string[] = [];
  const signals = new EventEmitter();
  const logger = createLogger({
    level: 'info',
    destination: { write: (line) => lines.push(line) },
  });
  const shutdown = createShutdown({ logger, boundMs, exit: (code) => codes.push(code) });
  shutdown.listen(signals);
  return { shutdown, codes, lines, signal: (name: string) => signals.emit(name, name) };
}

test('a signal closes what was opened last first, one after the other, and exits with 0', async () => {
  for (const name of ['SIGINT', 'SIGTERM']) {
    const { shutdown, codes, signal } = open();
    const order: string[] = [];
    for (const part of ['database', 'queue', 'http']) {
      shutdown.onClose(part, async () => {
        order.push(`${part} closing`);
        await new Promise((resolve) => setImmediate(resolve));
        order.push(`${part} closed`);
      });
    }
    signal(name);
    await eventually(() => codes.length > 0);
    expect(order).toEqual([
      'http closing',
      'http closed',
      'queue closing',
      'queue closed',
      'database closing',
      'database closed',
    ]);
    expect(codes).toEqual([0]);
  }
});

test('a part that fails to close is logged, the rest closes, and the exit code is 1', async () => {
  const { shutdown, codes, lines, signal } = open();
  let isDatabaseClosed = false;
  shutdown.onClose('database', () => {
    isDatabaseClosed = true;
  });
  shutdown.onClose('queue', () => {
    throw new Error('stuck');
  });
  signal('SIGTERM');
  await eventually(() => codes.length > 0);
  expect({ codes, isDatabaseClosed }).toEqual({ codes: [1], isDatabaseClosed: true });
  expect(JSON.parse(lines[1] ?? '{}')).toMatchObject({ step: 'queue', err: { message: 'stuck' } });
});

test('closing is given up at the bound, naming the part that hangs', async () => {
  const { shutdown, codes, lines, signal } = open(30);
  shutdown.onClose('database', () => {});
  shutdown.onClose('queue', () => new Promise(() => {}));
  signal('SIGTERM');
  await eventually(() => codes.length > 0);
  expect(codes).toEqual([1]);
  expect(JSON.parse(lines[1] ?? '{}')).toMatchObject({ step: 'queue', boundMs: 30 });
});

test('a second signal exits at once', async () => {
  const { shutdown, codes, signal } = open();
  shutdown.onClose('queue', () => new Promise(() => {}));
  signal('SIGINT');
  expect(codes).toEqual([]);
  signal('SIGINT');
  expect(codes).toEqual([1]);
});

test('closing twice closes once', async () => {
  const { shutdown } = open();
  let times = 0;
  shutdown.onClose('queue', () => {
    times += 1;
  });
  expect(await Promise.all([shutdown.close(), shutdown.close()])).toEqual([true, true]);
  expect(times).toBe(1);
});
