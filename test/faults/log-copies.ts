// Backups of a test's database: whole copies, made and put back while nobody is connected.
import { inject } from 'vitest';
import { openSession, quoteIdentifier } from '../../platform/database-url.ts';
import { systemIds } from '../../platform/ids.ts';

export interface CopiedDatabase {
  appUrl: string;
  logUrl: string;
  ownerUrl: string;
  /** Makes a backup; returns what puts it back, any number of times. */
  backUp(): Promise<() => Promise<void>>;
  /** Drops it and its backups. */
  drop(): Promise<void>;
}

/** A database from the run's migrated template, under a name of its own. */
export async function makeDatabase(): Promise<CopiedDatabase> {
  const server = inject('testServer');
  if ('failure' in server) throw new Error(`No database to test with. ${server.failure}`);
  const { serverUrl, template } = server;
  const name = `${template}_${systemIds.bytes(4).toString('hex')}`;
  const made = [name];
  const at = (url: string): string => {
    const changed = new URL(url);
    changed.pathname = `/${name}`;
    return changed.href;
  };

  async function onServer(...statements: string[]): Promise<void> {
    const sql = openSession(serverUrl);
    try {
      for (const statement of statements) await sql.unsafe(statement);
    } finally {
      await sql.end({ timeout: 5 });
    }
  }

  const copy = (from: string, to: string): string[] => [
    `drop database if exists ${quoteIdentifier(to)} with (force)`,
    // A session of a process that was killed may linger for a moment.
    `select pg_terminate_backend(pid) from pg_stat_activity where datname = '${from}'`,
    `create database ${quoteIdentifier(to)} template ${quoteIdentifier(from)}`,
    `revoke all on database ${quoteIdentifier(to)} from public`,
    `grant connect on database ${quoteIdentifier(to)} to ${template}_app, ${template}_log`,
  ];

  await onServer(...copy(template, name));
  return {
    appUrl: at(server.appUrl),
    logUrl: at(server.logUrl),
    ownerUrl: at(server.ownerUrl),
    backUp: async () => {
      const backup = `${name}_${made.length}`;
      made.push(backup);
      await onServer(...copy(name, backup));
      return () => onServer(...copy(backup, name));
    },
    drop: () =>
      onServer(
        ...made.map((one) => `drop database if exists ${quoteIdentifier(one)} with (force)`),
      ),
  };
}
