// Refusals around the database, and what PostgreSQL itself said (SQLSTATE, appendix A of its manual).
import postgres from 'postgres';
import { type AppError, errorCatalogue } from './errors.ts';

export const databaseErrors = errorCatalogue('platform', {
  already_running: 'conflict',
  /** It is gone, full or restarting: the caller may come back. */
  database_away: 'unavailable',
  database_not_started: 'unavailable',
  database_unfit: 'unavailable',
  migration_changed: 'conflict',
  migration_failed: 'unavailable',
});

/** The SQLSTATE, constraint and message of a refusal by the database. */
interface DatabaseFault {
  code: string;
  constraint: string | undefined;
  message: string;
}

/** The database's own fault behind `error`, however often it was wrapped; undefined if none. */
export function databaseFault(error: unknown): DatabaseFault | undefined {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if (cause instanceof postgres.PostgresError) {
      return { code: cause.code, constraint: cause.constraint_name, message: cause.message };
    }
  }
  return undefined;
}

/** Is this a breach of a unique constraint (23505), of the named one when a name is given? */
export function isUniqueViolation(error: unknown, constraint?: string): boolean {
  const fault = databaseFault(error);
  return fault?.code === '23505' && (constraint === undefined || fault.constraint === constraint);
}

/** Serialization failure or deadlock: the transaction had no effect and may be run again. */
export function isRetryable(error: unknown): boolean {
  const code = databaseFault(error)?.code;
  return code === '40001' || code === '40P01';
}

/** SQLSTATE classes 08, 53 and 57P, and what the driver says of a connection that is gone. */
const away =
  /^(08|53|57P)|^(CONNECTION_(CLOSED|ENDED|DESTROYED)|CONNECT_TIMEOUT|ECONNREFUSED|ECONNRESET|EPIPE)$/;

/** The refusal of whoever met a database that is gone, full or restarting; undefined for any other fault. */
export function databaseAway(error: unknown): AppError | undefined {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    const isDriver = cause instanceof postgres.PostgresError || 'errno' in cause;
    if (isDriver && 'code' in cause && away.test(String(cause.code))) {
      return databaseErrors.database_away('The database is not there just now. Try again.', {
        retryAfterSeconds: 2,
        cause: error,
      });
    }
  }
  return undefined;
}
