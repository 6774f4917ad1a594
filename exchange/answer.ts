// Answering by rule: whoever holds the lease reads the licences, runs the rule, cuts the answer to
// what may leave, and ends the verification, in one transaction (spec/trust.md 3).
import { cityDay, type JsonObject, type Tx } from '../platform/index.ts';
import type { RuleOutcome } from './answer-rule.ts';
import type { ExchangeDeps } from './deps.ts';
import { insertQuestion } from './desk-store.ts';
import { disclose } from './disclosure.ts';
import { AlreadyEnded, type EndVerification, type Outcome } from './ending.ts';
import { openRequest, systemActor } from './request.ts';
import {
  claimLease,
  findVerification,
  giveBack,
  LEASE_SECONDS,
  type Lease,
  moveToDesk,
  type VerificationRow,
} from './request-store.ts';
import { viewFor } from './rule-view.ts';
import { hasNoFaults } from './schema-check.ts';
import type { Service, ServiceBook } from './service-book.ts';

/** Runs that may fail before a verification is given up. */
export const MAX_ATTEMPTS = 5;

/** Binds answering to the rooms below. */
export function createAnswering(deps: ExchangeDeps, book: ServiceBook, end: EndVerification) {
  const { database, identity, ids, cityTz, logger, clock } = deps;

  /** Runs the rule under a lease this process holds; never throws for a fault of rule or store. */
  async function runLeased(lease: Lease): Promise<void> {
    try {
      await database.transaction(async (tx) => {
        const row = await findVerification(tx, lease.verificationId);
        if (!row || row.endedAt !== null) throw new AlreadyEnded();
        await answer(tx, row, lease.token);
      });
    } catch (error) {
      if (error instanceof AlreadyEnded) return;
      await recordAttempt(lease, error);
    }
  }

  async function answer(tx: Tx, row: VerificationRow, leaseToken: string): Promise<void> {
    const service = await book.getVersion(tx, row.service, row.serviceVersion);
    const request = await openRequest(tx, identity, row);
    if (!request) {
      // The subject was erased meanwhile: there is nobody left to answer about.
      await end(tx, systemActor(row), row, { state: 'failed' }, leaseToken);
      return;
    }
    const outcome = await tell(tx, row, service, request.params);
    if (outcome.kind === 'cannot_tell' && service.definition.mode === 'auto_then_manual') {
      if (!(await moveToDesk(tx, row, leaseToken))) throw new AlreadyEnded();
      await insertQuestion(tx, row.id);
      return;
    }
    await end(tx, systemActor(row), row, endingOf(outcome, row, service), leaseToken);
  }

  async function tell(
    tx: Tx,
    row: VerificationRow,
    service: Service,
    params: JsonObject,
  ): Promise<RuleOutcome> {
    const question = { subjectId: row.subjectId, params, now: new Date(row.readAt) };
    const { rule } = service;
    if (!rule) throw new TypeError('A desk service was sent to a rule.');
    const outcome = rule.evaluate(await viewFor(tx, deps, { ...service, rule }, question));
    if (outcome.kind === 'cannot_tell' && outcome.fault !== undefined) {
      const { service: code, serviceVersion: version } = row;
      logger.warn({ service: code, version, fault: outcome.fault }, 'A rule failed on a view.');
    }
    return outcome;
  }

  function endingOf(outcome: RuleOutcome, row: VerificationRow, service: Service): Outcome {
    if (outcome.kind === 'cannot_tell') {
      return {
        state: 'refused',
        reason: 'cannot_tell',
        text: '提供部门的电子记录不足以回答此问题。The provider’s records do not tell.',
      };
    }
    const { answerSchema, minimalDisclosure } = service.definition;
    const answer = disclose(outcome.answer, {
      answerSchema,
      minimalFields: minimalDisclosure.fields,
      agreementFields: row.disclosed,
    });
    if (!hasNoFaults(service.checkDisclosed(row.disclosed)(answer, '/answer'))) {
      throw new TypeError('An answer left the rule that its schema does not allow.');
    }
    return { state: 'answered', answer, asOf: cityDay(new Date(row.readAt), cityTz) };
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
      const afterSeconds = 2 ** row.attempts.length;
      const attempts = await giveBack(tx, lease, attempt, afterSeconds);
      if (attempts !== undefined && attempts >= MAX_ATTEMPTS) {
        await end(tx, systemActor(row), row, { state: 'failed' });
      }
    });
  }

  return {
    runLeased,

    /** Runs the rule for one dispatch, unless somebody else does or it is over. */
    async runDispatched(verificationId: string, dispatchNo: number): Promise<boolean> {
      const lease: Lease = { verificationId, token: ids.uuid() };
      const row = await claimLease(database.db, lease, dispatchNo, LEASE_SECONDS);
      if (!row) return false;
      await runLeased(lease);
      return true;
    },
  };
}

export type Answering = ReturnType<typeof createAnswering>;
