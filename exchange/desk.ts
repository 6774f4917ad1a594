// The provider's desk: questions no rule answers, claimed by an officer, answered or refused by hand.
import { z } from 'zod';
import { type Actor, hasScope, rowScopeOf } from '../identity/index.ts';
import { cityDay, type JsonObject, type Tx } from '../platform/index.ts';
import type { ExchangeDeps } from './deps.ts';
import { claimQuestion, listQuestions, lockQuestion, type QuestionRow } from './desk-store.ts';
import { disclose } from './disclosure.ts';
import type { EndVerification } from './ending.ts';
import { exchangeErrors } from './errors.ts';
import { checkFreeTexts } from './free-text.ts';
import type { OrganisationBook } from './organisation-book.ts';
import type { Proposals } from './proposals.ts';
import { actorKey, departmentOf, entryAbout, openRequest } from './request.ts';
import { findVerification, type VerificationRow } from './request-store.ts';
import { type Page, pageLimit, pageOf } from './requests.ts';
import { readId } from './row-id.ts';
import { hasNoFaults } from './schema-check.ts';
import type { ServiceBook } from './service-book.ts';
import { faultsOfIssues } from './zod-faults.ts';

/** A question in the list: nothing of its subject, which is seen by who claims it. */
export interface QuestionOutline {
  id: string;
  service: string;
  requester: string;
  createdAt: string;
  deadline: string;
  isClaimed: boolean;
  isClaimedByMe: boolean;
  /** An answer waits for another officer's approval. */
  isProposed: boolean;
}

/** A claimed question, whole. */
export interface Question extends QuestionOutline {
  question: string;
  requesterName: string;
  subject: { scheme: string; value: string; name: string | null };
  params: JsonObject;
  legalBasis: string;
  purpose: string;
  caseId: string;
  answerSchema: JsonObject;
  /** Another officer must approve the answer. */
  answerFourEyes: boolean;
  /** Why the last proposed answer came back. */
  sentBack: string | null;
}

const AnswerInput = z.strictObject({ answer: z.record(z.string(), z.json()) });
const RefuseInput = z.strictObject({
  reason: z.string().regex(/^[A-Za-z0-9_.:-]{1,64}$/, 'is one word: letters, digits, _ . : -'),
  text: z.string().trim().min(1).max(500),
});

