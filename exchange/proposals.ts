// Answers that take two officers: one proposes, another approves or sends back (docs/adr/0009). Which
// services ask for it is theirs to say (`answerFourEyes`); who may not decide, the table says too.
import { z } from 'zod';
import { type Actor, hasScope, requireRole, rowScopeOf } from '../identity/index.ts';
import { cityDay, type Json, type JsonObject, type Tx } from '../platform/index.ts';
import type { ExchangeDeps } from './deps.ts';
import {
  approveProposal,
  dropProposal,
  listProposals,
  lockQuestion,
  putProposal,
  type QuestionRow,
} from './desk-store.ts';
import type { EndVerification } from './ending.ts';
import { exchangeErrors } from './errors.ts';
import { checkFreeTexts } from './free-text.ts';
import type { OrganisationBook } from './organisation-book.ts';
import { actorKey, departmentOf, entryAbout, openRequest } from './request.ts';
import { findVerification, type VerificationRow } from './request-store.ts';
import { type Page, pageLimit, pageOf } from './requests.ts';
import { readId } from './row-id.ts';
import type { ServiceBook } from './service-book.ts';
import { faultsOfIssues } from './zod-faults.ts';

/** A proposed answer in the list: nothing of its subject. */
export interface ProposalOutline {
  id: string;
  service: string;
  requester: string;
  deadline: string;
  /** Her own, or a question she took or asked, is another's to approve. */
  isMine: boolean;
}

/** A proposed answer before who approves it, whole. */
export interface Proposal extends ProposalOutline {
  /** Names exactly this answer: another one proposed meanwhile is not approved by it. */
  proposal: string;
  question: string;
  requesterName: string;
  subject: { scheme: string; value: string; name: string | null };
  params: JsonObject;
  answer: JsonObject;
  answerSchema: JsonObject;
}

const Approval = z.strictObject({ proposal: z.uuid() });
const Return = Approval.extend({ reason: z.string().trim().min(1).max(500) });

const proposalContext = (id: string) => `exchange.questions|${id}|proposal_sealed`;
const sentBackContext = (id: string) => `exchange.questions|${id}|sent_back_sealed`;

