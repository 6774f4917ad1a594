// A checkpoint's way out, cut off by kill -9 at each of its steps: before and after signing, keeping and
// publishing. The next start goes on, and for no size is there ever a second root.
import { generateKeyPairSync } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { formatVkey } from '../../audit/index.ts';
import { withDatabase } from '../support/database.ts';
import { startWitness, type WitnessProcess } from '../support/witness-process.ts';
import { checkHistory } from './log-history.ts';
import { type LogProcess, type LogSettings, launchLog, roundsOr, startLog } from './log-process.ts';

const { ownerSql, appUrl, logUrl } = withDatabase();
const rounds = roundsOr(1);
const origin = 'faults.example/steps';
const processes: LogProcess[] = [];
let running: LogProcess | undefined;
let witness: WitnessProcess;
let folder: string;
let headFile: string;
let keyFile: string;

const steps = [
  'before signing',
  'before keeping',
  'after keeping',
  'before publishing',
  'after publishing',
] as const satisfies LogSettings['failpoint'][];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'yihao-steps-'));
  headFile = join(folder, 'head');
  keyFile = join(folder, 'key.pem');
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  await writeFile(keyFile, privateKey.export({ format: 'pem', type: 'pkcs8' }));
  const raw = publicKey.export({ format: 'der', type: 'spki' }).subarray(-32);
  witness = await startWitness({
    dir: join(folder, 'witness'),
    keyName: 'steps.example/witness',
    log: formatVkey(origin, raw),
  });
}, 60_000);
afterEach(() => running?.kill());
afterAll(async () => {
  witness.kill('SIGKILL');
  await witness.ended;
  await rm(folder, { recursive: true });
});

const settings = (failpoint?: LogSettings['failpoint']) => ({
  ...{ appUrl, logUrl, headFile, keyFile, origin, failpoint },
  policy: `${witness.policyLine}\nquorum ${witness.name}`,
});

for (const step of steps) {
  test(
    `killed ${step}: ${rounds} rounds`,
    async () => {
      for (let round = 1; round <= rounds; round += 1) {
        // 1. It dies at this step, by its own hand and without another instruction.
        const doomed = launchLog(settings(step));
        processes.push(doomed);
        running = doomed;
        doomed.call(1 + (round % 3));
        expect(await doomed.ended).toBe(-1);
        // 2. The next one goes on from whatever stands, and publishes.
        running = await startLog(settings());
        processes.push(running);
        running.call(2);
        await running.more(3);
        await running.kill();
      }
      const notes = await witness.notes(origin);
      expect(notes).not.toEqual([]);
      await checkHistory(ownerSql, { processes, headFile, notes });
    },
    60_000 + rounds * 60_000,
  );
}
