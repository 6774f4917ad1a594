import { sql } from 'drizzle-orm';
import { afterEach, expect, test } from 'vitest';
import {
  connectDatabase,
  createLogger,
  createMetrics,
  createSweeper,
  type Database,
  type Sweeper,
  selectRows,
} from '../../../platform/index.ts';
import { withDatabase } from '../../support/database.ts';
import { eventually } from '../../support/eventually.ts';

const { appUrl, database } = withDatabase();
const opened: { sweeper: Sweeper; pool: Database }[] = [];

afterEach(async () => {
  for (const { sweeper, pool } of opened.splice(0)) {
    await sweeper.close();
    await pool.close();
  }
});

/** A sweeper as each process of a cluster has one, with its log. */
function process(url = appUrl) {
  const lines: string[] = [];
  const logger = createLogger({
    level: 'info',
    destination: { write: (line) => lines.push(line) },
  });
  const pool = connectDatabase({ url, max: 4, applicationName: 'yihao-sweeper' });
  const sweeper = createSweeper({ database: pool, logger, metrics: createMetrics() });
  opened.push({ sweeper, pool });
  return { sweeper, lines };
}

function gate() {
  let open = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { open, opened };
}

test('in a cluster one process at a time runs a sweep, and no run meets the one before it', async () => {
  let atOnce = 0;
  let most = 0;
  const runsBy = [0, 0, 0];
  for (const [n] of runsBy.entries()) {
    process().sweeper.every(5, 'shared', async () => {
      atOnce += 1;
      most = Math.max(most, atOnce);
      runsBy[n] = (runsBy[n] ?? 0) + 1;
      await database.db.execute(sql`select pg_sleep(0.02)`);
      atOnce -= 1;
    });
  }
  await eventually(() => runsBy.reduce((sum, runs) => sum + runs, 0) >= 20, { timeoutMs: 10_000 });
  expect(most).toBe(1);
});

test('sweeps of different names run side by side', async () => {
  const { sweeper } = process();
  const first = gate();
  const second = gate();
  sweeper.every(5, 'first', async () => {
    first.open();
    await second.opened;
  });
  sweeper.every(5, 'second', async () => {
    await first.opened;
    second.open();
  });
  await Promise.all([first.opened, second.opened]);
});

test('a sweep that fails is logged and runs again', async () => {
  const { sweeper, lines } = process();
  let runs = 0;
  sweeper.every(5, 'failing', async () => {
    runs += 1;
    throw new Error('the reason');
  });
  await eventually(() => runs >= 3);
  expect(JSON.parse(lines[0] ?? '{}')).toMatchObject({
    level: 'error',
    sweep: 'failing',
    err: { message: 'the reason' },
  });
});

test('closing tells the running sweep to end, waits for it, and starts no other', async () => {
  const { sweeper } = process();
  const started = gate();
  let state = 'waiting';
  let runs = 0;
  sweeper.every(5, 'long', async (signal) => {
    runs += 1;
    state = 'running';
    started.open();
    await new Promise<void>((resolve) => {
      signal.addEventListener('abort', () => resolve());
    });
    state = 'done';
  });
  await started.opened;
  await sweeper.close();
  expect({ state, runs }).toEqual({ state: 'done', runs: 1 });
  expect(() => sweeper.every(5, 'late', async () => {})).toThrow('closed');
});

test('a lost session frees its sweep for another process, which it takes turns with later', async () => {
  const cut = process();
  const isStuck = gate();
  const release = gate();
  let runsOfCut = 0;
  cut.sweeper.every(5, 'taken', async () => {
    runsOfCut += 1;
    isStuck.open();
    await release.opened;
  });
  await isStuck.opened;
  let runsOfOther = 0;
  process().sweeper.every(5, 'taken', async () => {
    runsOfOther += 1;
  });
  await eventually(async () => (await sessions()).length === 2);
  expect(runsOfOther).toBe(0);
  const holder = sql`pid in (select pid from pg_locks where locktype = 'advisory' and granted)`;
  await selectRows(
    database.db,
    sql`select pg_terminate_backend(pid) from pg_stat_activity
      where datname = current_database() and ${holder}`,
  );
  await eventually(() => runsOfOther > 0);
  expect(runsOfCut).toBe(1);
  release.open();
  await eventually(() => runsOfCut > 1);
  expect(JSON.parse(cut.lines[0] ?? '{}')).toMatchObject({
    level: 'warn',
    msg: 'A sweep could not get its lock, or lost it.',
    sweep: 'taken',
  });
});

test('without a database nothing runs, and nothing breaks', async () => {
  const { sweeper, lines } = process('postgres://yihao_app@127.0.0.1:1/yihao');
  let hasRun = false;
  sweeper.every(5, 'alone', async () => {
    hasRun = true;
  });
  await eventually(() => lines.length >= 3);
  expect(JSON.parse(lines[0] ?? '{}')).toMatchObject({
    level: 'warn',
    sweep: 'alone',
    err: { code: 'ECONNREFUSED' },
  });
  expect(hasRun).toBe(false);
});

test('two sweeps of one name in a process are a mistake', () => {
  const { sweeper } = process();
  sweeper.every(1000, 'twice', async () => {});
  expect(() => sweeper.every(1000, 'twice', async () => {})).toThrow('already');
});

function sessions() {
  return selectRows(
    database.db,
    sql`select pid from pg_stat_activity
      where datname = current_database() and application_name = 'yihao-sweeper'`,
  );
}
