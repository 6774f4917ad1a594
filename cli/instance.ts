// The running instance that commands talk to: found by HOST and PORT, or started for as long as needed.
import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import type { Config } from '../platform/index.ts';

export interface Instance {
  readonly baseUrl: string;
  /** True when this process started it and `stop` ends it. */
  readonly isOurs: boolean;
  stop(): Promise<void>;
}

const startBoundMs = 90_000;
const pollMs = 200;

/** Where an instance with this configuration listens. */
export function baseUrlOf(config: Config): string {
  const host = config.host.includes(':') ? `[${config.host}]` : config.host;
  return `http://${host}:${config.port}`;
}

async function isReady(baseUrl: string): Promise<boolean> {
  try {
    return (await fetch(`${baseUrl}/readyz`)).ok;
  } catch {
    return false;
  }
}

/** The instance at HOST and PORT; when nothing answers there, one is started and owned. */
export async function findOrStart(config: Config, say: (line: string) => void): Promise<Instance> {
  const baseUrl = baseUrlOf(config);
  if (await isReady(baseUrl)) return { baseUrl, isOurs: false, stop: async () => {} };
  say(`Nothing answers at ${baseUrl}: starting an instance for this run`);
  const child = spawn(
    process.execPath,
    ['--import', 'tsx', join(import.meta.dirname, 'yihao.ts'), 'serve'],
    { stdio: ['ignore', 'ignore', 'inherit'] },
  );
  const ended = new Promise<number>((resolve) => child.once('exit', (code) => resolve(code ?? 1)));
  for (let waited = 0; !(await isReady(baseUrl)); waited += pollMs) {
    if (child.exitCode !== null) throw new Error(`The instance ended with code ${child.exitCode}.`);
    if (waited > startBoundMs) {
      await stopChild(child, ended);
      throw new Error(`The instance was not ready after ${startBoundMs / 1000} s.`);
    }
    await wait(pollMs);
  }
  return { baseUrl, isOurs: true, stop: () => stopChild(child, ended) };
}

async function stopChild(child: ChildProcess, ended: Promise<number>): Promise<void> {
  child.kill('SIGTERM');
  await ended;
}
