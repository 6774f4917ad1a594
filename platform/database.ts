// Connections to PostgreSQL: one pool per database role, transactions, notifications, its clock.
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { type SQL, sql } from 'drizzle-orm';
import type { PgDatabase, PgQueryResultHKT } from 'drizzle-orm/pg-core';
import { drizzle } from 'drizzle-orm/postgres-js';
import postgres from 'postgres';
import { databaseFault, isRetryable } from './database-errors.ts';
import { databaseName } from './database-url.ts';
import { systemIds } from './ids.ts';
import { untilConnectionLost } from './lost-connection.ts';
import { alongside, preparing, type SentAlong, send } from './prepared-statements.ts';
import { type RowScope, scopeStatement } from './row-scope.ts';

/** What a store's functions take first: a pool and a transaction both fit. */
export type Tx = PgDatabase<PgQueryResultHKT>;

interface TransactionOptions {
  isolation?: 'read committed' | 'repeatable read' | 'serializable';
}

/** Transactions of one scope. */
export type ScopedDatabase = Pick<Database, 'transaction'>;

export interface Database {
  /** Statements outside a transaction, each on any connection of the pool. No walled row is in sight. */
  readonly db: Tx;
  /**
   * Runs `act` in one transaction: all of it or nothing. A serialization failure or a deadlock
   * runs `act` again, up to five times, so `act` must do nothing but database work.
   */
  transaction<T>(act: (tx: Tx) => Promise<T>, options?: TransactionOptions): Promise<T>;
  /**
   * The same database with the rows of a scope in sight. Without it a transaction sees and writes no
   * row under row-level security: to forget it is to find nothing.
   */
  as(scope: RowScope): ScopedDatabase;
  /**
   * Calls `onNotify` for each NOTIFY on `channel`, and with '' after a lost connection came back,
   * when notifications may have been missed. Resolves once listening; returns the way to stop.
   */
  listen(channel: string, onNotify: (payload: string) => void): Promise<() => Promise<void>>;
  /** Waits up to five seconds for running statements, then ends all connections. */
  close(): Promise<void>;
}

export interface ConnectOptions {
  url: string;
  /** Most connections the pool opens; LISTEN uses one more. */
  max: number;
  applicationName: string;
  /** Where a server on this machine has its Unix-domain socket, named by the URL's port. */
  socketFolder?: string | undefined;
  /** Longest run of one statement; 0 for no limit. */
  statementTimeoutSeconds?: number;
}

const attempts = 5;
const noScope: RowScope = Object.freeze({});

/** A lazily connecting pool for one database role; nothing is sent before the first statement. */
export function connectDatabase(options: ConnectOptions): Database {
  return databaseOn(openPool(options));
}

/** The bare pool: sessions speak UTC, and none may hang for ever. */
export function openPool(options: ConnectOptions): postgres.Sql {
  const { socketFolder } = options;
  return postgres(options.url, {
    ...(socketFolder !== undefined && {
      path: join(socketFolder, `.s.PGSQL.${new URL(options.url).port}`),
    }),
    max: options.max,
    database: databaseName(options.url),
    connect_timeout: 10,
    onnotice: () => {},
    connection: {
      application_name: options.applicationName,
      TimeZone: 'UTC',
      // Statements name the schema of every table, so that none can be put in front of it.
      search_path: 'pg_catalog',
      statement_timeout: (options.statementTimeoutSeconds ?? 30) * 1000,
      lock_timeout: 10_000,
      idle_in_transaction_session_timeout: 60_000,
    },
  });
}

/** The Database face over an open pool. */
export function databaseOn(pool: postgres.Sql): Database {
  const plain = drizzle(preparing(beginning(pool, undefined, noScope)));
  const run = async <T>(
    scope: RowScope,
    act: (tx: Tx) => Promise<T>,
    { isolation }: TransactionOptions = {},
  ): Promise<T> => {
    // Where something is set it is made anew for each transaction: 6 to 14 µs.
    const db =
      scope === noScope && isolation === undefined
        ? plain
        : drizzle(preparing(beginning(pool, isolation, scope)));
    for (let attempt = 1; ; attempt++) {
      try {
        return await db.transaction(act);
      } catch (error) {
        if (attempt === attempts || !isRetryable(error)) throw error;
        // Jitter parts the rivals, so that they don't meet again.
        await wait(1 + systemIds.int(10 * 2 ** attempt));
      }
    }
  };
  return {
    db: drizzle(preparing(pool)),
    transaction: (act, options) => run(noScope, act, options),
    as: (scope) => ({ transaction: (act, options) => run(scope, act, options) }),
    listen: createListening(pool),
    close: () => pool.end({ timeout: 5 }),
  };
}

