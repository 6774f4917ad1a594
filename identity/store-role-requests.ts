// SQL over identity.role_requests.
import { sql } from 'drizzle-orm';
import { selectRows, type Tx } from '../platform/index.ts';
import type { RoleRequestState } from './role-request.ts';
import type { Reach } from './store-officers.ts';

export interface RoleRequestRow {
  id: string;
  act: 'grant' | 'revoke';
  officerId: string;
  officerKey: string;
  organisationId: string;
  role: string;
  reach: Reach;
  validFrom: string;
  validTo: string | null;
  reason: string;
  requestedBy: string;
  requestedByKey: string;
  requestedAt: number;
  state: RoleRequestState;
  decidedByKey: string | null;
  decidedAt: number | null;
}

const milliseconds = (column: 'requested_at' | 'decided_at') =>
  sql`(extract(epoch from r.${sql.raw(column)}) * 1000)::float8`;

const requests = sql`
  select r.id, r.act, r.officer_id as "officerId", o.key as "officerKey",
    o.organisation_id as "organisationId", r.role, r.reach, r.valid_from::text as "validFrom",
    r.valid_to::text as "validTo", r.reason, r.requested_by as "requestedBy",
    asker.key as "requestedByKey", ${milliseconds('requested_at')} as "requestedAt", r.state,
    decider.key as "decidedByKey", ${milliseconds('decided_at')} as "decidedAt"
  from identity.role_requests r
    join identity.officers o on o.id = r.officer_id
    join identity.officers asker on asker.id = r.requested_by
    left join identity.officers decider on decider.id = r.decided_by`;

type NewRequest = Pick<
  RoleRequestRow,
  'id' | 'act' | 'officerId' | 'role' | 'reach' | 'validFrom' | 'validTo' | 'reason' | 'requestedBy'
>;

export async function insertRoleRequest(tx: Tx, request: NewRequest): Promise<void> {
  const { id, act, officerId, role, reach, validFrom, validTo, reason, requestedBy } = request;
  await tx.execute(
    sql`insert into identity.role_requests (id, act, officer_id, role, reach, valid_from, valid_to,
        reason, requested_by, requested_at, state)
      values (${id}, ${act}, ${officerId}, ${role}, ${reach}, ${validFrom}, ${validTo}, ${reason},
        ${requestedBy}, platform.now(), 'open')`,
  );
}

export async function findRoleRequest(tx: Tx, id: string): Promise<RoleRequestRow | undefined> {
  const [row] = await selectRows<RoleRequestRow>(tx, sql`${requests} where r.id = ${id}`);
  return row;
}

/** The request, held until the transaction ends. */
export async function lockRoleRequest(tx: Tx, id: string): Promise<RoleRequestRow | undefined> {
  const [row] = await selectRows<RoleRequestRow>(
    tx,
    sql`${requests} where r.id = ${id} for update of r`,
  );
  return row;
}

/** Requests, newest first, in one state if it is named. */
export function listRoleRequests(
  tx: Tx,
  page: { state?: RoleRequestState | undefined; beforeId?: string | undefined; limit: number },
): Promise<RoleRequestRow[]> {
  const inState = page.state === undefined ? sql`` : sql`and r.state = ${page.state}`;
  const before = page.beforeId === undefined ? sql`` : sql`and r.id < ${page.beforeId}`;
  return selectRows<RoleRequestRow>(
    tx,
    sql`${requests} where true ${inState} ${before} order by r.id desc limit ${page.limit}`,
  );
}

/** Decides an open request; the table refuses whoever asked for it or is its officer. */
export async function updateRoleRequest(
  tx: Tx,
  decision: { id: string; state: 'approved' | 'refused'; decidedBy: string },
): Promise<void> {
  const { id, state, decidedBy } = decision;
  await tx.execute(
    sql`update identity.role_requests
      set state = ${state}, decided_by = ${decidedBy}, decided_at = platform.now()
      where id = ${id} and state = 'open'`,
  );
}
