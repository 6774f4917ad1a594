// Who may write the log: one at a time, whatever happens to the one that did. spec: a paused sequencer is fenced
// when it wakes, of two that start together one writes, and a killed one is replaced.
import { generateKeyPairSync } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { withDatabase } from '../support/database.ts';
import { eventually } from '../support/eventually.ts';
import { checkHistory } from './log-history.ts';
import { type LogProcess, launchLog, roundsOr, startLog } from './log-process.ts';

const { ownerSql, appUrl, logUrl } = withDatabase();
const rounds = roundsOr(2);
/** The full form is a minute, as the longest pause a machine recovers from unseen. */
const pauseMs = process.env.FAULT_ROUNDS ? Number(process.env.FAULT_PAUSE_MS ?? 60_000) : 7000;
const processes: LogProcess[] = [];
const running = new Set<LogProcess>();
let folder: string;
let headFile: string;
let keyFile: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'yihao-leaders-'));
  headFile = join(folder, 'head');
  keyFile = join(folder, 'key.pem');
  const { privateKey } = generateKeyPairSync('ed25519');
  await writeFile(keyFile, privateKey.export({ format: 'pem', type: 'pkcs8' }));
});
afterEach(async () => {
  for (const one of running) {
    one.signal('SIGCONT');
    await one.kill();
  }
  running.clear();
});
afterAll(() => rm(folder, { recursive: true }));

const settings = () => ({ appUrl, logUrl, headFile, keyFile, origin: 'faults.example/log' });

function hold<Kind extends LogProcess>(one: Kind): Kind {
  processes.push(one);
  running.add(one);
  return one;
}

const epoch = async (): Promise<number> => {
  const [row] = await ownerSql<{ epoch: number }[]>`select epoch::float8 as epoch from audit.head`;
  return row?.epoch ?? 0;
};

async function end(one: LogProcess): Promise<void> {
  await one.kill();
  running.delete(one);
}

/** What was staged and never sequenced is put into the tree; then the history is checked. */
async function settle(): Promise<void> {
  const last = hold(await startLog(settings()));
  last.call(1);
  await last.more(1);
  await end(last);
  const { acknowledged, signed } = await checkHistory(ownerSql, { processes, headFile });
  expect(acknowledged).toBeGreaterThan(0);
  expect(signed).toBeGreaterThan(0);
}

test(
  `a paused sequencer is replaced, and fenced when it wakes: ${rounds} rounds`,
  async () => {
    for (let round = 1; round <= rounds; round += 1) {
      const first = hold(await startLog(settings()));
      first.call(4);
      await first.more(5);
      const second = hold(await startLog(settings()));
      second.call(4);
      await second.more(5);
      const before = await epoch();
      // At any moment of its work.
      await wait(round * 7);
      const paused = performance.now();
      first.signal('SIGSTOP');
      await eventually(async () => (await epoch()) > before, { timeoutMs: 30_000 });
      await second.more(10);
      await eventually(() => performance.now() - paused >= pauseMs, { timeoutMs: pauseMs + 5000 });
      first.signal('SIGCONT');
      // It is alive, its callers are served again, and it wrote nothing with its old place.
      await first.more(5);
      await second.more(5);
      for (const one of [first, second]) await end(one);
      await settle();
    }
  },
  rounds * (pauseMs + 120_000),
);

test(
  `of two that start together one writes; killed, the other takes over: ${rounds} rounds`,
  async () => {
    for (let round = 1; round <= rounds; round += 1) {
      const both = [hold(launchLog(settings())), hold(launchLog(settings()))] as const;
      await Promise.all(both.map(({ ready }) => ready));
      for (const one of both) one.call(3);
      await Promise.all(both.map((one) => one.more(5)));
      const [killed, other] = round % 2 === 0 ? both : [both[1], both[0]];
      await wait(round * 3);
      await end(killed);
      await other.more(10);
      await end(other);
      await settle();
    }
  },
  rounds * 120_000,
);