/** The pool, whose transactions begin with an isolation level and a scope. */
function beginning(
  pool: postgres.Sql,
  isolation: TransactionOptions['isolation'],
  scope: RowScope,
): postgres.Sql {
  const mode = isolation === undefined ? '' : `isolation level ${isolation}`;
  const setting = scopeStatement(scope);
  const begin = async (act: (client: postgres.TransactionSql) => unknown) => {
    const sent: SentAlong = [];
    const result = await untilConnectionLost(
      (held) => pool.begin(mode, held),
      (client) => {
        Reflect.set(client, alongside, sent);
        // Not awaited: it goes ahead of the act's first statement, in the same round trip.
        if (setting) sent.push(send(client, setting.text, setting.values));
        return act(client);
      },
    ).catch(async (error: unknown) => {
      // What the act's next statement met was only that the transaction had failed before it.
      if (databaseFault(error)?.code === '25P02') await refuseFaults(sent);
      throw error;
    });
    // PostgreSQL answers the COMMIT of a transaction that failed with a silent ROLLBACK.
    await refuseFaults(sent);
    return result;
  };
  return new Proxy(pool, {
    get: (target, name) => (name === 'begin' ? begin : Reflect.get(target, name)),
  });
}

async function refuseFaults(sent: SentAlong): Promise<void> {
  for (const fault of await Promise.all(sent)) if (fault) throw fault.error;
}

/**
 * One LISTEN per channel for the life of the pool, handed on to whoever listens now: what the
 * driver's own unlisten forgets after a lost connection is never heard again.
 */
function createListening(pool: postgres.Sql): Database['listen'] {
  interface Channel {
    listeners: Set<(payload: string) => void>;
    isOpen: Promise<unknown>;
  }
  const channels = new Map<string, Channel>();

  const open = (name: string): Channel => {
    const listeners: Channel['listeners'] = new Set();
    const tell = (payload: string) => {
      for (const listener of listeners) listener(payload);
    };
    let isFirst = true;
    const isOpen = pool.listen(name, tell, () => {
      if (!isFirst) tell('');
      isFirst = false;
    });
    isOpen.catch(() => channels.delete(name));
    const channel = { listeners, isOpen };
    channels.set(name, channel);
    return channel;
  };

  return async (name, onNotify) => {
    const channel = channels.get(name) ?? open(name);
    // A wrapper of its own, so that the same function may listen twice.
    const listener = (payload: string) => onNotify(payload);
    channel.listeners.add(listener);
    await channel.isOpen;
    return async () => {
      channel.listeners.delete(listener);
    };
  };
}

/**
 * Opens more rows to the rest of a transaction: those its act has just decided it may see. Replaces
 * what stood in the settings it names.
 */
export async function openRows(tx: Tx, scope: RowScope): Promise<void> {
  const settings = Object.entries(scope).map(
    ([name, value]) => sql`set_config(${`yihao.${name}`}, ${value}, true)`,
  );
  if (settings.length > 0) await tx.execute(sql`select ${sql.join(settings, sql`, `)}`);
}

/** The database's clock, which decides deadlines and validity; tests move it (`yihao.clock_offset`). */
export async function dbNow(tx: Tx): Promise<Date> {
  const [row] = await selectRows<{ milliseconds: number }>(
    tx,
    sql`select (extract(epoch from platform.now()) * 1000)::float8 as milliseconds`,
  );
  if (!row) throw new TypeError('The database gave no time.');
  return new Date(row.milliseconds);
}

/**
 * The rows of a hand-written query. The one place where rows get their type by word of the caller:
 * timestamps, dates and int8 come as text, float8 and int4 as numbers, bytea as Buffer, json parsed.
 */
export async function selectRows<Row extends object>(tx: Tx, query: SQL): Promise<Row[]> {
  // The driver's result is an array of row objects; the base type Tx knows it only as unknown.
  return (await tx.execute(query)) as Row[];
}
