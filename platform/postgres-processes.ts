// The server's processes as the system sees them, found by their data directory, given as its real
// path; and the end of one that outlived a killed instance.
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { processIdentity } from './process-identity.ts';

/** Fast shutdown (sessions are ended, a checkpoint is written), then immediate, then by force. */
export const stopSteps = [
  ['SIGINT', 6_000],
  ['SIGQUIT', 2_000],
] as const;

/** Stops a server that a killed instance left behind, and clears its pid file. Others' are left. */
export async function stopStaleServer(data: string, say: (line: string) => void): Promise<void> {
  const { pid } = await readPidFile(data);
  if (pid !== undefined && isPostgresIn(pid, data)) {
    say(`Stopping PostgreSQL ${pid}, left by an instance that was killed`);
    for (const [signal, milliseconds] of stopSteps) {
      trySignal(pid, signal);
      if (await isGone(() => !isPostgresIn(pid, data), milliseconds)) break;
    }
  }
  // Workers of a server that was itself killed notice and end; until then none may start.
  if (!(await isGone(() => postgresProcessesIn(data).length === 0, 2_000))) {
    killServerIn(data);
    await isGone(() => postgresProcessesIn(data).length === 0, 5_000);
  }
  // The pid may belong to a stranger by now, and PostgreSQL would take it for a running server.
  await rm(join(data, 'postmaster.pid'), { force: true });
}

async function isGone(check: () => boolean, milliseconds: number): Promise<boolean> {
  const step = 20;
  for (let waited = 0; waited < milliseconds; waited += step) {
    if (check()) return true;
    await wait(step);
  }
  return check();
}

/** Ends every process of the server by force; what was committed is safe (crash recovery). */
export function killServerIn(data: string): void {
  for (const pid of postgresProcessesIn(data)) trySignal(pid, 'SIGKILL');
}

function trySignal(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // Gone already, which was the aim.
  }
}

/** The process that claims the data directory, and how far it has come. */
export async function readPidFile(data: string): Promise<{ pid?: number; status?: string }> {
  try {
    const lines = (await readFile(join(data, 'postmaster.pid'), 'utf8')).split('\n');
    const pid = Number.parseInt(lines[0] ?? '', 10);
    return { ...(pid > 0 && { pid }), status: (lines[7] ?? '').trim() };
  } catch {
    return {};
  }
}

/** The PostgreSQL processes whose working directory is `dataDirectory`: the server always sits there. */
function postgresProcessesIn(dataDirectory: string): number[] {
  try {
    return readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .map(Number)
      .filter((pid) => isPostgresIn(pid, dataDirectory));
  } catch {
    return [];
  }
}

/** Is `pid` a PostgreSQL process of this data directory? */
function isPostgresIn(pid: number, dataDirectory: string): boolean {
  try {
    return (
      readlinkSync(`/proc/${pid}/cwd`) === dataDirectory &&
      readFileSync(`/proc/${pid}/comm`, 'utf8').startsWith('postgres') &&
      processIdentity(pid) !== undefined
    );
  } catch {
    if (process.platform === 'linux') return false;
    try {
      const command = execFileSync('ps', ['-o', 'command=', '-p', String(pid)], {
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'ignore'],
      });
      return command.includes('postgres') && command.includes(dataDirectory);
    } catch {
      return false;
    }
  }
}
