import { expect, test } from 'vitest';
import { AppError, createHealth } from '../../../platform/index.ts';

test('a house with nothing to check is ready', async () => {
  expect(await createHealth().readiness()).toEqual({ ready: true, checks: {}, progress: {} });
});

test('every check and every progress is shown; one failed check makes the house not ready', async () => {
  const health = createHealth();
  health.check('database', async () => undefined);
  health.check('log', async () => 'unwitnessed');
  health.progress('sample', { done: 300, total: 2000 });
  const checks = { database: { ok: true }, log: { ok: true, detail: 'unwitnessed' } };
  const progress = { sample: { done: 300, total: 2000 } };
  expect(await health.readiness()).toEqual({ ready: true, checks, progress });

  health.check('queue', async () => {
    throw new AppError('unavailable', 'platform.queue_unfit', 'Redis at 10.0.0.7 is away.');
  });
  health.progress('sample', { done: 2000, total: 2000 });
  expect(await health.readiness()).toEqual({
    ready: false,
    checks: { ...checks, queue: { ok: false, detail: 'platform.queue_unfit' } },
    progress: { sample: { done: 2000, total: 2000 } },
  });
});

test('a check that hangs or throws at once fails in time', async () => {
  const health = createHealth({ checkTimeoutMs: 20 });
  health.check('hanging', () => new Promise(() => {}));
  health.check('throwing', () => {
    throw new TypeError('at once');
  });
  expect(await health.readiness()).toEqual({
    ready: false,
    checks: {
      hanging: { ok: false, detail: 'TimeoutError' },
      throwing: { ok: false, detail: 'TypeError' },
    },
    progress: {},
  });
});

test('a house that closes is not ready, whatever its checks say', async () => {
  const health = createHealth();
  health.check('database', async () => undefined);
  health.drain();
  expect(await health.readiness()).toMatchObject({
    ready: false,
    checks: { database: { ok: true } },
  });
});

test('one name has one check', () => {
  const health = createHealth();
  health.check('database', async () => undefined);
  expect(() => health.check('database', async () => undefined)).toThrow('already');
});
