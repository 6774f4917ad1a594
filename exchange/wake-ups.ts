// Jobs as wake-up calls: they may be lost, doubled or late, the rows decide (spec/trust.md 3).
import type { Queue } from '../platform/index.ts';

/** One verification waits for a worker. */
export const ANSWER_JOB = 'exchange.answer';

/** Sends wake-up calls. */
export function createWakeUps({ queue }: { queue: Pick<Queue, 'add'> }) {
  return {
    /** Wakes a worker for one dispatch of a verification. */
    dispatch(verificationId: string, dispatchNo: number): Promise<void> {
      const id = `req-${verificationId}-${dispatchNo}`;
      return queue.add(ANSWER_JOB, { id, data: { verificationId, dispatchNo } });
    },
  };
}

export type WakeUps = ReturnType<typeof createWakeUps>;
