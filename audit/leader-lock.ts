// The sequencer's lock: an advisory lock of one otherwise idle transaction, taken anew for each short
// term. A process that was paused or cut off in its term loses it after the server's patience.
import type { Database } from '../platform/index.ts';
import { tryLock } from './sequence-store.ts';

// Between two terms another may take the lock; that is safe (the epoch decides) and rare.
const termMs = 1000;

export interface LeaderLock {
  /** Gives the lock up and the session back to the pool. */
  release(): Promise<void>;
}

/** Takes the lock and keeps it; undefined when another has it. `onLost`: it is gone unasked. */
export function takeLeaderLock(
  database: Database,
  onLost: (error: unknown) => void,
): Promise<LeaderLock | undefined> {
  return new Promise((resolve, reject) => {
    let isTaken = false;
    let isReleased = false;
    let timer: NodeJS.Timeout | undefined;
    let endTerm: (() => void) | undefined;

    const oneTerm = (): Promise<boolean> =>
      database.transaction(async (tx) => {
        if (!(await tryLock(tx))) return false;
        if (!isTaken) resolve({ release });
        isTaken = true;
        if (isReleased) return true;
        await new Promise<void>((end) => {
          endTerm = end;
          timer = setTimeout(end, termMs);
        });
        return true;
      });

    const serve = async (): Promise<void> => {
      while (!isReleased) {
        if (await oneTerm()) continue;
        if (isTaken) throw new Error('Another process has taken the lock between two terms.');
        resolve(undefined);
        return;
      }
    };
    const service = serve().catch((error: unknown) => {
      // A term cut short is over: there is nothing to end.
      clearTimeout(timer);
      endTerm = undefined;
      if (!isTaken) reject(error);
      else if (!isReleased) onLost(error);
    });

    async function release(): Promise<void> {
      isReleased = true;
      clearTimeout(timer);
      endTerm?.();
      await service;
    }
  });
}
