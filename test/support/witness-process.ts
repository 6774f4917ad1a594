// A witness as a department runs it: a process of its own with its own key and folder.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { originHash } from '../../audit/witness.ts';
import { eventually } from './eventually.ts';

export interface WitnessProcess {
  /** Its line for the policy of a log: `witness NAME VKEY URL`. */
  policyLine: string;
  /** Its name in that line. */
  name: string;
  kill(signal?: 'SIGTERM' | 'SIGKILL' | 'SIGSTOP' | 'SIGCONT'): void;
  /** The last note it signed of a log; none when it never did. */
  notes(origin: string): Promise<string[]>;
  /** An add-checkpoint request as anybody can send it. */
  post(body: string): Promise<{ status: number; contentType: string | null; body: string }>;
  /** Resolves with the exit code, or -1 when it was killed. */
  ended: Promise<number>;
}

/** Starts `yihao witness` on `dir` and resolves when it answers. Give the same port to start it again. */
export async function startWitness(options: {
  dir: string;
  keyName: string;
  log: string;
  port?: number;
  env?: Record<string, string>;
  /** Where the log publishes its keys. */
  keys?: string;
}): Promise<WitnessProcess> {
  const { dir, keyName, log, port = 0, env = {}, keys } = options;
  const child = spawn(
    process.execPath,
    [
      ...['--import', 'tsx', join(import.meta.dirname, '..', '..', 'cli', 'yihao.ts'), 'witness'],
      ...['--dir', dir, '--name', keyName, '--log', log, '--port', String(port)],
      ...(keys === undefined ? [] : ['--keys', keys]),
    ],
    { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...env } },
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
  const [, name = '', , url = ''] = policyLine.split(' ');
  return {
    policyLine,
    name,
    kill: (signal = 'SIGTERM') => child.kill(signal),
    ended,
    notes: async (origin) => {
      const reply = await fetch(`${url}/${originHash(origin)}/checkpoint`);
      return reply.ok ? [await reply.text()] : [];
    },
    post: async (body) => {
      const reply = await fetch(`${url}/add-checkpoint`, { method: 'POST', body });
      const contentType = reply.headers.get('content-type');
      return { status: reply.status, contentType, body: await reply.text() };
    },
  };
}
