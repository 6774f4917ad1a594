// What may be written down about an error: where and what kind, never the data it happened to.
import { databaseFault } from './database-errors.ts';
import { AppError } from './errors.ts';

/** An error as it stands in the log. */
export interface ErrorReport {
  type: string;
  message: string;
  code?: string;
  constraint?: string;
  stack?: string;
  cause?: ErrorReport;
}

const deepestCause = 5;

const longestLabel = 200;

/** The error's name, and its code where it has one: fit to be stored beside a job or an event. */
export function errorLabel(error: unknown): string {
  return labelOf(error).slice(0, longestLabel);
}

function labelOf(error: unknown): string {
  if (error instanceof AppError) return error.code;
  const fault = databaseFault(error);
  if (fault) return `PostgreSQL ${fault.code}`;
  if (!(error instanceof Error)) return `thrown ${typeof error}`;
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  return [error.name, code].filter(Boolean).join(' ');
}

/**
 * The log's form of an error. Unknown properties are left out: database drivers keep the statement,
 * its parameters and the offending row there.
 */
export function reportError(error: unknown, depth = 0): ErrorReport {
  if (!(error instanceof Error)) return { type: typeof error, message: 'Not an Error was thrown.' };
  const report: ErrorReport = { type: error.name, message: wordsOf(error) };
  if ('code' in error && typeof error.code === 'string') report.code = error.code;
  if ('constraint_name' in error && typeof error.constraint_name === 'string') {
    report.constraint = error.constraint_name;
  }
  const frames = error.stack?.split('\n').filter((line) => /^\s+at /.test(line));
  if (frames && frames.length > 0) report.stack = frames.join('\n');
  if (error.cause !== undefined && depth < deepestCause) {
    report.cause = reportError(error.cause, depth + 1);
  }
  return report;
}

/** The message without the values that some makers of errors quote in it. */
function wordsOf(error: Error): string {
  // JSON.parse quotes the text around the fault: part of somebody's request.
  if (error instanceof SyntaxError) return 'The text could not be parsed.';
  return (
    error.message
      // drizzle: "Failed query: select …\nparams: the values"
      .replace(/\nparams: [\s\S]*$/, '')
      // PostgreSQL: invalid input syntax for type date: "the value"
      .replace(/: "[\s\S]*"/, '')
  );
}
