// The structured log: JSON lines on stdout, without secrets and without personal data.
import pino from 'pino';
import { withoutCitizenIds } from './citizen-id-net.ts';
import { reportError } from './error-report.ts';

export type Logger = pino.Logger;

export interface LoggerOptions {
  /** Least severe level that is written: trace, debug, info, warn, error, fatal, silent. */
  level: string;
  /** Where lines go; stdout unless a test says otherwise. */
  destination?: { write(line: string): void };
}

const secretNames = [
  'authorization',
  'cookie',
  '["set-cookie"]',
  'dpop',
  'password',
  'pin',
  'token',
  'access_token',
  'client_assertion',
  'private_jwk',
  'secret',
];

/**
 * The process's log. Objects under `err` or `error` are reduced by reportError, well-known secrets
 * are blotted out up to two levels deep, and what has the shape of a citizen ID never leaves.
 * `logger.child({ requestId })` marks the lines of one request.
 */
export function createLogger({ level, destination }: LoggerOptions): Logger {
  const out = destination ?? pino.destination({ dest: 1, sync: true });
  return pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { err: reportError, error: reportError },
      redact: {
        paths: secretNames.flatMap((name) =>
          name.startsWith('[') ? [name, `*${name}`] : [name, `*.${name}`],
        ),
        censor: '[secret]',
      },
    },
    // 0.4 µs a line: one regular expression over the finished text sees every field and message.
    { write: (line: string) => out.write(withoutCitizenIds(line)) },
  );
}
