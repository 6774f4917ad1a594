// The sequencer's lock: an advisory lock that lives as long as one pinned, otherwise idle
// transaction. The server ends such a transaction after idle_in_transaction_session_timeout (60 s),
// so a process that was paused or cut off loses the lead by itself.
import type { Database } from '../platform/index.ts';
import { tryLock } from './sequence-store.ts';

/** A sign of life well within the server's patience. */
const signOfLifeMs = 15_000;

export interface LeaderLock {
  /** Gives the lock up and the session back to the pool. */
  release(): Promise<void>;
}

/** Takes the lock; undefined when another session has it. `onLost`: the session has died. */
export function takeLeaderLock(
  database: Database,
  onLost: (error: unknown) => void,
): Promise<LeaderLock | undefined> {
  return new Promise((resolve, reject) => {
    let timer: NodeJS.Timeout | undefined;
    let end: (() => void) | undefined;
    const session = database.transaction(async (tx) => {
      if (!(await tryLock(tx))) return;
      await new Promise<void>((release) => {
        end = release;
        // A failed sign of life is not passed on: the driver would send ROLLBACK down the dead
        // connection and bring the process down (porsager/postgres#1208). The loss is told below.
        timer = setInterval(() => void tryLock(tx).catch(() => {}), signOfLifeMs);
        resolve({
          release: async () => {
            clearInterval(timer);
            end?.();
            end = undefined;
            await session.catch(() => {});
          },
        });
      });
    });
    session.then(
      () => resolve(undefined),
      (error: unknown) => {
        clearInterval(timer);
        const isTaken = timer !== undefined;
        const isReleased = end === undefined;
        // Left pending for ever: ending it would send COMMIT down the dead connection.
        end = undefined;
        if (!isTaken) reject(error);
        else if (!isReleased) onLost(error);
      },
    );
  });
}