/** Binds the desk to the rooms below. */
export function createDesk(
  deps: Pick<ExchangeDeps, 'database' | 'identity' | 'audit' | 'cityTz'>,
  book: ServiceBook,
  parts: { end: EndVerification; organisations: OrganisationBook; proposals: Proposals },
) {
  const { database, identity, audit, cityTz } = deps;
  const { end, organisations, proposals } = parts;

  /** The open question and its verification, locked; not found outside the provider. */
  async function lock(
    tx: Tx,
    actor: Actor,
    id: string,
  ): Promise<{ question: QuestionRow; row: VerificationRow }> {
    requireAnswerer(actor);
    // The verification first, as every ending does: two orders would wait for each other for ever.
    const row = await findVerification(tx, id, 'for update');
    const question = row && (await lockQuestion(tx, departmentOf(actor), id));
    if (!row || !question || row.endedAt !== null) throw notFound();
    const { claimedBy, askedBy } = question;
    if (askedBy === actorKey(actor)) {
      throw exchangeErrors.own_question('Who asked a question does not answer it: another must.');
    }
    if (claimedBy !== null && claimedBy !== actorKey(actor)) {
      throw exchangeErrors.question_claimed('Another officer has taken this question.');
    }
    return { question, row };
  }

  async function finish(
    actor: Actor,
    id: string,
    act: (tx: Tx, row: VerificationRow) => Promise<void>,
  ): Promise<{ id: string; state: string }> {
    const row = await database.as(rowScopeOf(actor)).transaction(async (tx) => {
      const { row, question } = await lock(tx, actor, readId(id, notFound));
      if (question.proposalId !== null) {
        throw exchangeErrors.answer_proposed(
          'An answer waits for approval. Withdraw it first to answer otherwise or to refuse.',
        );
      }
      await act(tx, row);
      return findVerification(tx, id);
    });
    if (!row) throw notFound();
    const { questionStage, answerStage } = row;
    await audit.sequenced([questionStage, ...(answerStage === null ? [] : [answerStage])]);
    return { id, state: row.state };
  }

  return {
    /** The provider's open questions, oldest first. */
    async listQuestions(
      actor: Actor,
      query: { limit?: number | undefined; cursor?: string | undefined } = {},
    ): Promise<Page<QuestionOutline>> {
      requireAnswerer(actor);
      const limit = pageLimit(query.limit);
      const afterId = query.cursor === undefined ? undefined : readId(query.cursor, notFound);
      const provider = departmentOf(actor);
      const rows = await database
        .as(rowScopeOf(actor))
        .transaction((tx) => listQuestions(tx, provider, { afterId, limit: limit + 1 }));
      return pageOf(rows, limit, (row) => outlineOf(row, actor));
    },

    /** Takes a question and shows it whole; that look at its subject is logged first. */
    async claimQuestion(actor: Actor, id: string): Promise<Question> {
      const { shown, stageId } = await database.as(rowScopeOf(actor)).transaction(async (tx) => {
        const { question, row } = await lock(tx, actor, readId(id, notFound));
        await claimQuestion(tx, id, actorKey(actor));
        const service = await book.getVersion(tx, row.service, row.serviceVersion);
        const request = await openRequest(tx, identity, row);
        if (!request) throw notFound();
        const { stageId } = await identity.recordAccess(tx, actor, {
          ...entryAbout(row, service, { ...request, officer: undefined }),
          type: 'question.claimed',
          outcome: 'ok',
          answerKind: 'none',
        });
        const { definition } = service;
        const shown = {
          ...outlineOf({ ...question, claimedBy: actorKey(actor) }, actor),
          question: definition.questionZh,
          subject: await identity.revealPerson(tx, row.subjectId),
          params: await identity.resolveReferences(tx, request.params),
          legalBasis: row.legalBasis,
          purpose: request.purpose,
          caseId: request.caseId,
          answerSchema: definition.answerSchema,
          answerFourEyes: definition.answerFourEyes,
          sentBack: await proposals.sentBackOf(tx, row, question),
        };
        return { shown, stageId };
      });
      await audit.sequenced([stageId]);
      const { name: requesterName } = await organisations.get(shown.requester);
      return { ...shown, requesterName };
    },

    /**
     * Answers a question; checked against the service's schema, then cut to what may leave. Where the
     * service asks for two officers the question stays open until another approves.
     */
    answerQuestion(actor: Actor, id: string, written: unknown) {
      return finish(actor, id, async (tx, row) => {
        const { answer } = read(AnswerInput, written);
        const service = await book.getVersion(tx, row.service, row.serviceVersion);
        const { answerSchema, minimalDisclosure, answerFourEyes } = service.definition;
        const faults = service.checkAnswer(answer, '/answer');
        if (!hasNoFaults(faults)) {
          throw exchangeErrors.answer_invalid('The answer is not as the service promises it.', {
            fields: [...faults.others, ...faults.citizenIds, ...faults.usccs],
          });
        }
        const disclosed = disclose(answer, {
          answerSchema,
          minimalFields: minimalDisclosure.fields,
          agreementFields: row.disclosed,
        });
        if (answerFourEyes) return proposals.propose(tx, actor, row, disclosed);
        const asOf = cityDay(new Date(row.readAt), cityTz);
        const by = { answeredBy: actorKey(actor), approvedBy: null, fourEyes: false };
        return end(tx, actor, row, { state: 'answered', answer: disclosed, asOf, by });
      });
    },

    /** Refuses a question, with a reason its requester sees. */
    refuseQuestion(actor: Actor, id: string, written: unknown) {
      return finish(actor, id, async (tx, row) => {
        const { reason, text } = read(RefuseInput, written);
        checkFreeTexts({ reason, text });
        await end(tx, actor, row, { state: 'refused', reason, text });
      });
    },
  };
}

function outlineOf(row: QuestionRow, actor: Actor): QuestionOutline {
  return {
    id: row.id,
    service: row.service,
    requester: row.requester,
    createdAt: new Date(row.createdAt).toISOString(),
    deadline: new Date(row.deadline).toISOString(),
    isClaimed: row.claimedBy !== null,
    isClaimedByMe: row.claimedBy === actorKey(actor),
    isProposed: row.proposalId !== null,
  };
}

function read<T>(schema: z.ZodType<T>, written: unknown): T {
  const result = schema.safeParse(written);
  if (result.success) return result.data;
  throw exchangeErrors.answer_invalid('This is not the form of an answer or a refusal.', {
    fields: faultsOfIssues(result.error),
  });
}

function requireAnswerer(actor: Actor): void {
  if (hasScope(actor, 'verifications:answer')) return;
  throw exchangeErrors.scope('This needs the scope verifications:answer, or the role provider.');
}

function notFound() {
  return exchangeErrors.question_not_found('Your department has no such open question.');
}
