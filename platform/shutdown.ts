// Stopping the process: everything is closed in reverse order of opening, within a bound.
import type { EventEmitter } from 'node:events';
import type { Logger } from './logger.ts';
import { TimeoutError, within } from './within.ts';

export interface ShutdownOptions {
  logger: Logger;
  /** Bound on the whole of it; the contract allows ten seconds. */
  boundMs?: number;
  /** Ends the process; process.exit unless a test says otherwise. */
  exit?: (code: number) => void;
}

/**
 * Collects what has to be closed. The first signal closes it all and exits with 0, or with 1 when
 * something failed or the bound ran out; a second signal exits with 1 at once. No promise of the
 * house depends on any of this: a killed process is recovered from the database.
 */
export function createShutdown({
  logger,
  boundMs = 9000,
  exit = (code) => process.exit(code),
}: ShutdownOptions) {
  const steps: { name: string; close: () => Promise<void> | void }[] = [];
  let closing: Promise<boolean> | undefined;

  /** Closes everything once, last opened first; true when all of it went well and in time. */
  function close(): Promise<boolean> {
    closing ??= closeAll();
    return closing;
  }

  async function closeAll(): Promise<boolean> {
    let current = '';
    let isClean = true;
    const run = async () => {
      for (const { name, close: closeStep } of steps.toReversed()) {
        current = name;
        try {
          await closeStep();
        } catch (error) {
          isClean = false;
          logger.error({ err: error, step: name }, 'Closing failed.');
        }
      }
    };
    try {
      await within(boundMs, run(), 'the shutdown');
    } catch (error) {
      if (!(error instanceof TimeoutError)) throw error;
      logger.error({ step: current, boundMs }, 'Closing took too long and was given up.');
      return false;
    }
    return isClean;
  }

  function onSignal(signal: NodeJS.Signals): void {
    if (closing) {
      logger.warn({ signal }, 'Stopping at once.');
      exit(1);
      return;
    }
    logger.info({ signal }, 'Stopping.');
    close().then(
      (isClean) => exit(isClean ? 0 : 1),
      (error: unknown) => {
        logger.fatal({ err: error }, 'Stopping failed.');
        exit(1);
      },
    );
  }

  return {
    /** Adds what is to be closed; call it right after opening, in floor order. */
    onClose: (name: string, closeStep: () => Promise<void> | void): void => {
      steps.push({ name, close: closeStep });
    },
    close,
    /** Answers the process's SIGINT and SIGTERM from now on. */
    listen: (source: EventEmitter = process): void => {
      source.on('SIGINT', onSignal);
      source.on('SIGTERM', onSignal);
    },
  };
}

export type Shutdown = ReturnType<typeof createShutdown>;
