// One running instance per folder. Each contender leaves a mark named after its process; a mark
// whose process is gone means nothing, so a kill -9 locks nobody out.
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { databaseErrors } from './database-errors.ts';
import { systemIds } from './ids.ts';
import { processIdentity } from './process-identity.ts';

export interface InstanceLock {
  release(): Promise<void>;
}

const marksFolder = 'instance.lock';
const held = new Set<string>();

/**
 * Takes `dir` for this process until release or death; refuses with platform.already_running,
 * naming the other's pid. Marking before looking makes it safe: of two that start at one moment
 * each sees the other, both step back, and chance decides who comes first.
 */
export async function lockInstance(dir: string): Promise<InstanceLock> {
  const marks = join(dir, marksFolder);
  const me = processIdentity(process.pid);
  if (me === undefined) throw new TypeError('This process has no identity.');
  if (held.has(marks)) throw alreadyRunning(dir, process.pid);
  held.add(marks);
  const mine = join(marks, me);
  try {
    await mkdir(marks, { recursive: true, mode: 0o700 });
    for (let attempt = 1; ; attempt++) {
      await writeFile(mine, '', { mode: 0o600 });
      const other = await findHolder(marks, me);
      if (other === undefined) break;
      await rm(mine, { force: true });
      if (attempt === 4) throw alreadyRunning(dir, other);
      await wait(20 + systemIds.int(150));
    }
  } catch (error) {
    held.delete(marks);
    throw error;
  }
  return {
    release: async () => {
      await rm(mine, { force: true });
      held.delete(marks);
    },
  };
}

/** The pid of the process that has `dir`, if any. */
export async function findInstance(dir: string): Promise<number | undefined> {
  try {
    return await findHolder(join(dir, marksFolder), '');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}

/** A live process with a mark other than `me`; marks of the dead are cleared away. */
async function findHolder(marks: string, me: string): Promise<number | undefined> {
  for (const mark of await readdir(marks)) {
    if (mark === me) continue;
    const pid = Number.parseInt(mark, 10);
    if (processIdentity(pid) === mark) return pid;
    await rm(join(marks, mark), { force: true });
  }
  return undefined;
}

function alreadyRunning(dir: string, pid: number) {
  return databaseErrors.already_running(
    `Yihao is already running on ${dir} (process ${pid}). Stop it first, or choose another DATA_DIR.`,
  );
}
