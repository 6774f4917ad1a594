// A database per test file, copied from the run's migrated template (0.04 s), reached as the app
// and log roles that the house itself runs as.
import postgres from 'postgres';
import { afterAll, beforeAll, inject } from 'vitest';
import { type Database, databaseOn, openPool } from '../../platform/database.ts';
import { openSession } from '../../platform/database-url.ts';
import { systemIds } from '../../platform/ids.ts';
import { eventually } from './eventually.ts';

export interface TestDatabase {
  /** As the app role: no DDL, and on the log only what its migration grants. */
  readonly database: Database;
  /** As the sequencer's role. */
  readonly logDatabase: Database;
  /** As the owner, for arranging and looking; not for what the house does. */
  readonly ownerSql: postgres.Sql;
  readonly ownerUrl: string;
  readonly appUrl: string;
  readonly logUrl: string;
  /** Moves the database's clock (platform.now()) for both roles to `milliseconds` from the real one. */
  setClockOffset(milliseconds: number): Promise<void>;
}

const poolSizes = { app: 10, log: 3, owner: 2 };

/**
 * Call at the top of a test file or a describe block: makes the database before its tests, drops
 * it after, and fails when a connection to it was left open. What it returns may be taken apart.
 */
export function withDatabase(): TestDatabase {
  const server = inject('testServer');
  if ('failure' in server) throw new Error(`No database to test with. ${server.failure}`);
  const name = `${server.template}_${systemIds.bytes(4).toString('hex')}`;
  const ownerUrl = urlOf(server.ownerUrl, name);
  const appUrl = urlOf(server.appUrl, name);
  const logUrl = urlOf(server.logUrl, name);
  const appPool = openPool({ url: appUrl, max: poolSizes.app, applicationName: 'test-app' });
  const logPool = openPool({ url: logUrl, max: poolSizes.log, applicationName: 'test-log' });
  const ownerSql = postgres(ownerUrl, {
    max: poolSizes.owner,
    onnotice: () => {},
    connection: { TimeZone: 'UTC' },
  });

  let isClockMoved = false;

  beforeAll(async () => {
    // The copy has the template's tables and grants, but not its doors (migrate.ts).
    await onServer(server.serverUrl, async (sql) => {
      await sql.unsafe(`create database ${name} template ${server.template}`);
      const roles = `${server.template}_app, ${server.template}_log`;
      await sql.unsafe(`revoke all on database ${name} from public`);
      await sql.unsafe(`grant connect on database ${name} to ${roles}`);
    });
  });

  afterAll(async () => {
    await Promise.all([appPool, logPool, ownerSql].map((pool) => pool.end({ timeout: 5 })));
    await onServer(server.serverUrl, async (sql) => {
      // Of others' sessions an owner sees no more than whose they are; autovacuum is nobody's.
      const findLeft = async () =>
        (
          await sql<{ usename: string }[]>`
            select usename from pg_stat_activity
            where datname = ${name} and usesysid is not null`
        ).map(({ usename }) => usename);
      await eventually(async () => (await findLeft()).length === 0, { timeoutMs: 2_000 }).catch(
        async () => {
          throw new Error(`This file left connections open, of: ${await findLeft()}`);
        },
      );
      await sql.unsafe(`drop database ${name} with (force)`);
    });
  });

  return {
    database: databaseOn(appPool),
    logDatabase: databaseOn(logPool),
    ownerSql,
    ownerUrl,
    appUrl,
    logUrl,
    setClockOffset: async (milliseconds) => {
      // Having every session in hand takes up to a second: the log's are busy. Most tests have moved nothing.
      if (milliseconds === 0 && !isClockMoved) return;
      isClockMoved = milliseconds !== 0;
      const offset = `${milliseconds} milliseconds`;
      await Promise.all([
        setOnAll(appPool, poolSizes.app, offset),
        setOnAll(logPool, poolSizes.log, offset),
      ]);
    },
  };
}

/** Sets the clock's offset in every session of a pool, opening all of them. */
async function setOnAll(pool: postgres.Sql, size: number, offset: string): Promise<void> {
  const sessions = await Promise.all(Array.from({ length: size }, () => pool.reserve()));
  try {
    await Promise.all(
      sessions.map((sql) => sql`select set_config('yihao.clock_offset', ${offset}, false)`),
    );
  } finally {
    for (const session of sessions) session.release();
  }
}

/** Runs `act` in a database that is neither the template nor ours: nobody may be in those then. */
async function onServer(serverUrl: string, act: (sql: postgres.Sql) => Promise<void>) {
  const sql = openSession(serverUrl);
  try {
    await act(sql);
  } finally {
    await sql.end({ timeout: 5 });
  }
}

function urlOf(url: string, database: string): string {
  const changed = new URL(url);
  changed.pathname = `/${database}`;
  return changed.href;
}
