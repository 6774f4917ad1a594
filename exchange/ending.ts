// Ending a verification: the final state, what it ended with, and the log entry that says so, in the
// caller's transaction. Exactly one ending is ever stored.
import type { AccessEntry, Actor } from '../identity/index.ts';
import { canonicalJson, type JsonObject, type Tx } from '../platform/index.ts';
import { expirePending } from './consent-store.ts';
import type { ExchangeDeps } from './deps.ts';
import { type About, entryAbout, openRequest, type SealedRequest } from './request.ts';
import {
  type EndingContent,
  endVerification,
  type HandedBy,
  type VerificationRow,
} from './request-store.ts';
import type { Service, ServiceBook } from './service-book.ts';
import type { FinalState } from './verification.ts';

/** Another ended the verification first; the transaction that notices is rolled back. */
export class AlreadyEnded extends Error {}

/** What a verification ends with. */
export type Outcome =
  | { state: 'answered'; answer: JsonObject; asOf: string; by?: HandedBy }
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

/** The entry that tells of an ending; without the request, of which an erasure leaves nothing. */
export function endingEntry(
  about: About,
  service: Service,
  request: Pick<SealedRequest, 'purpose' | 'caseId' | 'officer'> | null,
  outcome: Outcome,
): AccessEntry {
  const { code, minimalDisclosure } = service.definition;
  return {
    ...(request ? entryAbout(about, service, request) : { service: code, verification: about.id }),
    type: `verification.${outcome.state}`,
    outcome: entryOutcome[outcome.state],
    ...(outcome.state === 'refused' ? { code: outcome.reason } : {}),
    answerKind: outcome.state === 'answered' ? minimalDisclosure.kind : 'none',
  };
}

/** What an outcome leaves to keep: an answer or a refusal; null for the other endings. */
export function contentOf(
  outcome: Outcome,
): { kind: EndingContent['kind']; content: JsonObject; asOf: string | null } | null {
  switch (outcome.state) {
    case 'answered':
      return { kind: 'answer', content: outcome.answer, asOf: outcome.asOf };
    case 'refused':
      return {
        kind: 'refusal',
        content: { reason: outcome.reason, text: outcome.text },
        asOf: null,
      };
    default:
      return null;
  }
}

/** The same, sealed under the subject's key. */
export async function sealContent(
  tx: Tx,
  identity: Pick<ExchangeDeps['identity'], 'sealFor'>,
  { id, subjectId }: Pick<VerificationRow, 'id' | 'subjectId'>,
  { definition }: Service,
  outcome: Outcome,
): Promise<EndingContent | null> {
  const kept = contentOf(outcome);
  if (!kept) return null;
  const text = Buffer.from(canonicalJson(kept.content), 'utf8');
  const sealed = await identity.sealFor(tx, subjectId, text, contentContext(id));
  const { answerRetentionDays: retentionDays } = definition;
  const by = outcome.state === 'answered' ? (outcome.by ?? null) : null;
  return { kind: kept.kind, sealed, asOf: kept.asOf, retentionDays, by };
}

/** Binds endings to the rooms below. */
export function createEndings({ identity }: Pick<ExchangeDeps, 'identity'>, book: ServiceBook) {
  /**
   * Ends an open verification, with a lease token only while that lease stands; throws AlreadyEnded
   * when another was first.
   */
  return async function end(
    tx: Tx,
    actor: Actor,
    row: VerificationRow,
    outcome: Outcome,
    leaseToken?: string,
  ): Promise<void> {
    const service = await book.getVersion(tx, row.service, row.serviceVersion);
    const request = await openRequest(tx, identity, row);
    const { stageId: answerStage } = await identity.recordAccess(tx, actor, {
      ...endingEntry(row, service, request, outcome),
      department: actor.organisationId ?? row.requester,
    });
    const content = await sealContent(tx, identity, row, service, outcome);
    const ending = { state: outcome.state, answerStage, content };
    if (!(await endVerification(tx, row.id, ending, leaseToken))) throw new AlreadyEnded();
    if (service.definition.consent === 'required') await expirePending(tx, row.id);
  };
}

export type EndVerification = ReturnType<typeof createEndings>;
