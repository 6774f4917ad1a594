// SQL over identity.passkey_resets, and what a reset does.
import { sql } from 'drizzle-orm';
import { selectRows, type Tx } from '../platform/index.ts';
import type { RoleRequestState } from './role-request.ts';

export interface PasskeyResetRow {
  id: string;
  officerId: string;
  officerKey: string;
  organisationId: string;
  reason: string;
  requestedBy: string;
  requestedByKey: string;
  requestedAt: string;
  state: RoleRequestState;
  decidedByKey: string | null;
  decidedAt: string | null;
}

const resets = sql`
  select r.id, r.officer_id as "officerId", o.key as "officerKey",
    o.organisation_id as "organisationId", r.reason, r.requested_by as "requestedBy",
    asker.key as "requestedByKey", r.requested_at as "requestedAt", r.state,
    decider.key as "decidedByKey", r.decided_at as "decidedAt"
  from identity.passkey_resets r
    join identity.officers o on o.id = r.officer_id
    join identity.officers asker on asker.id = r.requested_by
    left join identity.officers decider on decider.id = r.decided_by`;

export async function insertPasskeyReset(
  tx: Tx,
  reset: Pick<PasskeyResetRow, 'id' | 'officerId' | 'reason' | 'requestedBy'>,
): Promise<void> {
  const { id, officerId, reason, requestedBy } = reset;
  await tx.execute(
    sql`insert into identity.passkey_resets (id, officer_id, reason, requested_by, requested_at)
      values (${id}, ${officerId}, ${reason}, ${requestedBy}, platform.now())`,
  );
}

export async function findPasskeyReset(tx: Tx, id: string): Promise<PasskeyResetRow | undefined> {
  const [row] = await selectRows<PasskeyResetRow>(tx, sql`${resets} where r.id = ${id}`);
  return row;
}

/** The request, held until the transaction ends. */
export async function lockPasskeyReset(tx: Tx, id: string): Promise<PasskeyResetRow | undefined> {
  const [row] = await selectRows<PasskeyResetRow>(
    tx,
    sql`${resets} where r.id = ${id} for update of r`,
  );
  return row;
}

/** Requests, newest first, in one state if it is named. */
export function listPasskeyResets(
  tx: Tx,
  page: { state?: RoleRequestState | undefined; beforeId?: string | undefined; limit: number },
): Promise<PasskeyResetRow[]> {
  const inState = page.state === undefined ? sql`` : sql`and r.state = ${page.state}`;
  const before = page.beforeId === undefined ? sql`` : sql`and r.id < ${page.beforeId}`;
  return selectRows<PasskeyResetRow>(
    tx,
    sql`${resets} where true ${inState} ${before} order by r.id desc limit ${page.limit}`,
  );
}

/** Decides an open request; the table refuses whoever asked for it or is its officer. */
export async function updatePasskeyReset(
  tx: Tx,
  { id, state, decidedBy }: { id: string; state: 'approved' | 'refused'; decidedBy: string },
): Promise<void> {
  await tx.execute(
    sql`update identity.passkey_resets
      set state = ${state}, decided_by = ${decidedBy}, decided_at = platform.now()
      where id = ${id} and state = 'open'`,
  );
}
