// What the exchange does by itself: answers dispatched questions, wakes what is stuck, ends what is
// late, erases what has been kept long enough. Each run may be lost, doubled or late without harm.
import { addDays, cityDay, dbNow, type JobData, systemScope, type Tx } from '../platform/index.ts';
import { type Answering, MAX_ATTEMPTS } from './answer.ts';
import type { ExchangeDeps } from './deps.ts';
import { AlreadyEnded, type EndVerification, type Outcome } from './ending.ts';
import { deleteOldProbes } from './guards-store.ts';
import { systemActor } from './request.ts';
import { findVerification } from './request-store.ts';
import {
  deleteOldRequestKeys,
  deleteOldUsage,
  eraseOldAnswers,
  findExpired,
  measureOpen,
  redispatchStuck,
} from './sweep-store.ts';
import { ANSWER_JOB, type WakeUps } from './wake-ups.ts';

/** A job for the sweeper: one runner in the cluster. */
export interface ExchangeJob {
  name: string;
  everyMs: number;
  run: () => Promise<void>;
}

const BATCH = 500;
/** How long a verification that was woken waits for a worker before it is woken again. */
const REDISPATCH_SECONDS = 30;
const REQUEST_KEY_HOURS = 24;
const USAGE_DAYS = 40;

/** Binds the jobs, and names the queue's handlers. */
export function createJobs(
  deps: ExchangeDeps,
  parts: {
    answering: Answering;
    wakeUps: WakeUps;
    end: EndVerification;
    tellOverdue: () => Promise<void>;
    settleCases: () => Promise<void>;
  },
) {
  const { queue, logger, metrics, cityTz } = deps;
  const { answering, wakeUps, end, tellOverdue, settleCases } = parts;
  const database = deps.database.as(systemScope);
  const open = metrics.gauge('verifications_open', 'Verifications that have not ended.');
  const oldest = metrics.gauge('verifications_oldest_seconds', 'Age of the oldest open one.');
  const late = metrics.gauge('verifications_overdue', 'Open ones past their deadline.');

  queue.handle(ANSWER_JOB, async (data) => {
    const { verificationId, dispatchNo } = readDispatch(data);
    await answering.runDispatched(verificationId, dispatchNo);
  });

  async function endAs(id: string, outcome: Outcome): Promise<void> {
    try {
      await database.transaction(async (tx) => {
        const row = await findVerification(tx, id, 'for update');
        if (!row || row.endedAt !== null) return;
        await end(tx, systemActor(row), row, outcome);
      });
    } catch (error) {
      if (error instanceof AlreadyEnded) return;
      logger.error({ err: error, verification: id }, 'A verification could not be ended.');
    }
  }

  /** Wakes workers for what nobody works on; gives up what failed too often. */
  async function wakeStuck(): Promise<void> {
    const stuck = await database.transaction((tx) =>
      redispatchStuck(tx, REDISPATCH_SECONDS, BATCH),
    );
    for (const { id, dispatchNo, attempts } of stuck) {
      if (attempts >= MAX_ATTEMPTS) await endAs(id, { state: 'failed' });
      else await wakeUps.dispatch(id, dispatchNo);
    }
  }

  async function expireLate(): Promise<void> {
    const overdue = await database.transaction((tx) => findExpired(tx, BATCH));
    for (const id of overdue) await endAs(id, { state: 'expired' });
  }

  async function measure(): Promise<void> {
    const now = await database.transaction(measureOpen);
    open.set(now.open);
    oldest.set(now.oldestSeconds);
    late.set(now.overdue);
  }

  async function eraseOld(): Promise<void> {
    const erase = (tx: Tx) => eraseOldAnswers(tx, BATCH);
    while ((await database.transaction(erase)) === BATCH);
  }

  async function forgetOld(): Promise<void> {
    await database.transaction(async (tx) => {
      const now = await dbNow(tx);
      await deleteOldProbes(tx, now);
      await deleteOldRequestKeys(tx, new Date(now.getTime() - REQUEST_KEY_HOURS * 3_600_000));
      await deleteOldUsage(tx, addDays(cityDay(now, cityTz), -USAGE_DAYS));
    });
  }

  const jobs: ExchangeJob[] = [
    { name: 'exchange.wake', everyMs: 5000, run: wakeStuck },
    { name: 'exchange.expire', everyMs: 5000, run: expireLate },
    { name: 'exchange.measure', everyMs: 15_000, run: measure },
    { name: 'exchange.erase', everyMs: 60_000, run: eraseOld },
    { name: 'exchange.emergencies', everyMs: 60_000, run: tellOverdue },
    { name: 'exchange.cases', everyMs: 15_000, run: settleCases },
    { name: 'exchange.forget', everyMs: 3_600_000, run: forgetOld },
  ];
  return { jobs };
}

function readDispatch({ verificationId, dispatchNo }: JobData) {
  if (typeof verificationId === 'string' && typeof dispatchNo === 'number') {
    return { verificationId, dispatchNo };
  }
  throw new TypeError('This job names no dispatch.');
}
