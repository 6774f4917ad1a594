// Brings a database up to date as its owner: roles, numbered SQL files, and what libraries need.
import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import postgres from 'postgres';
import { databaseErrors } from './database-errors.ts';
import {
  ensureRolePasswords,
  ensureRoles,
  RolePasswords,
  type RuntimeUrls,
  roleNames,
  runtimeUrls,
} from './database-roles.ts';
import { databaseName, openSession, quoteIdentifier } from './database-url.ts';

export interface MigrateOptions {
  /** A login role that owns its database, with CREATEROLE. */
  ownerUrl: string;
  /** The folder whose database-roles.json keeps the roles' passwords, or the passwords. */
  roles: { keysDir: string } | RolePasswords;
  migrationsDir?: string;
  /** Only migrations with these numbers; for tests while a neighbour's file is being written. */
  onlyNumbers?: readonly number[];
  /** Makes libraries' tables as the owner, after our own; must be safe to run again. */
  extra?: (ownerUrl: string, appRole: string) => Promise<void>;
  onProgress?: (line: string) => void;
}

interface Migration {
  name: string;
  number: number;
  text: string;
  sha256: string;
}

const defaultDir = fileURLToPath(new URL('../migrations/', import.meta.url));

/**
 * Applies every migration not yet applied, in order, each in its own transaction, under a lock
 * that lets one migrator run at a time. A file that changed after it was applied is refused, and
 * nothing is applied. Running it again changes nothing. Returns the URLs for the runtime.
 */
export async function migrate(options: MigrateOptions): Promise<RuntimeUrls> {
  const { ownerUrl } = options;
  const names = roleNames(ownerUrl);
  const migrations = (await readMigrations(options.migrationsDir)).filter(
    ({ number }) => options.onlyNumbers?.includes(number) ?? true,
  );
  const owner = openSession(ownerUrl, {
    application_name: 'yihao-migrate',
    // Nothing but the system's own names without a schema: files must say where things go.
    search_path: 'pg_catalog',
    statement_timeout: '0',
  });
  try {
    await checkServer(owner);
    // Waits for another migrator as long as it takes; the lock ends with the connection.
    await owner`select pg_advisory_lock(hashtextextended('yihao.migrate', 0))`;
    await owner`set lock_timeout = '30s'`;
    const passwords =
      'keysDir' in options.roles
        ? await ensureRolePasswords(options.roles.keysDir)
        : RolePasswords.parse(options.roles);
    await ensureRoles(owner, ownerUrl, passwords);
    await setDoors(owner, ownerUrl);
    const pending = await findPending(owner, migrations);
    for (const migration of pending) {
      options.onProgress?.(`Applying ${migration.name}`);
      await apply(owner, migration, names);
    }
    await options.extra?.(ownerUrl, names.app);
    return runtimeUrls(ownerUrl, passwords);
  } finally {
    await owner.end({ timeout: 5 });
  }
}

async function readMigrations(dir = defaultDir): Promise<Migration[]> {
  const names = (await readdir(dir)).filter((name) => name.endsWith('.sql')).sort();
  return Promise.all(
    names.map(async (name): Promise<Migration> => {
      const number = /^(\d{4})_[a-z0-9_]+\.sql$/.exec(name)?.[1];
      if (number === undefined) {
        throw databaseErrors.migration_failed(`${name} is not named like 0001_what_it_does.sql.`);
      }
      const text = await readFile(join(dir, name), 'utf8');
      const sha256 = createHash('sha256').update(text).digest('hex');
      return { name, number: Number(number), text, sha256 };
    }),
  );
}

async function checkServer(owner: postgres.Sql): Promise<void> {
  const [facts] = await owner<{ version: number; encoding: string; may_create: boolean }[]>`
    select current_setting('server_version_num')::int as version,
      current_setting('server_encoding') as encoding,
      has_database_privilege(current_user, current_database(), 'CREATE') as may_create`;
  const faults = [
    !facts || facts.version < 150_000 ? 'PostgreSQL 15 or later is needed' : '',
    facts?.encoding === 'UTF8' ? '' : 'the database must have the encoding UTF8',
    facts?.may_create ? '' : 'the role in DATABASE_URL must own the database',
  ].filter(Boolean);
  if (faults.length > 0) {
    throw databaseErrors.database_unfit(`This database can't be used: ${faults.join('; ')}.`);
  }
}

/** Only the owner and the two roles may connect; nobody may make tables, not even temporary ones. */
async function setDoors(owner: postgres.Sql, ownerUrl: string): Promise<void> {
  const database = quoteIdentifier(databaseName(ownerUrl));
  const names = roleNames(ownerUrl);
  const roles = `${quoteIdentifier(names.app)}, ${quoteIdentifier(names.log)}`;
  await owner.unsafe(`
    revoke all on database ${database} from public;
    grant connect on database ${database} to ${roles};
    revoke all on schema public from public;
    create schema if not exists platform;
    create table if not exists platform.migrations (
      name text primary key,
      sha256 text not null,
      applied_at timestamptz not null default clock_timestamp()
    );
    grant usage on schema platform to ${roles};
    grant select on platform.migrations to ${roles};`);
}

/** The migrations to apply; refuses when one that was applied has another text now. */
async function findPending(owner: postgres.Sql, migrations: Migration[]): Promise<Migration[]> {
  const applied = new Map(
    (
      await owner<{ name: string; sha256: string }[]>`
        select name, sha256 from platform.migrations`
    ).map(({ name, sha256 }) => [name, sha256]),
  );
  const changed = migrations.filter(
    ({ name, sha256 }) => applied.has(name) && applied.get(name) !== sha256,
  );
  if (changed.length > 0) {
    throw databaseErrors.migration_changed(
      `Changed after being applied: ${changed.map(({ name }) => name).join(', ')}. Restore the text and put the change into a new migration.`,
    );
  }
  return migrations.filter(({ name }) => !applied.has(name));
}

async function apply(
  owner: postgres.Sql,
  migration: Migration,
  names: { app: string; log: string },
): Promise<void> {
  const text = migration.text.replace(/:"(app|log)"/g, (_, kind: 'app' | 'log') =>
    quoteIdentifier(names[kind]),
  );
  try {
    await owner.begin(async (tx) => {
      await tx.unsafe(text);
      await tx`insert into platform.migrations (name, sha256)
        values (${migration.name}, ${migration.sha256})`;
    });
  } catch (cause) {
    throw databaseErrors.migration_failed(
      `${migration.name}${lineOf(cause, text)}: ${cause instanceof Error ? cause.message : cause}`,
      { cause },
    );
  }
}

/** ` line N` where PostgreSQL says at which character of the text it stumbled. */
function lineOf(error: unknown, text: string): string {
  if (!(error instanceof postgres.PostgresError) || !error.position) return '';
  return ` line ${text.slice(0, Number(error.position)).split('\n').length}`;
}
