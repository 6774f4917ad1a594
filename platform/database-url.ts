// PostgreSQL URLs: the database they name, and single sessions for administration.
import postgres from 'postgres';
import { databaseErrors } from './database-errors.ts';

/** The database a URL names; postgres.js would take its percent signs literally. */
export function databaseName(url: string): string {
  const name = decodeURIComponent(new URL(url).pathname.slice(1));
  if (name === '') throw databaseErrors.database_unfit('The database URL names no database.');
  return name;
}

/** `url` for the same database as another role. */
export function urlAs(url: string, role: string, password: string): string {
  const changed = new URL(url);
  changed.username = encodeURIComponent(role);
  changed.password = encodeURIComponent(password);
  return changed.href;
}

/** One connection, opened with its first statement; whoever opens it ends it. */
export function openSession(url: string, settings: Record<string, string> = {}): postgres.Sql {
  return postgres(url, {
    max: 1,
    database: databaseName(url),
    connect_timeout: 10,
    onnotice: () => {},
    connection: { application_name: 'yihao-admin', TimeZone: 'UTC', ...settings },
  });
}

/** A name as an SQL identifier. */
export function quoteIdentifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
