// A house as a process group of its own, so that it can be killed as a whole and started again.
import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';

export interface HouseProcess {
  readonly baseUrl: string;
  /** All of its output so far. */
  output(): string;
  /** kill -9 of the whole group: npm, node and whatever else it started in it. */
  killGroup(): Promise<void>;
  stop(): Promise<number>;
}

const bootSeconds = 90;

/** Starts `serve` on DATA_DIR and PORT, with further settings, and resolves at its ready line. */
export async function startHouse(
  dataDir: string,
  port: number,
  settings: Record<string, string> = {},
): Promise<HouseProcess> {
  const child = spawn(
    process.execPath,
    ['--import', 'tsx', join(import.meta.dirname, '..', '..', 'cli', 'yihao.ts'), 'serve'],
    {
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        ...process.env,
        DATA_DIR: dataDir,
        PORT: String(port),
        LOG_LEVEL: 'warn',
        RATE_LIMIT: '0',
        ...settings,
      },
    },
  );
  let output = '';
  child.stdout.on('data', (chunk) => {
    output += String(chunk);
  });
  child.stderr.on('data', (chunk) => {
    output += String(chunk);
  });
  const ended = new Promise<number>((resolve) => child.once('exit', (code) => resolve(code ?? -1)));
  for (let waited = 0; !/Yihao is ready at|Running as /.test(output); waited += 100) {
    if (child.exitCode !== null)
      throw new Error(`The house ended with ${child.exitCode}:\n${output}`);
    if (waited > bootSeconds * 1000) {
      signalGroup(child, 'SIGKILL');
      throw new Error(`The house was not ready in ${bootSeconds} s:\n${output}`);
    }
    await wait(100);
  }
  return {
    baseUrl: `http://127.0.0.1:${port}`,
    output: () => output,
    killGroup: async () => {
      signalGroup(child, 'SIGKILL');
      await ended;
    },
    stop: async () => {
      child.kill('SIGTERM');
      return ended;
    },
  };
}

function signalGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid !== undefined) process.kill(-child.pid, signal);
}
