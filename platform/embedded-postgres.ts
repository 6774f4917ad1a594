// The default database: a real PostgreSQL of our own under DATA_DIR, reached with a password over a socket
// in a closed folder or over loopback, durable (fsync on). Measured on 2 cores: first start 0.8-1.3 s, of it initdb 0.6-0.9 s
// and, where the programs must be copied (58 MB), 1 s more; later starts 0.1 s; stop 0.05 s.
import { access, constants, mkdir, readFile, realpath } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { z } from 'zod';
import { databaseErrors } from './database-errors.ts';
import { openSession, quoteIdentifier } from './database-url.ts';
import { systemIds } from './ids.ts';
import { type InstanceLock, lockInstance } from './instance-lock.ts';
import { canWrite, findBinaries, findRunAs } from './postgres-binaries.ts';
import {
  type Cluster,
  createCluster,
  exists,
  findHome,
  hasCluster,
  makeSocketFolder,
} from './postgres-cluster.ts';
import { stopStaleServer } from './postgres-processes.ts';
import { type PostgresServer, startServer } from './postgres-server.ts';
import { writePrivateFile } from './private-file.ts';

interface EmbeddedOptions {
  dataDir: string;
  /** False only for tests: without fsync a power cut may lose everything. */
  isDurable?: boolean;
  onProgress?: (line: string) => void;
  /** Told when the server ended without being asked to; the instance can't go on. */
  onLost?: (reason: string) => void;
}

export interface EmbeddedPostgres {
  /** The owner's URL: a role with CREATEROLE that owns the database `yihao`, no superuser. */
  readonly url: string;
  /** The same server's socket, for this process's pools; undefined where it has none. */
  readonly socketFolder: string | undefined;
  /** Ends all sessions, stops the server and gives up the folder. */
  close(): Promise<void>;
}

/** What is remembered between starts, in DATA_DIR/postgres.json (mode 0600). */
const State = z.object({
  /** The cluster's folder: relative to DATA_DIR, or absolute when it had to lie elsewhere. */
  home: z.string(),
  port: z.number().int().optional(),
  superuserPassword: z.string(),
  ownerPassword: z.string(),
  /** The cluster was made once: when it is missing, it was lost. */
  isMade: z.boolean(),
});
type State = z.infer<typeof State>;

const ownerName = 'yihao';

/**
 * Starts the instance's PostgreSQL, making it first when there is none and replacing one that
 * outlived a killed instance. One instance per DATA_DIR: platform.already_running otherwise.
 * Writes the owner's URL to DATA_DIR/database.json (mode 0600).
 */
