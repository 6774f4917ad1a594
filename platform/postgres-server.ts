// The embedded server's process: started in a session of its own, so that the terminal's Ctrl-C
// reaches us alone, and stopped by us.
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { readFile, rename, stat } from 'node:fs/promises';
import { totalmem } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { databaseErrors } from './database-errors.ts';
import { quoteIdentifier } from './database-url.ts';
import { freePort } from './free-port.ts';
import { postgresEnvironment } from './postgres-binaries.ts';
import type { Cluster } from './postgres-cluster.ts';
import { killServerIn, readPidFile, stopSteps } from './postgres-processes.ts';

export interface ServerOptions {
  preferredPort: number | undefined;
  /** Where its Unix-domain socket lies; undefined for none. */
  socketFolder: string | undefined;
  isDurable: boolean;
  logFile: string;
  onLost: ((reason: string) => void) | undefined;
}

export interface PostgresServer {
  readonly port: number;
  /** Ends all sessions and the server: politely, after 6 s roughly, after 8 s by force. */
  stop(): Promise<void>;
}

const mebibyte = 2 ** 20;

/**
 * A quarter of the memory we may use, from 128 MB to 1 GB, so that the newest partition's indexes over tags,
 * which grow in random places, stay in it. From the 100,000th to the 400,000th an entry of the log took, with
 * 128 MB (and 1 GB of WAL between checkpoints), 2.7 to 6.3 KB of WAL and 0.5 to 2.6 reads of a page; with 1 GB
 * (and 4 GB) 2.6 to 2.7 KB and none, as the first entry does, and 6.7 KB only after a checkpoint.
 */
function memorySettings() {
  const usable = Math.min(totalmem(), process.constrainedMemory() || Number.POSITIVE_INFINITY);
  const quarter = Math.floor(usable / 4 / mebibyte);
  return {
    shared_buffers: `${Math.min(1024, Math.max(128, quarter))}MB`,
    effective_cache_size: `${Math.max(256, 2 * quarter)}MB`,
  };
}

/** For small machines, and for no one's data in the log: statements and values stay out of it. */
function settings(port: number, { isDurable, socketFolder = '' }: ServerOptions): string[] {
  const durability = isDurable ? 'on' : 'off';
  return Object.entries({
    listen_addresses: '127.0.0.1',
    port,
    // Quoted as an identifier in a list: the path may hold a comma or a space.
    unix_socket_directories: socketFolder && quoteIdentifier(socketFolder),
    fsync: durability,
    synchronous_commit: durability,
    full_page_writes: durability,
    max_connections: 100,
    ...memorySettings(),
    // Room for half a million entries of the log between two checkpoints; after each the first change of a
    // page writes it whole.
    max_wal_size: '4GB',
    checkpoint_timeout: '15min',
    random_page_cost: 1.1,
    jit: 'off',
    max_parallel_workers_per_gather: 0,
    timezone: 'UTC',
    log_timezone: 'UTC',
    log_min_error_statement: 'panic',
    log_error_verbosity: 'terse',
    log_parameter_max_length_on_error: 0,
  }).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
}

/** Starts the server and resolves when it takes connections, after crash recovery if need be. */
export async function startServer(
  cluster: Cluster,
  options: ServerOptions,
): Promise<PostgresServer> {
  for (let attempt = 1; ; attempt++) {
    const port = await freePort(attempt === 1 ? options.preferredPort : undefined);
    await turnOver(options.logFile);
    const child = launch(cluster, port, options);
    const failure = await waitUntilReady(child, cluster);
    if (failure === undefined) return handle(child, cluster, port, options);
    const said = await lastLines(options.logFile);
    // Somebody took the port between our look and the start.
    if (attempt < 5 && said.includes('could not bind')) continue;
    throw databaseErrors.database_not_started(`PostgreSQL ${failure}. Its last words:\n${said}`);
  }
}

function launch(cluster: Cluster, port: number, options: ServerOptions): ChildProcess {
  const log = openSync(options.logFile, 'a', 0o600);
  try {
    return spawn(join(cluster.bin, 'postgres'), ['-D', cluster.data, ...settings(port, options)], {
      ...cluster.runAs,
      cwd: cluster.home,
      env: postgresEnvironment,
      detached: true,
      stdio: ['ignore', log, log],
    });
  } finally {
    closeSync(log);
  }
}

/** Undefined once the server says `ready` in its pid file (its eighth line); else what happened. */
async function waitUntilReady(child: ChildProcess, cluster: Cluster): Promise<string | undefined> {
  let failure: string | undefined;
  child.once('error', (error) => {
    failure = `could not be run (${error.message})`;
  });
  child.once('exit', (code, signal) => {
    failure ??= `ended at once (${signal ?? `code ${code}`})`;
  });
  // No bound on recovery itself: it makes progress, or the server ends and says why.
  while (failure === undefined) {
    const { pid, status } = await readPidFile(cluster.data);
    if (pid !== undefined && pid === child.pid && status === 'ready') return undefined;
    await wait(15);
  }
  return failure;
}

function handle(
  child: ChildProcess,
  cluster: Cluster,
  port: number,
  { onLost }: ServerOptions,
): PostgresServer {
  let isStopping = false;
  const exited = new Promise<void>((done) => {
    if (child.exitCode !== null || child.signalCode !== null) done();
    child.once('exit', (code, signal) => {
      process.removeListener('exit', stopWithUs);
      if (!isStopping) onLost?.(`PostgreSQL ended unexpectedly (${signal ?? `code ${code}`})`);
      done();
    });
  });
  // When the process ends without close(), it takes the server along; after kill -9 the next
  // start does.
  const stopWithUs = () => child.kill('SIGINT');
  process.once('exit', stopWithUs);
  child.unref();
  return {
    port,
    stop: async () => {
      isStopping = true;
      child.ref();
      for (const [signal, milliseconds] of stopSteps) {
        child.kill(signal);
        const isOver = await Promise.race([
          exited.then(() => true),
          wait(milliseconds, false, { ref: false }),
        ]);
        if (isOver) return;
      }
      killServerIn(cluster.data);
      await exited;
    },
  };
}

/** Keeps one earlier log beside a log of 10 MB. */
async function turnOver(logFile: string): Promise<void> {
  const size = await stat(logFile).then(
    (found) => found.size,
    () => 0,
  );
  if (size > 10_000_000) await rename(logFile, `${logFile}.1`);
}

async function lastLines(logFile: string): Promise<string> {
  const text = await readFile(logFile, 'utf8').catch(() => '');
  return text.trimEnd().split('\n').slice(-5).join('\n');
}
