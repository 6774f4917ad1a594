// A verification as its requester sees it (contract section 4.2). An answer leaves only when the
// question's and the answer's entries have their index, and each later look at it has one too.
import { type Actor, hasScope } from '../identity/index.ts';
import { AppError, type JsonObject, type Tx } from '../platform/index.ts';
import type { ExchangeDeps } from './deps.ts';
import { contentContext } from './ending.ts';
import { exchangeErrors } from './errors.ts';
import type { OrganisationBook, OrganisationName } from './organisation-book.ts';
import { receiptPayload, saltedHash } from './receipt.ts';
import { departmentOf, entryAbout, openRequest, type SealedRequest, saltOf } from './request.ts';
import {
  type AnswerRow,
  type Attempt,
  findAnswer,
  findVerification,
  keepReceipt,
  type VerificationRow,
} from './request-store.ts';
import { readId } from './row-id.ts';
import type { ServiceBook } from './service-book.ts';
import { isFinal, isOverdue, type VerificationState } from './verification.ts';

/** One verification, for the department that asked. */
export interface Verification {
  id: string;
  service: string;
  state: VerificationState;
  overdue: boolean;
  deadline: string;
  createdAt: string;
  endedAt?: string;
  answer?: JsonObject;
  asOf?: string;
  answeredBy?: OrganisationName;
  refusal?: { reason: string; text: string };
  failure?: { attempts: Attempt[] };
  receipt?: string;
  receiptSalt?: string;
  requestEvidence: string;
  /** Indexes of the question's and the ending's entries, as far as they have one. */
  audit: number[];
  answerErasedAt?: string;
}

/** A verification read whole: what is stored, opened. */
interface WholeVerification {
  row: VerificationRow;
  request: SealedRequest | null;
  kept: AnswerRow | undefined;
  content: JsonObject | null;
  readStage: string | undefined;
}

type Look = 'first delivery' | 'later look';

