// Those who wait for their staged entries to get an index: told directly by a sequencer in this
// process, else by looking up when the database says that the tree has grown.
import { auditErrors } from './errors.ts';

interface Waiter {
  missing: Set<string>;
  found: Map<string, number>;
  done(): void;
  giveUp(): void;
}

// A waiter usually asks within milliseconds of its commit; 16,384 is over a second of full load.
const keptIndexes = 16_384;
// How long a lost notification can go unnoticed.
const lookUpEveryMs = 100;

export interface WaitersDeps {
  lookUp(stageIds: string[]): Promise<Iterable<[string, number]>>;
  onError(error: unknown): void;
}

export function createWaiters({ lookUp, onError }: WaitersDeps) {
  const known = new Map<string, number>();
  const waiting = new Map<string, Set<Waiter>>();
  let isLookingUp = false;
  let isAskedAgain = false;
  let timer: NodeJS.Timeout | undefined;
  let isClosed = false;

  /** Entries with these stage ids are committed to the tree. */
  function settle(indexes: Iterable<[string, number]>): void {
    for (const [stageId, index] of indexes) {
      known.set(stageId, index);
      const waiters = waiting.get(stageId) ?? [];
      waiting.delete(stageId);
      for (const waiter of waiters) {
        waiter.missing.delete(stageId);
        waiter.found.set(stageId, index);
        if (waiter.missing.size === 0) waiter.done();
      }
    }
    for (const oldest of known.keys()) {
      if (known.size <= keptIndexes) break;
      known.delete(oldest);
    }
  }

  /** Looks up all that is waited for, one query at a time. */
  async function check(): Promise<void> {
    isAskedAgain = isLookingUp;
    if (isLookingUp || waiting.size === 0) return;
    isLookingUp = true;
    try {
      settle(await lookUp([...waiting.keys()]));
    } catch (error) {
      onError(error);
    } finally {
      isLookingUp = false;
    }
    if (isAskedAgain) await check();
  }

  function checkLater(): void {
    if (timer !== undefined || waiting.size === 0) return;
    timer = setTimeout(() => {
      timer = undefined;
      checkLater();
      void check();
    }, lookUpEveryMs);
  }

  /** The indexes in the order of the ids; audit.unavailable when that takes longer. */
  function wait(stageIds: readonly string[], timeoutMs: number): Promise<number[]> {
    const found = new Map<string, number>();
    const missing = new Set<string>();
    for (const id of stageIds) {
      const index = known.get(id);
      if (index === undefined) missing.add(id);
      else found.set(id, index);
    }
    const inOrder = () => stageIds.map((id) => found.get(id) ?? Number.NaN);
    if (missing.size === 0) return Promise.resolve(inOrder());
    if (isClosed) return Promise.reject(notSequenced());
    return new Promise((resolve, reject) => {
      const waiter: Waiter = {
        missing,
        found,
        done: () => {
          clearTimeout(expiry);
          resolve(inOrder());
        },
        giveUp: () => {
          clearTimeout(expiry);
          leave(waiter);
          reject(notSequenced());
        },
      };
      const expiry = setTimeout(waiter.giveUp, timeoutMs);
      for (const id of missing) waiting.set(id, (waiting.get(id) ?? new Set()).add(waiter));
      checkLater();
    });
  }

  function leave(waiter: Waiter): void {
    for (const id of waiter.missing) {
      const waiters = waiting.get(id);
      waiters?.delete(waiter);
      if (waiters?.size === 0) waiting.delete(id);
    }
  }

  /** Turns away who still waits, and looks up nothing more: the connections are about to end. */
  function close(): void {
    isClosed = true;
    clearTimeout(timer);
    for (const waiter of [...waiting.values()].flatMap((waiters) => [...waiters])) waiter.giveUp();
  }

  return { settle, check, wait, close };
}

function notSequenced() {
  return auditErrors.unavailable(
    'The log did not take up the entry in time, so nothing may be shown. Try again.',
    { retryAfterSeconds: 1 },
  );
}
