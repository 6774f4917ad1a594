// SQL over oversight.unmaskings.
import { sql } from 'drizzle-orm';
import { selectRows, type Tx } from '../platform/index.ts';
import { timeText } from './sql-pieces.ts';

export interface UnmaskingRow {
  id: string;
  entryIndex: number;
  pseudonym: string;
  organisation: string | null;
  state: 'requested' | 'approved' | 'refused';
  reasonSealed: Buffer;
  requestedBy: string;
  requestedAt: string;
  decidedBy: string | null;
  decidedAt: string | null;
  shownUntil: string | null;
  /** Approved, and the time to read who it was is not over. */
  isShown: boolean;
}

const unmaskings = sql`
  select u.id, u.entry_index::float8 as "entryIndex", u.pseudonym, u.organisation_id as organisation,
    u.state, u.reason_sealed as "reasonSealed", u.requested_by as "requestedBy",
    ${timeText(sql`u.requested_at`)} as "requestedAt", u.decided_by as "decidedBy",
    ${timeText(sql`u.decided_at`)} as "decidedAt", ${timeText(sql`u.shown_until`)} as "shownUntil",
    coalesce(u.shown_until > platform.now(), false) as "isShown"
  from oversight.unmaskings u`;

export async function insertUnmasking(
  tx: Tx,
  row: Pick<
    UnmaskingRow,
    'id' | 'entryIndex' | 'pseudonym' | 'organisation' | 'reasonSealed' | 'requestedBy'
  >,
): Promise<void> {
  await tx.execute(sql`
    insert into oversight.unmaskings (id, entry_index, pseudonym, organisation_id, reason_sealed,
      requested_by, requested_at)
    values (${row.id}, ${row.entryIndex}, ${row.pseudonym}, ${row.organisation}, ${row.reasonSealed},
      ${row.requestedBy}, platform.now())`);
}

export async function findUnmasking(tx: Tx, id: string): Promise<UnmaskingRow | undefined> {
  const [row] = await selectRows<UnmaskingRow>(tx, sql`${unmaskings} where u.id = ${id}`);
  return row;
}

/** Held until the transaction ends: one decision at a time. */
export async function lockUnmasking(tx: Tx, id: string): Promise<UnmaskingRow | undefined> {
  const [row] = await selectRows<UnmaskingRow>(
    tx,
    sql`${unmaskings} where u.id = ${id} for update of u`,
  );
  return row;
}

/** Latest first; of what a department is told, with its name. */
export function listUnmaskings(
  tx: Tx,
  page: {
    organisation?: string | undefined;
    beforeId?: string | undefined;
    limit: number;
  },
): Promise<UnmaskingRow[]> {
  const { organisation, beforeId, limit } = page;
  const of =
    organisation === undefined
      ? sql``
      : sql`and u.organisation_id = ${organisation} and u.state = 'approved'`;
  const before = beforeId === undefined ? sql`` : sql`and u.id < ${beforeId}`;
  return selectRows<UnmaskingRow>(
    tx,
    sql`${unmaskings} where true ${of} ${before} order by u.id desc limit ${limit}`,
  );
}

/** Writes a decision; the table refuses one by the account that asked, and a second one. */
export async function decideUnmasking(
  tx: Tx,
  decision: { id: string; state: 'approved' | 'refused'; by: string; shownHours: number },
): Promise<void> {
  const { id, state, by, shownHours } = decision;
  await tx.execute(sql`
    update oversight.unmaskings set state = ${state}, decided_by = ${by},
      decided_at = platform.now(),
      shown_until = case when ${state} = 'approved'
        then platform.now() + make_interval(hours => ${shownHours}::int) end
    where id = ${id}`);
}
