// A verification as its requester sees it (contract section 4.2). An answer leaves only when the
// question's and the answer's entries have their index, and each later look at it has one too.
import { type Actor, accountOf, hasScope, rowScopeOf } from '../identity/index.ts';
import { AppError, type JsonObject, systemScope, type Tx } from '../platform/index.ts';
import type { ExchangeDeps } from './deps.ts';
import { isUnreviewedOf } from './emergency-store.ts';
import { contentContext } from './ending.ts';
import { exchangeErrors } from './errors.ts';
import type { OrganisationBook, OrganisationName } from './organisation-book.ts';
import { receiptPayload, saltedHash } from './receipt.ts';
import type { ReceiptKeeper } from './receipt-keeper.ts';
import { departmentOf, entryAbout, openRequest, type SealedRequest, saltOf } from './request.ts';
import {
  type Attempt,
  findAnswer,
  findVerification,
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

/** What a verification ended with, opened; without content once it was erased. */
export interface Kept {
  kind: 'answer' | 'refusal';
  content: JsonObject | null;
  asOf: string | null;
  receipt: string | null;
  answeredAt: number;
  erasedAt: number | null;
}

/** A verification with everything opened that its requester may see. */
export interface WholeVerification {
  row: VerificationRow;
  request: SealedRequest | null;
  kept: Kept | null;
  /** The entry of this look, where the ending's own entry isn't it. */
  readStage: string | null;
}

type Look = 'first delivery' | 'later look';

/** Binds showing to the rooms below. */
export function createShowing(
  { database, identity, audit, signing }: ExchangeDeps,
  parts: { book: ServiceBook; organisations: OrganisationBook; receipts: ReceiptKeeper },
) {
  const { book, organisations, receipts } = parts;

  async function read(actor: Actor, id: string, look: Look): Promise<WholeVerification> {
    const requester = departmentOf(actor);
    return database.as(rowScopeOf(actor)).transaction(async (tx) => {
      const row = await findVerification(tx, id);
      if (!row || row.requester !== requester) throw notFound();
      // What was asked in an emergency is for its officer alone, and gone once it was reviewed.
      const { emergencyId } = row;
      if (emergencyId !== null && !(await isUnreviewedOf(tx, emergencyId, accountOf(actor)))) {
        throw notFound();
      }
      if (row.endedAt === null) return { row, request: null, kept: null, readStage: null };
      const request = await openRequest(tx, identity, row);
      const kept = await openKept(tx, row);
      const isLogged = look === 'later look' && kept?.kind === 'answer' && kept.content !== null;
      const readStage = isLogged && request ? await recordLook(tx, actor, row, request) : null;
      return { row, request, kept, readStage };
    });
  }

  async function openKept(
    tx: Tx,
    { id, subjectId: personId }: VerificationRow,
  ): Promise<Kept | null> {
    const stored = await findAnswer(tx, id);
    if (!stored) return null;
    const { contentSealed: sealed, ...kept } = stored;
    if (sealed === null) return { ...kept, content: null };
    const [text] = await identity.openMany(tx, [{ personId, sealed, context: contentContext(id) }]);
    return { ...kept, content: text ? JSON.parse(text.toString('utf8')) : null };
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
    const { row, request, kept, readStage } = whole;
    const { questionStage, answerStage } = row;
    if (answerStage === null) {
      const index = (await audit.indexesOf([questionStage])).get(questionStage);
      return outline(row, index === undefined ? [] : [index]);
    }
    const stages = [questionStage, answerStage, ...(readStage === null ? [] : [readStage])];
    const indexes = (await audit.sequenced(stages)).slice(0, 2);
    const view = outline(row, indexes);
    if (row.state === 'failed') return { ...view, failure: { attempts: row.attempts } };
    if (!kept) return view;
    const { content, asOf, erasedAt } = kept;
    if (erasedAt !== null) return { ...view, answerErasedAt: new Date(erasedAt).toISOString() };
    if (content === null) return view;
    if (kept.kind === 'refusal') {
      return { ...view, refusal: { reason: String(content.reason), text: String(content.text) } };
    }
    const answeredBy = await organisations.get(row.provider);
    const receipt = request && (await receiptOf(row, request, kept, content, indexes));
    return {
      ...view,
      answer: content,
      ...(asOf === null ? {} : { asOf }),
      answeredBy,
      ...(receipt && request && { receipt, receiptSalt: request.salt }),
    };
  }

  /** Signs once both entries have their index; whoever comes first stores the receipt for all. */
  async function receiptOf(
    row: VerificationRow,
    request: SealedRequest,
    kept: Kept,
    answer: JsonObject,
    auditIndexes: number[],
  ): Promise<string> {
    if (kept.receipt !== null) return kept.receipt;
    const { uscc: providerUscc } = await organisations.get(row.provider);
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
    return receipts.keep(row.id, await signing.signReceipt(providerUscc, payload));
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

    /**
     * The receipt of an answer by what is stored of it, signed and kept if it has none yet; for the
     * signer, who is told nothing but the id.
     */
    async receiptOf(id: string): Promise<string> {
      const stored = await database.as(systemScope).transaction(async (tx) => {
        const row = await findVerification(tx, id);
        const request = row && (await openRequest(tx, identity, row));
        const kept = row && (await openKept(tx, row));
        return { row, request, kept };
      });
      const { row, request, kept } = stored;
      if (!row?.answerStage || !request || kept?.kind !== 'answer' || !kept.content) {
        throw notFound();
      }
      const indexes = await audit.sequenced([row.questionStage, row.answerStage]);
      return receiptOf(row, request, kept, kept.content, indexes);
    },

    /**
     * The same for who asked just now: the answer's own entry is the log of its first delivery. While
     * the log is late the question is stored, and answered perhaps, but shown as on its way.
     */
    async deliver(
      actor: Actor,
      asked: { id: string; ended?: WholeVerification; isRepeat: boolean },
    ): Promise<Verification> {
      const look = asked.isRepeat ? 'later look' : 'first delivery';
      const whole = asked.ended ?? (await read(actor, asked.id, look));
      try {
        return await reveal(whole);
      } catch (error) {
        if (error instanceof AppError && error.kind === 'unavailable') return held(whole.row);
        throw error;
      }
    },
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
  const state = isFinal(row.state) ? 'dispatched' : row.state;
  return outline({ ...row, state, endedAt: null });
}

/** Refuses who may not see a department's questions. */
export function requireAsker(actor: Actor): void {
  if (hasScope(actor, 'verifications:ask')) return;
  throw exchangeErrors.scope('This needs the scope verifications:ask, or the role desk.');
}

export function notFound(): AppError {
  return exchangeErrors.verification_not_found('Your department has no such verification.');
}
