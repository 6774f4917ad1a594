// Clocks that jump an hour forth and back, of the log's process and of its witness: indexes stay in order, what is
// stale is decided by the database's clock, and a witness's times never go back. With libfaketime where it is
// installed, so that every clock of both processes jumps; else by the clock they are given.

import { generateKeyPairSync } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { formatVkey } from '../../audit/index.ts';
import { replaceFile, systemClock } from '../../platform/index.ts';
import { withDatabase } from '../support/database.ts';
import { eventually } from '../support/eventually.ts';
import { startWitness, type WitnessProcess } from '../support/witness-process.ts';
import { checkHistory } from './log-history.ts';
import { type LogProcess, roundsOr, startLog } from './log-process.ts';

const { ownerSql, appUrl, logUrl } = withDatabase();
const rounds = roundsOr(3);
const origin = 'faults.example/clock';
const library = ['x86_64-linux-gnu', 'aarch64-linux-gnu']
  .map((machine) => `/usr/lib/${machine}/faketime/libfaketime.so.1`)
  .find((path) => existsSync(path));
let log: LogProcess | undefined;
let witness: WitnessProcess;
let folder: string;
let clockFile: string;

/** What makes a process live by the file's clock. */
const faked = (): Record<string, string> =>
  library === undefined
    ? {}
    : {
        LD_PRELOAD: library,
        FAKETIME_TIMESTAMP_FILE: clockFile,
        FAKETIME_NO_CACHE: '1',
        FAKETIME_DONT_FAKE_MONOTONIC: '1',
      };

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'yihao-clock-'));
  clockFile = join(folder, 'clock');
  await replaceFile(clockFile, '+0\n');
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  await writeFile(join(folder, 'key.pem'), privateKey.export({ format: 'pem', type: 'pkcs8' }));
  const raw = publicKey.export({ format: 'der', type: 'spki' }).subarray(-32);
  witness = await startWitness({
    dir: join(folder, 'witness'),
    keyName: 'clock.example/witness',
    log: formatVkey(origin, raw),
    env: faked(),
  });
}, 60_000);
afterEach(() => log?.kill());
afterAll(async () => {
  witness.kill('SIGKILL');
  await witness.ended;
  await rm(folder, { recursive: true });
});

const newest = async () => {
  const [row] = await ownerSql<{ size: number; at: Date }[]>`
    select k.size::float8 as size, k.signed_at as at from audit.cosignatures k
    order by k.size desc limit 1`;
  return row;
};

test(
  `clocks jump an hour forth and back: ${rounds} rounds`,
  async () => {
    log = await startLog(
      {
        ...{ appUrl, logUrl, origin, headFile: join(folder, 'head') },
        keyFile: join(folder, 'key.pem'),
        policy: `${witness.policyLine}\nquorum ${witness.name}`,
        ...(library === undefined && { clockFile }),
      },
      faked(),
    );
    log.call(3);
    await log.more(5);
    for (let round = 1; round <= rounds; round += 1) {
      const hours = [1, -1, 0][round % 3] ?? 0;
      await replaceFile(clockFile, `${hours < 0 ? '' : '+'}${hours * 3600}\n`);
      const before = (await newest())?.size ?? 0;
      await log.more(5);
      // It lives by that clock…
      const { at } = log.acknowledged().at(-1) ?? { at: '' };
      expect(0 + Math.round((Date.parse(at) - systemClock.now().getTime()) / 3_600_000)).toBe(
        hours,
      );
      // … and goes on being witnessed.
      await eventually(async () => ((await newest())?.size ?? 0) > before, { timeoutMs: 30_000 });
    }
    await log.stop();

    // Each caller was told ever higher indexes, whatever the time; and the history holds.
    await checkHistory(ownerSql, { processes: [log], headFile: join(folder, 'head') });
    const firsts = log.acknowledged().map(({ indexes }) => Math.max(...indexes));
    const fell = firsts.filter((index, at) => at >= 3 && index < (firsts[at - 3] ?? 0));
    expect(fell).toEqual([]);

    // A witness's times in the order of the sizes it signed.
    const times = await ownerSql<{ at: Date }[]>`
    select signed_at as at from audit.cosignatures order by size`;
    expect(times.length).toBeGreaterThan(rounds);
    const wentBack = times.filter(({ at }, place) => at < (times[place - 1]?.at ?? new Date(0)));
    expect(wentBack).toEqual([]);
  },
  60_000 + rounds * 60_000,
);
