// What a command of the operator's tool is, and how its words are read.
import { type ParseArgsConfig, parseArgs } from 'node:util';

/** A command ends with this code; 0 is success. */
export type ExitCode = number;

export interface Command {
  /** Its words after `npm run yihao --`, for example `audit verify`. */
  readonly name: string;
  /** One line for the list of commands. */
  readonly summary: string;
  /** The full help: usage, options, what it prints, exit codes. */
  readonly help: string;
  run(args: string[]): Promise<ExitCode>;
}

/** Words the command does not understand; the help is shown beside it, exit code 2. */
export class UsageError extends Error {}

type Options = NonNullable<ParseArgsConfig['options']>;

/** Reads options and positionals; unknown options are a UsageError. */
export function readArgs<O extends Options>(args: string[], options: O) {
  try {
    return parseArgs({ args, options, allowPositionals: true, strict: true });
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}
