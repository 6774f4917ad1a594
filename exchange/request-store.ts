// SQL over verifications and their answers: accepting, leasing, ending. The hot path, so that each
// act is one statement.
import { type SQL, sql } from 'drizzle-orm';
import { selectRows, type Tx, textArray } from '../platform/index.ts';
import { jsonText, milliseconds, moment } from './sql-pieces.ts';
import type { FinalState, VerificationState } from './verification.ts';

/** Who answers: a rule over the registry, or an officer at the provider's desk. */
export type Route = 'rule' | 'desk';

/** One run that did not finish; no words about the person. */
export interface Attempt {
  dispatchNo: number;
  at: string;
  error: string;
}

/** A stored verification; times are milliseconds since 1970, `readAt` by the database's clock. */
export interface VerificationRow {
  id: string;
  service: string;
  serviceVersion: number;
  /** The emergency it was asked in; null where an agreement allowed it. */
  emergencyId: string | null;
  requester: string;
  provider: string;
  state: VerificationState;
  route: Route;
  subjectId: string;
  legalBasis: string;
  disclosed: string[];
  evidence: string;
  requestSealed: Buffer;
  discloseAt: number | null;
  traceparent: string | null;
  dispatchNo: number;
  attempts: Attempt[];
  questionStage: string;
  answerStage: string | null;
  createdAt: number;
  deadline: number;
  endedAt: number | null;
  readAt: number;
}

/** A delayed disclosure ends with its case; an emergency's has its own end. */
const discloseAt = sql`case when v.disclose_at is null or v.emergency_id is not null then v.disclose_at
  else least(v.disclose_at, exchange.case_closed_at(v.requester_id, v.case_tag)) end`;

/** The columns of a VerificationRow, of a table called v. */
export const columns = sql`
  v.id, v.service_code as service, v.service_version as "serviceVersion",
  v.emergency_id as "emergencyId", v.requester_id as requester, v.provider_id as provider, v.state,
  v.route, v.subject_id as "subjectId", v.legal_basis as "legalBasis", v.disclosed, v.evidence,
  v.request_sealed as "requestSealed", ${milliseconds(discloseAt)} as "discloseAt",
  v.traceparent, v.dispatch_no as "dispatchNo", v.attempts, v.question_stage as "questionStage",
  v.answer_stage as "answerStage", ${milliseconds(sql`v.created_at`)} as "createdAt",
  ${milliseconds(sql`v.deadline`)} as deadline, ${milliseconds(sql`v.ended_at`)} as "endedAt",
  ${milliseconds(sql`platform.now()`)} as "readAt"`;

/** What there is to keep of an ending, sealed. */
export interface EndingContent {
  kind: 'answer' | 'refusal';
  sealed: Buffer;
  asOf: string | null;
  retentionDays: number;
  /** Who answered by hand, and who approved it; null where a rule did. */
  by: HandedBy | null;
}

export interface HandedBy {
  answeredBy: string | null;
  approvedBy: string | null;
  fourEyes: boolean;
}

/** How a verification ends. */
export interface Ending {
  state: FinalState;
  answerStage: string;
  content: EndingContent | null;
}

/** A verification on its way in; with an ending when it ends in the same breath. */
export interface NewVerification {
  id: string;
  service: string;
  serviceVersion: number;
  /** What allows it: exactly one of the two. */
  agreement: { id: string; version: number } | null;
  emergencyId: string | null;
  requester: string;
  provider: string;
  askedBy: string;
  state: 'accepted' | 'awaiting_consent' | 'dispatched';
  route: Route;
  subjectId: string;
  legalBasis: string;
  disclosed: readonly string[];
  evidence: string;
  requestSealed: Buffer;
  caseTag: Buffer;
  discloseAt: Date | null;
  traceparent: string | null;
  /** When the sweep wakes somebody; null where nobody needs waking. */
  wakeAt: Date | null;
  questionStage: string;
  createdAt: Date;
  deadline: Date;
  ending: Ending | null;
}

/** Stores a verification, with what it ended with, in one statement. */
export async function insertVerification(tx: Tx, v: NewVerification): Promise<VerificationRow> {
  const { ending } = v;
  const endedAt = ending ? sql`date_trunc('milliseconds', platform.now())` : sql`null`;
  const [row] = await selectRows<VerificationRow>(
    tx,
    sql`with ended as (
        insert into exchange.verifications
          (id, service_code, service_version, agreement_id, agreement_version, emergency_id,
           requester_id, provider_id, asked_by, state, route, subject_id, legal_basis, disclosed, evidence,
           request_sealed, case_tag, disclose_at, traceparent, dispatch_no, lease_until,
           question_stage, answer_stage, created_at, deadline, ended_at)
        values (${v.id}, ${v.service}, ${v.serviceVersion}, ${v.agreement?.id ?? null},
          ${v.agreement?.version ?? null}, ${v.emergencyId}, ${v.requester}, ${v.provider}, ${v.askedBy},
          ${ending?.state ?? v.state}, ${v.route}, ${v.subjectId}, ${v.legalBasis},
          ${textArray(v.disclosed)}, ${v.evidence}, ${v.requestSealed}, ${v.caseTag},
          ${moment(v.discloseAt)}, ${v.traceparent}, 1, ${ending ? null : moment(v.wakeAt)},
          ${v.questionStage}, ${ending?.answerStage ?? null}, ${moment(v.createdAt)},
          ${moment(v.deadline)}, ${endedAt})
        returning *
      ) ${ending?.content ? keep(ending.content) : sql``}
      select ${columns} from ended v`,
  );
  if (!row) throw new TypeError('A verification was not stored.');
  return row;
}

