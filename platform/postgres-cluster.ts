// The embedded server's files: where they can lie, and making them (initdb).
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chown, mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { databaseErrors } from './database-errors.ts';
import { lockInstance } from './instance-lock.ts';
import { canWrite, postgresEnvironment, type RunAs } from './postgres-binaries.ts';
import { stopStaleServer } from './postgres-processes.ts';

const run = promisify(execFile);

/** A PostgreSQL cluster on disk and the programs for it. */
export interface Cluster {
  /** Folder of `initdb` and `postgres`. */
  bin: string;
  /** Our folder around the data directory. */
  home: string;
  /** PostgreSQL's data directory, `home/data`. */
  data: string;
  runAs: RunAs;
}

const outsidePlaces = ['/var/lib/yihao', '/opt/yihao'];

/**
 * A fresh folder for the cluster of `dataDir`: inside it when the user who runs PostgreSQL can
 * get there, else (root's home is closed to others) in the system's place for such data, under a
 * name made from `dataDir`. A database left there by a DATA_DIR that was removed is put aside,
 * one deep; one inside `dataDir` is never passed over.
 */
export async function findHome(dataDir: string, runAs: RunAs): Promise<string> {
  const inside = join(dataDir, 'postgres');
  const hadInside = await exists(inside);
  if (hadInside && (await exists(join(inside, 'data')))) {
    throw databaseErrors.database_not_started(
      `${inside} holds a database, but ${dataDir}/postgres.json with its passwords is gone. Restore that file, or move the folder away to begin with an empty database.`,
    );
  }
  if (await isUsable(inside, runAs)) return inside;
  if (!hadInside) await rm(inside, { recursive: true, force: true });
  const name = createHash('sha256').update(dataDir).digest('hex').slice(0, 16);
  for (const place of outsidePlaces) {
    const home = join(place, name);
    await putAside(home);
    if (await isUsable(home, runAs)) return home;
  }
  throw databaseErrors.database_not_started(
    `PostgreSQL's user can write neither to ${inside} nor to ${outsidePlaces.join(' or ')}. Put DATA_DIR where other users may pass, start as an ordinary user, or set DATABASE_URL.`,
  );
}

async function putAside(home: string): Promise<void> {
  if (!(await exists(home))) return;
  // An instance may still run on it, although its DATA_DIR was removed.
  const lock = await lockInstance(home);
  try {
    const data = join(home, 'data');
    if (await exists(data)) await stopStaleServer(data, () => {});
    await rm(`${home}.old`, { recursive: true, force: true });
    await rename(home, `${home}.old`);
  } finally {
    await lock.release();
  }
}

async function isUsable(home: string, runAs: RunAs): Promise<boolean> {
  try {
    await mkdir(home, { recursive: true, mode: 0o711 });
    if (runAs) await chown(home, runAs.uid, runAs.gid);
    return canWrite(home, runAs);
  } catch {
    return false;
  }
}

/** Is there a whole cluster, of the version our programs can read? */
export async function hasCluster(cluster: Cluster): Promise<boolean> {
  if (!(await exists(cluster.data))) return false;
  const made = (await readFile(join(cluster.data, 'PG_VERSION'), 'utf8')).trim();
  const { stdout } = await run(join(cluster.bin, 'postgres'), ['--version'], asItself(cluster));
  const major = /(\d+)\./.exec(stdout)?.[1];
  if (made !== major) {
    throw databaseErrors.database_not_started(
      `The database in ${cluster.data} was made by PostgreSQL ${made}; the programs here are ${major}. Move it over with pg_dump and the earlier programs.`,
    );
  }
  return true;
}

/** Makes the cluster; it appears whole or not at all. Its superuser is `postgres`. */
export async function createCluster(cluster: Cluster, superuserPassword: string): Promise<void> {
  const part = join(cluster.home, 'data.part');
  const passwordFile = join(cluster.home, 'password');
  await rm(part, { recursive: true, force: true });
  try {
    await writeFile(passwordFile, superuserPassword, { mode: 0o600 });
    if (cluster.runAs) await chown(passwordFile, cluster.runAs.uid, cluster.runAs.gid);
    // The builtin C.UTF-8 asks no locale of the system and never changes its sorting under an
    // index. 'simple' text search: our texts are not English.
    await run(
      join(cluster.bin, 'initdb'),
      [
        ...['-D', part, '--username=postgres', `--pwfile=${passwordFile}`],
        ...['--encoding=UTF8', '--locale=C', '--locale-provider=builtin'],
        ...['--builtin-locale=C.UTF-8', '--text-search-config=simple'],
        ...['--auth=scram-sha-256', '--no-instructions'],
      ],
      asItself(cluster),
    );
    await writeDoors(part);
    await rename(part, cluster.data);
  } catch (cause) {
    const said = cause instanceof Error && 'stderr' in cause ? `: ${cause.stderr}` : '.';
    throw databaseErrors.database_not_started(`initdb failed in ${cluster.home}${said}`, { cause });
  } finally {
    await rm(passwordFile, { force: true });
    await rm(part, { recursive: true, force: true });
  }
}

/** Loopback and the socket in a folder of our own, each with a password; no replication. */
function writeDoors(data: string): Promise<void> {
  return writeFile(
    join(data, 'pg_hba.conf'),
    'local all all scram-sha-256\nhost all all 127.0.0.1/32 scram-sha-256\n',
  );
}

// The shortest that a system takes with its closing zero (macOS: 104 bytes; Linux: 108).
const longestSocketPath = 103;

/**
 * An empty folder for the server's socket that its user alone may enter, and the cluster's doors set for
 * it; undefined where the path to it is too long for a socket.
 */
export async function makeSocketFolder(cluster: Cluster): Promise<string | undefined> {
  const folder = join(cluster.home, 'sockets');
  // A socket's lock that a killed server left may name a process that is a stranger's by now.
  await rm(folder, { recursive: true, force: true });
  if (Buffer.byteLength(join(folder, '.s.PGSQL.65535')) > longestSocketPath) return undefined;
  await mkdir(folder, { mode: 0o700 });
  if (cluster.runAs) await chown(folder, cluster.runAs.uid, cluster.runAs.gid);
  // Clusters made earlier have the loopback's line alone.
  await writeDoors(cluster.data);
  return folder;
}

function asItself({ runAs, home }: Cluster) {
  return { ...runAs, cwd: home, env: postgresEnvironment };
}

export async function exists(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return false;
    throw error;
  }
}
