// Answering by a worker: whoever holds the lease runs the rule and ends the verification, in one
// transaction (spec/trust.md 3).
import { cityDay, systemScope, type Tx } from '../platform/index.ts';
import type { ExchangeDeps } from './deps.ts';
import { insertQuestion } from './desk-store.ts';
import { claimLease, giveBack, LEASE_SECONDS, type Lease, moveToDesk } from './dispatch-store.ts';
import { AlreadyEnded, type EndVerification } from './ending.ts';
import type { OutcomeOf } from './outcome.ts';
import { openRequest, systemActor } from './request.ts';
import { findVerification, type VerificationRow } from './request-store.ts';
import type { ServiceBook } from './service-book.ts';

/** Runs that may fail before a verification is given up. */
export const MAX_ATTEMPTS = 5;

/** Binds answering to the rooms below. */
export function createAnswering(
  deps: ExchangeDeps,
  book: ServiceBook,
  parts: { end: EndVerification; outcomeOf: OutcomeOf },
) {
  const { identity, ids, logger, clock, cityTz } = deps;
  const database = deps.database.as(systemScope);
  const { end, outcomeOf } = parts;

  async function answer(tx: Tx, row: VerificationRow, leaseToken: string): Promise<void> {
    const service = await book.getVersion(tx, row.service, row.serviceVersion);
    const request = await openRequest(tx, identity, row);
    if (!request) {
      // The subject was erased meanwhile: there is nobody left to answer about.
      await end(tx, systemActor(row), row, { state: 'failed' }, leaseToken);
      return;
    }
    const { params } = request;
    const today = cityDay(new Date(row.readAt), cityTz);
    const question = { subjectId: row.subjectId, params, today };
    const outcome = await outcomeOf(tx, service, question, row.disclosed);
    if (outcome !== 'to desk') await end(tx, systemActor(row), row, outcome, leaseToken);
    else if (await moveToDesk(tx, row.id, leaseToken)) await insertQuestion(tx, row.id);
  }

  /** A run that did not finish: another follows, later each time, until the attempts are used up. */
  async function recordAttempt(lease: Lease, error: unknown): Promise<void> {
    logger.error({ err: error, verification: lease.verificationId }, 'A rule run did not finish.');
    await database.transaction(async (tx) => {
      const row = await findVerification(tx, lease.verificationId, 'for update');
      if (!row || row.endedAt !== null) return;
      const attempt = {
        dispatchNo: row.dispatchNo,
        at: clock.now().toISOString(),
        error: error instanceof Error && 'code' in error ? String(error.code) : 'internal',
      };
      const attempts = await giveBack(tx, lease, attempt, 2 ** row.attempts.length);
      if (attempts !== undefined && attempts >= MAX_ATTEMPTS) {
        await end(tx, systemActor(row), row, { state: 'failed' });
      }
    });
  }

  return {
    /**
     * Runs the rule for one dispatch, unless somebody else does or it is over. A fault of rule or
     * store is recorded as an attempt; only a store that can't take that either makes it throw.
     */
    async runDispatched(verificationId: string, dispatchNo: number): Promise<void> {
      const lease: Lease = { verificationId, token: ids.uuid() };
      const row = await database.transaction((tx) =>
        claimLease(tx, lease, dispatchNo, LEASE_SECONDS),
      );
      if (!row) return;
      try {
        await database.transaction((tx) => answer(tx, row, lease.token));
      } catch (error) {
        if (!(error instanceof AlreadyEnded)) await recordAttempt(lease, error);
      }
    },
  };
}

export type Answering = ReturnType<typeof createAnswering>;
