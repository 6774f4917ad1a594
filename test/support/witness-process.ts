// A witness as a department runs it: a process of its own with its own key and folder.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { eventually } from './eventually.ts';

export interface WitnessProcess {
  /** Its line for the policy of a log: `witness NAME VKEY URL`. */
  policyLine: string;
  /** Its name in that line. */
  name: string;
  kill(signal?: 'SIGTERM' | 'SIGKILL' | 'SIGSTOP' | 'SIGCONT'): void;
  /** Resolves with the exit code, or -1 when it was killed. */
  ended: Promise<number>;
}

/** Starts `yihao witness` on `dir` and resolves when it answers. Give the same port to start it again. */
export async function startWitness(options: {
  dir: string;
  keyName: string;
  log: string;
  port?: number;
}): Promise<WitnessProcess> {
  const { dir, keyName, log, port = 0 } = options;
  const child = spawn(
    process.execPath,
    [
      ...['--import', 'tsx', join(import.meta.dirname, '..', '..', 'cli', 'yihao.ts'), 'witness'],
      ...['--dir', dir, '--name', keyName, '--log', log, '--port', String(port)],
    ],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  );
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk) => {
      output += String(chunk);
    });
  }
  const ended = new Promise<number>((resolve) => child.once('exit', (code) => resolve(code ?? -1)));
  const policyLine = await eventually(
    () => /^witness .+ http:.+$/m.exec(output)?.[0] ?? (child.exitCode === null ? null : 'ended'),
    { timeoutMs: 30_000 },
  );
  if (policyLine === 'ended') throw new Error(`The witness did not start:\n${output}`);
  const [, name = ''] = policyLine.split(' ');
  return { policyLine, name, kill: (signal = 'SIGTERM') => child.kill(signal), ended };
}
