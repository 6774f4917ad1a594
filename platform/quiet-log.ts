// Warnings of which an outage makes thousands: one at once, then one per while with their number.
import type { Logger } from './logger.ts';

const whileMs = 5000;

/** A `warn` that writes the first of many, and after five seconds the last with how many there were. */
export function quietWarn(logger: Logger): (fields: object, message: string) => void {
  let isQuiet = false;
  let held: { fields: object; message: string; count: number } | undefined;

  function speak(): void {
    if (held) {
      logger.warn({ ...held.fields, times: held.count }, held.message);
      held = undefined;
      setTimeout(speak, whileMs).unref();
    } else {
      isQuiet = false;
    }
  }

  return (fields, message) => {
    if (isQuiet) {
      held = { fields, message, count: (held?.count ?? 0) + 1 };
      return;
    }
    isQuiet = true;
    logger.warn(fields, message);
    setTimeout(speak, whileMs).unref();
  };
}