/**
 * Ties an idempotency key to a verification; returns the verification that had the key before, if
 * one had.
 */
export async function claimRequestKey(
  tx: Tx,
  key: { owner: string; hash: Buffer; verificationId: string },
): Promise<string | undefined> {
  const made = await selectRows(
    tx,
    sql`insert into exchange.request_keys (owner, key_hash, verification_id, created_at)
      values (${key.owner}, ${key.hash}, ${key.verificationId}, platform.now())
      on conflict do nothing returning verification_id`,
  );
  if (made.length > 0) return undefined;
  const [row] = await selectRows<{ verificationId: string }>(
    tx,
    sql`select verification_id as "verificationId" from exchange.request_keys
      where owner = ${key.owner} and key_hash = ${key.hash}`,
  );
  return row?.verificationId;
}

/** A verification by its id; `lock` holds it until the transaction ends. */
export async function findVerification(
  tx: Tx,
  id: string,
  lock: 'no lock' | 'for update' = 'no lock',
): Promise<VerificationRow | undefined> {
  const locking = lock === 'for update' ? sql`for update` : sql``;
  const [row] = await selectRows<VerificationRow>(
    tx,
    sql`select ${columns} from exchange.verifications v where v.id = ${id} ${locking}`,
  );
  return row;
}

/**
 * Ends an open verification, stores what it ended with and takes it off the desk. With a lease
 * token only while that lease stands; false when another was first.
 */
export async function endVerification(
  tx: Tx,
  id: string,
  ending: Ending,
  leaseToken?: string,
): Promise<boolean> {
  const held = leaseToken === undefined ? sql`` : sql`and v.lease_token = ${leaseToken}`;
  const keeping = ending.content === null ? sql`` : keep(ending.content);
  const ended = await selectRows(
    tx,
    sql`with ended as (
        update exchange.verifications v
        set state = ${ending.state}, answer_stage = ${ending.answerStage},
          ended_at = date_trunc('milliseconds', platform.now()),
          lease_token = null, lease_until = null
        where v.id = ${id} and v.ended_at is null ${held}
        returning v.id, v.subject_id, v.ended_at
      ), off_desk as (
        delete from exchange.questions q using ended where q.verification_id = ended.id
      ) ${keeping}
      select id from ended`,
  );
  return ended.length > 0;
}

function keep(content: EndingContent): SQL {
  return sql`, kept as (
    insert into exchange.answers
      (verification_id, subject_id, kind, content_sealed, as_of, answered_at, erase_after,
       answered_by, approved_by, four_eyes)
    select id, subject_id, ${content.kind}, ${content.sealed}, ${content.asOf}::date, ended_at,
      ended_at + make_interval(days => ${content.retentionDays}),
      ${content.by?.answeredBy ?? null}::text, ${content.by?.approvedBy ?? null}::text,
      ${content.by?.fourEyes ?? false}::boolean
    from ended
  )`;
}

/** What an ended verification holds. */
export interface AnswerRow {
  kind: 'answer' | 'refusal';
  contentSealed: Buffer | null;
  asOf: string | null;
  receipt: string | null;
  answeredAt: number;
  erasedAt: number | null;
}

export async function findAnswer(tx: Tx, verificationId: string): Promise<AnswerRow | undefined> {
  const [row] = await selectRows<AnswerRow>(
    tx,
    sql`select kind, content_sealed as "contentSealed", as_of::text as "asOf", receipt,
        ${milliseconds(sql`answered_at`)} as "answeredAt",
        ${milliseconds(sql`erased_at`)} as "erasedAt"
      from exchange.answers where verification_id = ${verificationId}`,
  );
  return row;
}

/** Stores receipts; returns for each answer the one that stands, which may be an earlier one. */
export async function keepReceipts(
  tx: Tx,
  receipts: readonly { id: string; receipt: string }[],
): Promise<Map<string, string>> {
  const given = receipts.map(({ id, receipt }) => ({ id, receipt }));
  const rows = await selectRows<{ id: string; receipt: string }>(
    tx,
    sql`update exchange.answers a set receipt = coalesce(a.receipt, r.receipt)
      from json_to_recordset(${jsonText(given)}) as r(id uuid, receipt text)
      where a.verification_id = r.id returning a.verification_id as id, a.receipt`,
  );
  return new Map(rows.map(({ id, receipt }) => [id, receipt]));
}

/** A requester's verifications, newest first. */
export function listVerifications(
  tx: Tx,
  requester: string,
  query: {
    state?: VerificationState | undefined;
    caseTag?: Buffer | undefined;
    beforeId?: string | undefined;
    limit: number;
  },
): Promise<VerificationRow[]> {
  const state = query.state === undefined ? sql`` : sql`and v.state = ${query.state}`;
  const ofCase = query.caseTag === undefined ? sql`` : sql`and v.case_tag = ${query.caseTag}`;
  const before = query.beforeId === undefined ? sql`` : sql`and v.id < ${query.beforeId}`;
  return selectRows<VerificationRow>(
    tx,
    sql`select ${columns} from exchange.verifications v
      where v.requester_id = ${requester} ${state} ${ofCase} ${before}
      order by v.id desc limit ${query.limit}`,
  );
}

/** The state of a verification and nothing else, for those who wait for its end. */
export async function findState(tx: Tx, id: string): Promise<VerificationState | undefined> {
  const [row] = await selectRows<{ state: VerificationState }>(
    tx,
    sql`select state from exchange.verifications where id = ${id}`,
  );
  return row?.state;
}