/** Binds showing to the rooms below. */
export function createShowing(
  deps: ExchangeDeps,
  book: ServiceBook,
  organisations: OrganisationBook,
) {
  const { database, identity, audit, signing } = deps;

  async function read(actor: Actor, id: string, look: Look): Promise<WholeVerification> {
    const requester = departmentOf(actor);
    return database.transaction(async (tx) => {
      const row = await findVerification(tx, id);
      if (!row || row.requester !== requester) throw notFound();
      const isEnded = row.endedAt !== null;
      const request = isEnded ? await openRequest(tx, identity, row) : null;
      const kept = isEnded ? await findAnswer(tx, id) : undefined;
      const content = kept ? await openContent(tx, row, kept) : null;
      const isLogged = look === 'later look' && kept?.kind === 'answer' && content !== null;
      const readStage = isLogged && request ? await recordLook(tx, actor, row, request) : undefined;
      return { row, request, kept, content, readStage };
    });
  }

  async function openContent(
    tx: Tx,
    { id, subjectId: personId }: VerificationRow,
    { contentSealed: sealed }: AnswerRow,
  ): Promise<JsonObject | null> {
    if (sealed === null) return null;
    const [text] = await identity.openMany(tx, [{ personId, sealed, context: contentContext(id) }]);
    return text ? JSON.parse(text.toString('utf8')) : null;
  }

  async function recordLook(
    tx: Tx,
    actor: Actor,
    row: VerificationRow,
    request: SealedRequest,
  ): Promise<string> {
    const service = await book.getVersion(tx, row.service, row.serviceVersion);
    const { stageId } = await identity.recordAccess(tx, actor, {
      ...entryAbout(row, service, request),
      type: 'answer.read',
      outcome: 'ok',
      answerKind: service.definition.minimalDisclosure.kind,
    });
    return stageId;
  }

  /** Waits until everything this view tells of is in the tree, then builds it. */
  async function reveal(whole: WholeVerification): Promise<Verification> {
    const { row, kept, content, readStage } = whole;
    const { questionStage, answerStage } = row;
    if (answerStage === null) {
      const index = (await audit.indexesOf([questionStage])).get(questionStage);
      return outline(row, index === undefined ? [] : [index]);
    }
    const stages = [questionStage, answerStage, ...(readStage === undefined ? [] : [readStage])];
    const indexes = (await audit.sequenced(stages)).slice(0, 2);
    const view = outline(row, indexes);
    if (row.state === 'failed') return { ...view, failure: { attempts: row.attempts } };
    if (!kept) return view;
    if (kept.erasedAt !== null) {
      return { ...view, answerErasedAt: new Date(kept.erasedAt).toISOString() };
    }
    if (content === null) return view;
    if (kept.kind === 'refusal') {
      return { ...view, refusal: { reason: String(content.reason), text: String(content.text) } };
    }
    const answeredBy = await organisations.get(row.provider);
    return {
      ...view,
      answer: content,
      ...(kept.asOf === null ? {} : { asOf: kept.asOf }),
      answeredBy,
      ...(await receiptOf(whole, content, indexes, answeredBy.uscc)),
    };
  }

  /** Signs once both entries have their index; whoever comes first stores the receipt for all. */
  async function receiptOf(
    { row, request, kept }: WholeVerification,
    answer: JsonObject,
    auditIndexes: number[],
    providerUscc: string,
  ): Promise<{ receipt?: string; receiptSalt?: string }> {
    if (!kept || !request) return {};
    const receiptSalt = request.salt;
    if (kept.receipt !== null) return { receipt: kept.receipt, receiptSalt };
    const payload = receiptPayload({
      providerUscc,
      verificationId: row.id,
      service: row.service,
      requestedAt: new Date(row.createdAt),
      answeredAt: new Date(kept.answeredAt),
      requestHash: request.requestHash,
      answerHash: saltedHash(saltOf(request), answer),
      auditIndexes,
    });
    const signed = await signing.signReceipt(providerUscc, payload);
    return { receipt: await keepReceipt(database.db, row.id, signed), receiptSalt };
  }

  return {
    /**
     * One of the caller's own verifications; a look at an answer is logged first. 503 while the log
     * can't be written.
     */
    async getVerification(actor: Actor, id: string): Promise<Verification> {
      requireAsker(actor);
      return reveal(await read(actor, readId(id, notFound), 'later look'));
    },

    /** The same for who asked just now: the answer's own entry is the log of this delivery. */
    async deliver(actor: Actor, id: string): Promise<Verification> {
      const whole = await read(actor, id, 'first delivery');
      try {
        return await reveal(whole);
      } catch (error) {
        // The log is late: the question is stored and answered, but the answer doesn't leave yet.
        if (error instanceof AppError && error.kind === 'unavailable') return held(whole.row);
        throw error;
      }
    },

    outline,
  };
}

export type Showing = ReturnType<typeof createShowing>;

/** What a list shows: nothing of the subject, nothing of the answer. */
export function outline(row: VerificationRow, audit: number[] = []): Verification {
  const deadline = new Date(row.deadline);
  const endedAt = row.endedAt === null ? null : new Date(row.endedAt);
  return {
    id: row.id,
    service: row.service,
    state: row.state,
    overdue: isOverdue(deadline, endedAt, new Date(row.readAt)),
    deadline: deadline.toISOString(),
    createdAt: new Date(row.createdAt).toISOString(),
    ...(endedAt && { endedAt: endedAt.toISOString() }),
    requestEvidence: row.evidence,
    audit,
  };
}

function held(row: VerificationRow): Verification {
  const { endedAt: _, ...open } = outline({ ...row, endedAt: null });
  return { ...open, state: isFinal(row.state) ? 'dispatched' : row.state };
}

/** Refuses who may not see a department's questions. */
export function requireAsker(actor: Actor): void {
  if (hasScope(actor, 'verifications:ask')) return;
  throw exchangeErrors.scope('This needs the scope verifications:ask, or the role desk.');
}

export function notFound(): AppError {
  return exchangeErrors.verification_not_found('Your department has no such verification.');
}
