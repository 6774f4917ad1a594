// Is that process still the one it was? A pid alone may have been given to another since.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/**
 * A name no other process ever has: pid, start time and boot. Undefined when there is no such
 * process now. Linux answers from /proc, other systems by `ps`.
 */
export function processIdentity(pid: number): string | undefined {
  if (!isRunning(pid)) return undefined;
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The command name in parentheses may hold spaces; start time is field 22 (proc(5)), the 20th
    // after the last parenthesis. A zombie (field 3) holds nothing any more.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    if (fields[0] === 'Z' || fields[0] === 'X') return undefined;
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').slice(0, 8);
    return `${pid}-${fields[19]}-${boot}`;
  } catch {
    try {
      const started = execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], {
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'ignore'],
      });
      return `${pid}-${Date.parse(started.trim())}`;
    } catch {
      return undefined;
    }
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
