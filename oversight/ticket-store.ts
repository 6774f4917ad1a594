// SQL over oversight.tickets.
import { type SQL, sql } from 'drizzle-orm';
import { selectRows, type Tx } from '../platform/index.ts';
import { timeText } from './sql-pieces.ts';

export const TICKET_STATES = [
  'open',
  'overdue',
  'answered',
  'escalated',
  'concluded',
  'closed',
] as const;
export type TicketState = (typeof TICKET_STATES)[number];

export interface TicketRow {
  id: string;
  entryIndex: number;
  personId: string;
  organisation: string;
  state: TicketState;
  questionSealed: Buffer | null;
  answerSealed: Buffer | null;
  complaintSealed: Buffer | null;
  conclusionSealed: Buffer | null;
  askedAt: string;
  dueAt: string;
  answeredAt: string | null;
  complainedAt: string | null;
  escalatedAt: string | null;
  concludedAt: string | null;
}

const tickets = sql`
  select t.id, t.entry_index::float8 as "entryIndex", t.person_id as "personId",
    t.organisation_id as organisation, t.state, t.question_sealed as "questionSealed",
    t.answer_sealed as "answerSealed", t.complaint_sealed as "complaintSealed",
    t.conclusion_sealed as "conclusionSealed", ${timeText(sql`t.asked_at`)} as "askedAt",
    ${timeText(sql`t.due_at`)} as "dueAt", ${timeText(sql`t.answered_at`)} as "answeredAt",
    ${timeText(sql`t.complained_at`)} as "complainedAt",
    ${timeText(sql`t.escalated_at`)} as "escalatedAt",
    ${timeText(sql`t.concluded_at`)} as "concludedAt"
  from oversight.tickets t`;

export async function insertTicket(
  tx: Tx,
  row: Pick<TicketRow, 'id' | 'entryIndex' | 'personId' | 'organisation'> & {
    questionSealed: Buffer;
    at: Date;
    dueAt: Date;
    escalateAt: Date;
  },
): Promise<void> {
  await tx.execute(sql`
    insert into oversight.tickets (id, entry_index, person_id, organisation_id, question_sealed,
      asked_at, due_at, escalate_at)
    values (${row.id}, ${row.entryIndex}, ${row.personId}, ${row.organisation},
      ${row.questionSealed}, ${row.at.toISOString()}, ${row.dueAt.toISOString()},
      ${row.escalateAt.toISOString()})`);
}

/** One of those in sight. */
export async function findTicket(tx: Tx, id: string): Promise<TicketRow | undefined> {
  const [row] = await selectRows<TicketRow>(tx, sql`${tickets} where t.id = ${id}`);
  return row;
}

export async function lockTicket(tx: Tx, id: string): Promise<TicketRow | undefined> {
  const [row] = await selectRows<TicketRow>(tx, sql`${tickets} where t.id = ${id} for update of t`);
  return row;
}

/** Whose tickets: a person's, a department's, or those that came before auditors. Latest first. */
export function listTickets(
  tx: Tx,
  whose: { personId: string } | { organisation: string } | 'escalated',
  page: { state?: TicketState | undefined; beforeId?: string | undefined; limit: number },
): Promise<TicketRow[]> {
  const of: SQL =
    whose === 'escalated'
      ? sql`t.escalated_at is not null`
      : 'personId' in whose
        ? sql`t.person_id = ${whose.personId}`
        : sql`t.organisation_id = ${whose.organisation}`;
  const state = page.state === undefined ? sql`` : sql`and t.state = ${page.state}`;
  const before = page.beforeId === undefined ? sql`` : sql`and t.id < ${page.beforeId}`;
  return selectRows<TicketRow>(
    tx,
    sql`${tickets} where ${of} ${state} ${before} order by t.id desc limit ${page.limit}`,
  );
}

/** The tickets of these entries, by index. */
export async function findTicketsOf(
  tx: Tx,
  indexes: readonly number[],
): Promise<Map<number, { id: string; state: TicketState }>> {
  const rows = await selectRows<{ index: number; id: string; state: TicketState }>(
    tx,
    sql`select entry_index::float8 as index, id, state from oversight.tickets
      where entry_index = any (${sql.param([...indexes])}::bigint[])`,
  );
  return new Map(rows.map(({ index, id, state }) => [index, { id, state }]));
}

export async function answerTicket(
  tx: Tx,
  { id, sealed, by }: { id: string; sealed: Buffer; by: string },
): Promise<void> {
  await tx.execute(sql`
    update oversight.tickets set answer_sealed = ${sealed}, answered_by = ${by},
      answered_at = platform.now(),
      state = case when state = 'escalated' then state else 'answered' end
    where id = ${id}`);
}

/** Not satisfied: from the answer on to the auditors. */
export async function complain(
  tx: Tx,
  { id, sealed }: { id: string; sealed: Buffer | null },
): Promise<void> {
  await tx.execute(sql`
    update oversight.tickets set complaint_sealed = ${sealed}, complained_at = platform.now(),
      escalated_at = platform.now(), state = 'escalated'
    where id = ${id}`);
}

export async function concludeTicket(
  tx: Tx,
  { id, sealed, by }: { id: string; sealed: Buffer; by: string },
): Promise<void> {
  await tx.execute(sql`
    update oversight.tickets set conclusion_sealed = ${sealed}, concluded_by = ${by},
      concluded_at = platform.now(), state = 'concluded'
    where id = ${id}`);
}

/** Tickets whose time is over: open ones become overdue, overdue ones go to the auditors. */
export function moveLate(
  tx: Tx,
  limit: number,
): Promise<{ id: string; personId: string; organisation: string; state: TicketState }[]> {
  return selectRows(
    tx,
    sql`update oversight.tickets t set
        state = case when t.state = 'open' then 'overdue' else 'escalated' end,
        escalated_at = case when t.state = 'overdue' then platform.now() end
      where t.id = any (array(
          select id from oversight.tickets where state = 'open' and due_at <= platform.now()
          order by due_at limit ${limit} for update skip locked))
        or t.id = any (array(
          select id from oversight.tickets where state = 'overdue' and escalate_at <= platform.now()
          order by escalate_at limit ${limit} for update skip locked))
      returning t.id, t.person_id as "personId", t.organisation_id as organisation, t.state`,
  );
}

/** The ids of a person's tickets: what kept responses speak of. */
export async function ticketsAbout(tx: Tx, personId: string): Promise<string[]> {
  const rows = await selectRows<{ id: string }>(
    tx,
    sql`select id from oversight.tickets where person_id = ${personId}`,
  );
  return rows.map(({ id }) => id);
}

/** An erased person's questions end, and all that was said goes. */
export async function forgetTickets(tx: Tx, personId: string): Promise<void> {
  await tx.execute(sql`
    update oversight.tickets set question_sealed = null, answer_sealed = null,
      complaint_sealed = null, conclusion_sealed = null,
      state = case when state = 'concluded' then state else 'closed' end
    where person_id = ${personId}`);
}
