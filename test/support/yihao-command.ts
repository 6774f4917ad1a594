// A command of the operator's tool, run to its end in a process of its own.
import { spawn } from 'node:child_process';
import { join } from 'node:path';

export interface EndedCommand {
  /** Its exit code, or -1 when a signal ended it. */
  code: number;
  out: string;
  err: string;
}

/** Runs `yihao` with these words, settings beside the environment's, and `input` to read. */
export async function runYihao(
  words: readonly string[],
  { settings, input = '' }: { settings: Record<string, string>; input?: string },
): Promise<EndedCommand> {
  const child = spawn(
    process.execPath,
    ['--import', 'tsx', join(import.meta.dirname, '..', '..', 'cli', 'yihao.ts'), ...words],
    { stdio: ['pipe', 'pipe', 'pipe'], env: { ...process.env, ...settings } },
  );
  const ended: EndedCommand = { code: -1, out: '', err: '' };
  child.stdout.on('data', (chunk) => {
    ended.out += String(chunk);
  });
  child.stderr.on('data', (chunk) => {
    ended.err += String(chunk);
  });
  child.stdin.on('error', () => {}); // a command that reads nothing may have ended by then
  child.stdin.end(input);
  ended.code = await new Promise((resolve) => child.once('close', (code) => resolve(code ?? -1)));
  return ended;
}
