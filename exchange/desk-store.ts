// SQL over the questions that wait at a provider's desk.
import { sql } from 'drizzle-orm';
import { selectRows, type Tx } from '../platform/index.ts';
import { milliseconds } from './sql-pieces.ts';

/** A question at a desk, without anything about its subject. */
export interface QuestionRow {
  id: string;
  provider: string;
  service: string;
  requester: string;
  createdAt: number;
  deadline: number;
  claimedBy: string | null;
  /** Who asked it: she can't answer it. */
  askedBy: string | null;
  /** The answer that waits for another officer's approval, and why the last one came back. */
  proposalId: string | null;
  proposalSealed: Buffer | null;
  proposedBy: string | null;
  sentBackSealed: Buffer | null;
}

const columns = sql`
  q.verification_id as id, q.provider_id as provider, q.service_code as service,
  q.requester_id as requester, ${milliseconds(sql`q.created_at`)} as "createdAt",
  ${milliseconds(sql`q.deadline`)} as deadline, q.claimed_by as "claimedBy",
  q.asked_by as "askedBy", q.proposal_id as "proposalId", q.proposal_sealed as "proposalSealed",
  q.proposed_by as "proposedBy", q.sent_back_sealed as "sentBackSealed"`;

/** Puts an open verification before its provider's desk. */
export async function insertQuestion(tx: Tx, verificationId: string): Promise<void> {
  await tx.execute(sql`
    insert into exchange.questions
      (verification_id, provider_id, service_code, requester_id, created_at, deadline, asked_by)
    select id, provider_id, service_code, requester_id, created_at, deadline, asked_by
    from exchange.verifications where id = ${verificationId}`);
}

/** A provider's open questions, oldest first, from after `afterId`. */
export function listQuestions(
  tx: Tx,
  provider: string,
  page: { afterId?: string | undefined; limit: number },
): Promise<QuestionRow[]> {
  const after = page.afterId === undefined ? sql`` : sql`and q.verification_id > ${page.afterId}`;
  return selectRows<QuestionRow>(
    tx,
    sql`select ${columns} from exchange.questions q
      where q.provider_id = ${provider} and q.deadline > platform.now() ${after}
      order by q.verification_id limit ${page.limit}`,
  );
}

/** A provider's questions with a proposed answer, oldest first, from after `afterId`. */
export function listProposals(
  tx: Tx,
  provider: string,
  page: { afterId?: string | undefined; limit: number },
): Promise<QuestionRow[]> {
  const after = page.afterId === undefined ? sql`` : sql`and q.verification_id > ${page.afterId}`;
  return selectRows<QuestionRow>(
    tx,
    sql`select ${columns} from exchange.questions q
      where q.provider_id = ${provider} and q.proposal_id is not null
        and q.deadline > platform.now() ${after}
      order by q.verification_id limit ${page.limit}`,
  );
}

/** A provider's open question, locked until the transaction ends. */
export async function lockQuestion(
  tx: Tx,
  provider: string,
  id: string,
): Promise<QuestionRow | undefined> {
  const [row] = await selectRows<QuestionRow>(
    tx,
    sql`select ${columns} from exchange.questions q
      where q.verification_id = ${id} and q.provider_id = ${provider}
        and q.deadline > platform.now()
      for update`,
  );
  return row;
}

export async function claimQuestion(tx: Tx, id: string, officer: string): Promise<void> {
  await tx.execute(sql`
    update exchange.questions set claimed_by = ${officer}, claimed_at = platform.now()
    where verification_id = ${id} and claimed_by is null`);
}

/** Keeps a proposed answer; the question is its proposer's from now on. */
export async function putProposal(
  tx: Tx,
  proposal: { id: string; proposalId: string; sealed: Buffer; by: string },
): Promise<void> {
  const { id, proposalId, sealed, by } = proposal;
  await tx.execute(sql`
    update exchange.questions set claimed_by = ${by},
      claimed_at = coalesce(claimed_at, platform.now()), proposal_id = ${proposalId},
      proposal_sealed = ${sealed}, proposed_by = ${by}, sent_back_sealed = null
    where verification_id = ${id}`);
}

/** Takes a proposed answer away, with the words it is sent back with. */
export async function dropProposal(tx: Tx, id: string, sentBack: Buffer | null): Promise<void> {
  await tx.execute(sql`
    update exchange.questions set proposal_id = null, proposal_sealed = null, proposed_by = null,
      sent_back_sealed = ${sentBack}
    where verification_id = ${id}`);
}

/** Marks who approves; the table refuses whoever asked, took or answered. */
export async function approveProposal(tx: Tx, id: string, officer: string): Promise<void> {
  await tx.execute(sql`
    update exchange.questions set approved_by = ${officer} where verification_id = ${id}`);
}
