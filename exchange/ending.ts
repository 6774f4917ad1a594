// Ending a verification: the final state, what it ended with, and the log entry that says so, in the
// caller's transaction. Exactly one ending is ever stored.
import type { AccessEntry, Actor } from '../identity/index.ts';
import { canonicalJson, type JsonObject, type Tx } from '../platform/index.ts';
import { expirePending } from './consent-store.ts';
import type { ExchangeDeps } from './deps.ts';
import { entryAbout, openRequest } from './request.ts';
import { type Ending, endVerification, type VerificationRow } from './request-store.ts';
import type { ServiceBook } from './service-book.ts';
import type { FinalState } from './verification.ts';

/** Another ended the verification first; the transaction that notices is rolled back. */
export class AlreadyEnded extends Error {}

/** What a verification ends with. */
export type Outcome =
  | { state: 'answered'; answer: JsonObject; asOf: string }
  | { state: 'refused'; reason: string; text: string }
  | { state: 'failed' | 'expired' | 'cancelled' };

const entryOutcome = {
  answered: 'ok',
  refused: 'refused',
  failed: 'failed',
  expired: 'failed',
  cancelled: 'ok',
} as const satisfies Record<FinalState, AccessEntry['outcome']>;

export const contentContext = (id: string) => `exchange.answers|${id}|content_sealed`;

/** Binds endings to the rooms below. */
export function createEndings({ identity }: Pick<ExchangeDeps, 'identity'>, book: ServiceBook) {
  /**
   * Ends an open verification, with a lease token only while that lease stands; throws AlreadyEnded
   * when another was first.
   */
  async function end(
    tx: Tx,
    actor: Actor,
    row: VerificationRow,
    outcome: Outcome,
    leaseToken?: string,
  ): Promise<void> {
    const { id, subjectId } = row;
    const service = await book.getVersion(tx, row.service, row.serviceVersion);
    const request = await openRequest(tx, identity, row);
    const { stageId } = await identity.recordAccess(tx, actor, {
      ...(request ? entryAbout(row, service, request) : { service: row.service, verification: id }),
      department: actor.organisationId ?? row.requester,
      type: `verification.${outcome.state}`,
      outcome: entryOutcome[outcome.state],
      ...(outcome.state === 'refused' ? { code: outcome.reason } : {}),
      answerKind: outcome.state === 'answered' ? service.definition.minimalDisclosure.kind : 'none',
    });
    const ending: Ending = { state: outcome.state, answerStage: stageId };
    const kept = contentOf(outcome);
    if (kept) {
      const { answerRetentionDays: retentionDays } = service.definition;
      const text = Buffer.from(canonicalJson(kept.content), 'utf8');
      const sealed = await identity.sealFor(tx, subjectId, text, contentContext(id));
      ending.content = { kind: kept.kind, sealed, asOf: kept.asOf, retentionDays };
    }
    const endedAt = await endVerification(tx, id, ending, leaseToken);
    if (!endedAt) throw new AlreadyEnded();
    await expirePending(tx, id);
  }

  return end;
}

export type EndVerification = ReturnType<typeof createEndings>;

function contentOf(outcome: Outcome) {
  switch (outcome.state) {
    case 'answered':
      return { kind: 'answer' as const, content: outcome.answer, asOf: outcome.asOf };
    case 'refused': {
      const { reason, text } = outcome;
      return { kind: 'refusal' as const, content: { reason, text }, asOf: null };
    }
    default:
      return undefined;
  }
}
