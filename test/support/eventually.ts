// Bounded waiting on a condition; the only way tests wait.
import { setTimeout as wait } from 'node:timers/promises';

/**
 * Resolves with the value of `look` as soon as it gives one (neither undefined, null nor false) without
 * throwing; after `timeoutMs` fails with what `look` last threw, or says that nothing came.
 */
export async function eventually<T>(
  look: () => T | Promise<T>,
  { timeoutMs = 5_000 } = {},
): Promise<NonNullable<Exclude<T, false>>> {
  const end = performance.now() + timeoutMs;
  for (;;) {
    let failure: unknown = new Error(`The condition did not come true within ${timeoutMs} ms.`);
    try {
      const value = await look();
      if (isGiven(value)) return value;
    } catch (error) {
      failure = error;
    }
    if (performance.now() > end) throw failure;
    await wait(20);
  }
}

function isGiven<T>(value: T): value is NonNullable<Exclude<T, false>> {
  return value !== undefined && value !== null && value !== false;
}