export async function startEmbeddedPostgres(options: EmbeddedOptions): Promise<EmbeddedPostgres> {
  const say = options.onProgress ?? (() => {});
  const dataDir = await makeDataDir(options.dataDir);
  const locks: InstanceLock[] = [await lockInstance(dataDir)];
  let server: PostgresServer | undefined;
  const close = async () => {
    await server?.stop();
    for (const lock of locks.splice(0).reverse()) await lock.release();
  };
  try {
    const state = (await readState(dataDir)) ?? (await newState(dataDir));
    const home = resolve(dataDir, state.home);
    // A copy of DATA_DIR names the same folder when that lies outside.
    if (state.home !== 'postgres') locks.push(await lockInstance(home));
    const data = join(home, 'data');
    const runAs = await findRunAs((await exists(data)) ? data : undefined);
    if (!canWrite(home, runAs)) throw outOfReach(home);
    const cluster: Cluster = { bin: await findBinaries(runAs), home, data, runAs };
    if (!(await hasCluster(cluster))) {
      if (state.isMade) throw lostData(data, dataDir);
      say('Making the database files');
      await createCluster(cluster, state.superuserPassword);
    }
    await stopStaleServer(data, say);
    say('Starting PostgreSQL');
    const socketFolder = await makeSocketFolder(cluster);
    server = await startServer(cluster, {
      preferredPort: state.port,
      socketFolder,
      isDurable: options.isDurable ?? true,
      logFile: join(dataDir, 'postgres.log'),
      onLost: options.onLost,
    });
    const { port } = server;
    if (!state.isMade) await createOwner(port, state);
    if (!state.isMade || state.port !== port) {
      await writeState(dataDir, { ...state, port, isMade: true });
    }
    const url = urlFor(port, ownerName, state.ownerPassword, ownerName);
    await writePrivateFile(join(dataDir, 'database.json'), JSON.stringify({ url }));
    return { url, socketFolder, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Where the embedded server keeps its data, and its superuser's URL; undefined where none was made. */
export async function findEmbeddedFiles(
  dataDir: string,
): Promise<{ data: string; superuserUrl: string } | undefined> {
  const state = await readState(dataDir);
  if (state?.port === undefined || !state.isMade) return undefined;
  return {
    data: join(resolve(dataDir, state.home), 'data'),
    superuserUrl: urlFor(state.port, 'postgres', state.superuserPassword, ownerName),
  };
}

/** The folder's real path, so that it has one name however it was reached. */
async function makeDataDir(given: string): Promise<string> {
  try {
    // Root's PostgreSQL runs as another user, who must be able to pass through, not to look around.
    await mkdir(given, { recursive: true, mode: process.getuid?.() === 0 ? 0o711 : 0o700 });
    await access(given, constants.W_OK);
    return await realpath(given);
  } catch (cause) {
    throw databaseErrors.database_not_started(
      `This user can't write to the folder ${resolve(given)} (DATA_DIR). Choose another, or give it to this user.`,
      { cause },
    );
  }
}

async function newState(dataDir: string): Promise<State> {
  const home = await findHome(dataDir, await findRunAs(undefined));
  const state: State = {
    home: home === join(dataDir, 'postgres') ? 'postgres' : home,
    superuserPassword: systemIds.token(24),
    ownerPassword: systemIds.token(24),
    isMade: false,
  };
  await writeState(dataDir, state);
  return state;
}

const statePath = (dataDir: string) => join(dataDir, 'postgres.json');

function writeState(dataDir: string, state: State): Promise<void> {
  return writePrivateFile(statePath(dataDir), JSON.stringify(state));
}

async function readState(dataDir: string): Promise<State | undefined> {
  const path = statePath(dataDir);
  if (!(await exists(path))) return undefined;
  try {
    return State.parse(JSON.parse(await readFile(path, 'utf8')));
  } catch (cause) {
    throw databaseErrors.database_not_started(`${path} is damaged: restore it from a backup.`, {
      cause,
    });
  }
}

function lostData(data: string, dataDir: string) {
  return databaseErrors.database_not_started(
    `The database files in ${data} are gone. Restore them, or remove ${statePath(dataDir)} to begin with an empty database.`,
  );
}

function outOfReach(home: string) {
  return databaseErrors.database_not_started(
    `PostgreSQL's user can't get to ${home} any more. Let others pass through the folders above it (chmod o+x).`,
  );
}

function urlFor(port: number, user: string, password: string, database: string): string {
  return `postgres://${user}:${password}@127.0.0.1:${port}/${database}`;
}

/** The role and the database that the house owns, as on a server of one's own. */
async function createOwner(port: number, state: State): Promise<void> {
  const superuser = openSession(urlFor(port, 'postgres', state.superuserPassword, 'postgres'));
  const name = quoteIdentifier(ownerName);
  try {
    const [role] = await superuser`select 1 from pg_roles where rolname = ${ownerName}`;
    if (!role) {
      // The password is base64url of our making: nothing in it needs quoting.
      await superuser.unsafe(
        `create role ${name} login createrole password '${state.ownerPassword}'`,
      );
    }
    const [database] = await superuser`select 1 from pg_database where datname = ${ownerName}`;
    if (!database) await superuser.unsafe(`create database ${name} owner ${name}`);
  } finally {
    await superuser.end({ timeout: 5 });
  }
}
