// The handle of a log's process, and the journal of what it said: what it acknowledged counts, whatever happens
// to it next.
import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { z } from 'zod';
import { eventually } from '../support/eventually.ts';

export const LogSettings = z.object({
  appUrl: z.string(),
  logUrl: z.string(),
  origin: z.string(),
  /** A PEM of the log's key. */
  keyFile: z.string(),
  headFile: z.string().optional(),
  policy: z.string().optional(),
  /** Seconds by which its clock is off. */
  clockFile: z.string().optional(),
  mode: z.enum(['lead', 'verify']).default('lead'),
  failpoint: z
    .enum([
      'before signing',
      'before keeping',
      'after keeping',
      'before publishing',
      'after publishing',
    ])
    .optional(),
});

export type LogSettings = z.infer<typeof LogSettings>;

const Line = z.looseObject({
  ready: z.boolean().optional(),
  refused: z.string().optional(),
  group: z.string().optional(),
  indexes: z.array(z.number()).optional(),
  at: z.string().optional(),
  signed: z.string().optional(),
  checkpoint: z.string().optional(),
  log: z.string().optional(),
  report: z
    .object({
      ok: z.boolean(),
      faults: z.array(z.object({ index: z.number().optional(), what: z.string() })),
    })
    .optional(),
});
type Line = z.infer<typeof Line>;

export interface LogProcess {
  /** Everything it has said so far. */
  lines: Line[];
  /** Resolves with its exit code, or -1 when a signal ended it. */
  ended: Promise<number>;
  signal(name: NodeJS.Signals): void;
  kill(): Promise<void>;
  /** Lets so many callers write from now on. */
  call(count: number): void;
  /** Asks it to end in peace. */
  stop(): Promise<number>;
  /** Acknowledged acts so far. */
  acknowledged(): Acknowledged[];
  /** Resolves once it has acknowledged that many acts more. */
  more(count: number, timeoutMs?: number): Promise<void>;
}

/** An act whose three entries a caller was told the indexes of. */
export interface Acknowledged {
  group: string;
  indexes: number[];
  at: string;
}

/** Starts one without waiting; `ready` resolves when it runs, and fails with what it was refused for. */
export function launchLog(
  settings: z.input<typeof LogSettings>,
  env: Record<string, string> = {},
): LogProcess & { ready: Promise<void> } {
  const child: ChildProcess = spawn(
    process.execPath,
    ['--import', 'tsx', join(import.meta.dirname, 'log-process-main.ts'), JSON.stringify(settings)],
    { stdio: ['pipe', 'pipe', 'pipe'], env: { ...process.env, ...env } },
  );
  const lines: Line[] = [];
  let faults = '';
  child.stderr?.on('data', (chunk) => {
    faults += String(chunk);
  });
  child.stdin?.on('error', () => {}); // it may have been killed
  if (child.stdout) {
    createInterface({ input: child.stdout }).on('line', (line) => {
      // The last line of a killed process may be cut off.
      if (line.endsWith('}')) lines.push(Line.parse(JSON.parse(line)));
    });
  }
  // When its output has been read to the end, not only when it is gone.
  const ended = new Promise<number>((resolve) =>
    child.once('close', (code) => resolve(code ?? -1)),
  );
  let hasEnded = false;
  void ended.then(() => {
    hasEnded = true;
  });
  const acknowledged = () =>
    lines.flatMap(({ group, indexes, at = '' }) =>
      group !== undefined && indexes ? [{ group, indexes, at }] : [],
    );
  const ready = eventually(
    () => {
      const refused = lines.find((line) => line.refused !== undefined)?.refused;
      return (
        refused ?? (hasEnded ? `ended ${faults}` : lines.some((line) => line.ready) && 'ready')
      );
    },
    { timeoutMs: 60_000 },
  ).then((how) => {
    if (how !== 'ready') throw new Error(how);
  });
  ready.catch(() => {}); // for those who expect it not to come up
  return {
    lines,
    ended,
    ready,
    signal: (name) => void child.kill(name),
    kill: async () => {
      child.kill('SIGKILL');
      await ended;
    },
    call: (count) => void child.stdin?.write(`callers ${count}\n`),
    stop: () => {
      child.stdin?.write('stop\n');
      return ended;
    },
    acknowledged,
    more: async (count, timeoutMs = 60_000) => {
      const goal = acknowledged().length + count;
      const isThere = () => acknowledged().length >= goal;
      await eventually(() => isThere() || hasEnded, { timeoutMs });
      if (!isThere()) throw new Error(`The log's process has ended. ${faults}`);
    },
  };
}

/** Starts one and waits until it leads or stands by. */
export async function startLog(...given: Parameters<typeof launchLog>): Promise<LogProcess> {
  const log = launchLog(...given);
  await log.ready;
  return log;
}

/** How often the given test repeats itself: FAULT_ROUNDS, or the few that fit into every run. */
export const roundsOr = (few: number): number => Number(process.env.FAULT_ROUNDS ?? few);