/** Binds the acts to the rooms below. */
export function createProposals(
  deps: Pick<ExchangeDeps, 'database' | 'identity' | 'audit' | 'cityTz' | 'ids'>,
  book: ServiceBook,
  { end, organisations }: { end: EndVerification; organisations: OrganisationBook },
) {
  const { database, identity, audit, cityTz, ids } = deps;

  /** The proposed answer to a question of the approver's department, locked; never her own. */
  async function lock(tx: Tx, actor: Actor, id: string) {
    requireRole(actor, 'approver');
    const row = await findVerification(tx, readId(id, notFound), 'for update');
    const question = row && (await lockQuestion(tx, departmentOf(actor), id));
    if (!row || row.endedAt !== null || !question || question.proposalId === null) throw notFound();
    if (isTheirs(question, actor)) {
      throw exchangeErrors.own_answer(
        'Who asked, took or answered a question does not approve it.',
      );
    }
    return { row, question, proposalId: question.proposalId };
  }

  async function record(tx: Tx, actor: Actor, row: VerificationRow, type: string) {
    const service = await book.getVersion(tx, row.service, row.serviceVersion);
    const request = await openRequest(tx, identity, row);
    if (!request) throw notFound();
    const { stageId } = await identity.recordAccess(tx, actor, {
      ...entryAbout(row, service, { ...request, officer: undefined }),
      type,
      outcome: 'ok',
      answerKind: 'none',
    });
    return { stageId, service, request };
  }

  async function open(tx: Tx, personId: string, sealed: Buffer | null, context: string) {
    if (sealed === null) return null;
    const [text] = await identity.openMany(tx, [{ personId, sealed, context }]);
    return text ? text.toString('utf8') : null;
  }

  return {
    /** Keeps an answer for another to approve; for the desk, which holds the question. */
    async propose(tx: Tx, actor: Actor, row: VerificationRow, answer: JsonObject): Promise<void> {
      const text = Buffer.from(JSON.stringify(answer), 'utf8');
      const sealed = await identity.sealFor(tx, row.subjectId, text, proposalContext(row.id));
      await putProposal(tx, { id: row.id, proposalId: ids.uuid(), sealed, by: actorKey(actor) });
      await record(tx, actor, row, 'answer.proposed');
    },

    /** Why the last answer came back, for who took the question. */
    sentBackOf: (tx: Tx, row: VerificationRow, question: QuestionRow) =>
      open(tx, row.subjectId, question.sentBackSealed, sentBackContext(row.id)),

    /** Takes one's proposed answer back; the question is hers to answer or refuse again. */
    async withdrawAnswer(actor: Actor, id: string): Promise<{ id: string; state: string }> {
      if (!hasScope(actor, 'verifications:answer')) {
        throw exchangeErrors.scope(
          'This needs the scope verifications:answer, or the role provider.',
        );
      }
      return database.as(rowScopeOf(actor)).transaction(async (tx) => {
        const row = await findVerification(tx, readId(id, notFound), 'for update');
        const question = row && (await lockQuestion(tx, departmentOf(actor), id));
        if (!row || question?.proposedBy !== actorKey(actor)) throw notFound();
        await dropProposal(tx, id, null);
        await record(tx, actor, row, 'answer.withdrawn');
        return { id, state: row.state };
      });
    },

    /** Proposed answers of the department, oldest first. */
    async listProposals(
      actor: Actor,
      query: { limit?: number | undefined; cursor?: string | undefined } = {},
    ): Promise<Page<ProposalOutline>> {
      requireRole(actor, 'approver');
      const limit = pageLimit(query.limit);
      const afterId = query.cursor === undefined ? undefined : readId(query.cursor, notFound);
      const rows = await database
        .as(rowScopeOf(actor))
        .transaction((tx) => listProposals(tx, departmentOf(actor), { afterId, limit: limit + 1 }));
      return pageOf(rows, limit, (row) => outlineOf(row, actor));
    },

    /** Shows a proposed answer whole; that look at its subject is logged first. */
    async readProposal(actor: Actor, id: string): Promise<Proposal> {
      const { shown, stageId } = await database.as(rowScopeOf(actor)).transaction(async (tx) => {
        const { row, question, proposalId } = await lock(tx, actor, id);
        const { stageId, service, request } = await record(tx, actor, row, 'answer.reviewed');
        const shown = {
          ...outlineOf(question, actor),
          proposal: proposalId,
          question: service.definition.questionZh,
          subject: await identity.revealPerson(tx, row.subjectId),
          params: await identity.resolveReferences(tx, request.params),
          answer: await answerOf(tx, row, question),
          answerSchema: service.definition.answerSchema,
        };
        return { shown, stageId };
      });
      await audit.sequenced([stageId]);
      const { name: requesterName } = await organisations.get(shown.requester);
      return { ...shown, requesterName };
    },

    /** Lets a proposed answer leave; exactly the one that was read. */
    async approveAnswer(actor: Actor, id: string, written: unknown) {
      const { proposal } = read(Approval, written);
      const ended = await database.as(rowScopeOf(actor)).transaction(async (tx) => {
        const { row, question, proposalId } = await lock(tx, actor, id);
        checkSame(proposal, proposalId);
        const by = { answeredBy: question.proposedBy, approvedBy: actorKey(actor), fourEyes: true };
        await approveProposal(tx, id, by.approvedBy);
        const answer = await answerOf(tx, row, question);
        const asOf = cityDay(new Date(row.readAt), cityTz);
        await end(tx, actor, row, { state: 'answered', answer, asOf, by });
        return findVerification(tx, id);
      });
      if (!ended?.answerStage) throw notFound();
      await audit.sequenced([ended.questionStage, ended.answerStage]);
      return { id, state: ended.state };
    },

    /** Sends a proposed answer back with a reason, to who proposed it. */
    async returnAnswer(actor: Actor, id: string, written: unknown) {
      const { proposal, reason } = read(Return, written);
      checkFreeTexts({ text: reason });
      return database.as(rowScopeOf(actor)).transaction(async (tx) => {
        const { row, proposalId } = await lock(tx, actor, id);
        checkSame(proposal, proposalId);
        const text = Buffer.from(reason, 'utf8');
        const sealed = await identity.sealFor(tx, row.subjectId, text, sentBackContext(row.id));
        await dropProposal(tx, id, sealed);
        await record(tx, actor, row, 'answer.sent_back');
        return { id, state: row.state };
      });
    },
  };

  async function answerOf(tx: Tx, row: VerificationRow, { proposalSealed }: QuestionRow) {
    const text = await open(tx, row.subjectId, proposalSealed, proposalContext(row.id));
    if (text === null) throw notFound();
    // Written by propose, out of an answer its schema had allowed.
    return JSON.parse(text) as Record<string, Json>;
  }
}

export type Proposals = ReturnType<typeof createProposals>;

function isTheirs({ askedBy, claimedBy, proposedBy }: QuestionRow, actor: Actor): boolean {
  return [askedBy, claimedBy, proposedBy].includes(actorKey(actor));
}

function outlineOf(row: QuestionRow, actor: Actor): ProposalOutline {
  return {
    id: row.id,
    service: row.service,
    requester: row.requester,
    deadline: new Date(row.deadline).toISOString(),
    isMine: isTheirs(row, actor),
  };
}

function checkSame(read: string, proposed: string): void {
  if (read === proposed) return;
  throw exchangeErrors.answer_changed(
    'Another answer was proposed meanwhile: read that one first.',
  );
}

function read<T>(schema: z.ZodType<T>, written: unknown): T {
  const result = schema.safeParse(written);
  if (result.success) return result.data;
  throw exchangeErrors.answer_invalid('This is not the form of an approval or a return.', {
    fields: faultsOfIssues(result.error),
  });
}

function notFound() {
  return exchangeErrors.question_not_found('Your department has no such proposed answer.');
}
