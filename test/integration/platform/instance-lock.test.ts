import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { findInstance, lockInstance } from '../../../platform/instance-lock.ts';
import { processIdentity } from '../../../platform/process-identity.ts';

const contenders: ChildProcess[] = [];
let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'yihao-lock-'));
});

afterEach(async () => {
  for (const contender of contenders.splice(0)) contender.kill('SIGKILL');
  await rm(folder, { recursive: true });
});

/** Another process tries for the lock; gives what it said. */
async function contend(): Promise<{ process: ChildProcess; said: string }> {
  const script = fileURLToPath(new URL('../../support/lock-contender.ts', import.meta.url));
  const contender = spawn(process.execPath, ['--import', 'tsx', script, folder], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  contenders.push(contender);
  const [chunk] = await once(contender.stdout, 'data');
  return { process: contender, said: String(chunk).trim() };
}

test('one process has a folder, and gives it up on release', async () => {
  expect(await findInstance(folder)).toBe(undefined);
  const lock = await lockInstance(folder);
  expect(await findInstance(folder)).toBe(process.pid);
  const refusal = {
    kind: 'conflict',
    code: 'platform.already_running',
    detail: expect.stringContaining(`process ${process.pid}`),
  };
  await expect(lockInstance(folder)).rejects.toMatchObject(refusal);
  expect((await contend()).said).toContain(`platform.already_running`);
  await lock.release();
  expect(await findInstance(folder)).toBe(undefined);
  await (await lockInstance(folder)).release();
});

test('of processes that start at one moment exactly one gets the folder', async () => {
  const outcomes = await Promise.all([contend(), contend(), contend()]);
  expect(outcomes.filter(({ said }) => said === 'won')).toHaveLength(1);
});

test('a killed process leaves the folder free', async () => {
  const { process: holder, said } = await contend();
  expect(said).toBe('won');
  expect(await findInstance(folder)).toBe(holder.pid);
  holder.kill('SIGKILL');
  await once(holder, 'exit');
  await (await lockInstance(folder)).release();
  expect(await readdir(join(folder, 'instance.lock'))).toEqual([]);
});

test('a mark whose number another process has by now means nothing', async () => {
  await (await lockInstance(folder)).release();
  await writeFile(join(folder, 'instance.lock', `${process.ppid}-1-00000000`), '');
  expect(await findInstance(folder)).toBe(undefined);
  await (await lockInstance(folder)).release();
});

test('a process is known by more than its number, and not any more when it is over', async () => {
  expect(processIdentity(process.pid)).toBe(processIdentity(process.pid));
  expect(processIdentity(process.pid)).not.toBe(processIdentity(process.ppid));
  const child = spawn('sleep', ['60']);
  contenders.push(child);
  await once(child, 'spawn');
  expect(processIdentity(child.pid ?? 0)).toMatch(new RegExp(`^${child.pid}-`));
  child.kill('SIGKILL');
  await once(child, 'exit');
  expect(processIdentity(child.pid ?? 0)).toBe(undefined);
});
