// Jobs as wake-up calls: they may be lost, doubled or late, the rows decide (spec/trust.md 3).
import type { Ids, Queue } from '../platform/index.ts';
import { LEASE_SECONDS } from './request-store.ts';

/** One verification waits for a worker. */
export const ANSWER_JOB = 'exchange.answer';
/** Some verification may have been left behind: look at all. */
export const LOOK_JOB = 'exchange.look';

// Behind requests that run at once stands one job per second and process, not one per request.
const BEHIND_EVERY_MS = 1000;

/** Sends wake-up calls. */
export function createWakeUps({ queue, ids }: { queue: Pick<Queue, 'add'>; ids: Ids }) {
  let isOneBehind = false;

  return {
    /** Wakes a worker for one dispatch of a verification. */
    dispatch(verificationId: string, dispatchNo: number): Promise<void> {
      const id = `req-${verificationId}-${dispatchNo}`;
      return queue.add(ANSWER_JOB, { id, data: { verificationId, dispatchNo } });
    },

    /**
     * Puts a job behind the requests this process is running at once: due when their leases have
     * run out, it finds what a crash left of them.
     */
    behind(): void {
      if (isOneBehind) return;
      isOneBehind = true;
      setTimeout(() => {
        isOneBehind = false;
      }, BEHIND_EVERY_MS).unref();
      const delayMs = (LEASE_SECONDS + 1) * 1000;
      // Not awaited: add() never throws, and the caller's answer doesn't depend on it.
      void queue.add(LOOK_JOB, { id: `look-${ids.uuid()}`, data: {}, delayMs });
    },
  };
}

export type WakeUps = ReturnType<typeof createWakeUps>;
