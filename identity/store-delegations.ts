// SQL over identity.delegations and identity.acting_sessions.
import { sql } from 'drizzle-orm';
import { selectRows, type Tx, textArray } from '../platform/index.ts';
import type { DelegableItem, DelegationState } from './delegation.ts';

/** A stored delegation; `state` is as stored, so an expired one may still say accepted. */
export interface DelegationRow {
  id: string;
  principalId: string;
  agentId: string;
  items: DelegableItem[];
  validFrom: string;
  validTo: string;
  state: DelegationState;
  proposedAt: string;
  acceptedAt: string | null;
  endedAt: string | null;
  /** The database's clock when the row was read. */
  readAt: string;
}

const columns = sql`
  d.id, d.principal_id as "principalId", d.agent_id as "agentId", d.items,
  d.valid_from::text as "validFrom", d.valid_to::text as "validTo", d.state,
  d.proposed_at as "proposedAt", d.accepted_at as "acceptedAt", d.ended_at as "endedAt",
  platform.now() as "readAt"`;

/** Lets a principal's acts on her delegations follow one another, so that they can be counted. */
export async function lockPrincipal(tx: Tx, principalId: string): Promise<void> {
  await tx.execute(sql`select 1 from identity.people where id = ${principalId} for no key update`);
}

/** Writes down that a principal's delegations past their last day have expired. */
export async function settleExpired(tx: Tx, principalId: string, today: string): Promise<void> {
  await tx.execute(
    sql`update identity.delegations set state = 'expired', ended_at = platform.now()
      where principal_id = ${principalId} and state in ('proposed', 'accepted')
        and valid_to < ${today}::date`,
  );
}

export async function countOpen(tx: Tx, principalId: string): Promise<number> {
  const [row] = await selectRows<{ open: number }>(
    tx,
    sql`select count(*)::int as open from identity.delegations
      where principal_id = ${principalId} and state in ('proposed', 'accepted')`,
  );
  return row?.open ?? 0;
}

export interface NewDelegation {
  id: string;
  principalId: string;
  agentId: string;
  items: readonly DelegableItem[];
  validFrom: string;
  validTo: string;
  /** The licence that named the representative who gave it, if one did. */
  underLicence: string | null;
}

/** Adds a proposal; undefined when these two have an open one already. */
export async function insertDelegation(
  tx: Tx,
  delegation: NewDelegation,
): Promise<DelegationRow | undefined> {
  const { id, principalId, agentId, items, validFrom, validTo, underLicence } = delegation;
  const [row] = await selectRows<DelegationRow>(
    tx,
    sql`insert into identity.delegations as d
        (id, principal_id, agent_id, items, valid_from, valid_to, under_licence, proposed_at)
      values (${id}, ${principalId}, ${agentId}, ${textArray(items)}, ${validFrom}::date,
        ${validTo}::date, ${underLicence}, platform.now())
      on conflict (principal_id, agent_id) where state in ('proposed', 'accepted') do nothing
      returning ${columns}`,
  );
  return row;
}

/** A delegation of which this person is one side, locked until the transaction ends. */
export async function lockDelegation(
  tx: Tx,
  id: string,
  personId: string,
): Promise<DelegationRow | undefined> {
  const [row] = await selectRows<DelegationRow>(
    tx,
    sql`select ${columns} from identity.delegations d
      where d.id = ${id} and ${personId}::uuid in (d.principal_id, d.agent_id) for update`,
  );
  return row;
}

export async function updateDelegation(
  tx: Tx,
  id: string,
  state: DelegationState,
): Promise<DelegationRow> {
  const time = state === 'accepted' ? sql`accepted_at` : sql`ended_at`;
  const [row] = await selectRows<DelegationRow>(
    tx,
    sql`update identity.delegations d set state = ${state}, ${time} = platform.now()
      where d.id = ${id} returning ${columns}`,
  );
  if (!row) throw new TypeError('A locked delegation is there.');
  return row;
}

/** What a person has given and been given, newest first, at most so many of each. */
export function findDelegations(tx: Tx, personId: string, limit: number): Promise<DelegationRow[]> {
  return selectRows<DelegationRow>(
    tx,
    sql`(select ${columns} from identity.delegations d where d.principal_id = ${personId}
        order by d.id desc limit ${limit})
      union all
      (select ${columns} from identity.delegations d where d.agent_id = ${personId}
        order by d.id desc limit ${limit})
      order by id desc`,
  );
}

/** Open delegations given under a licence stand under its next version. */
export async function moveUnder(tx: Tx, licence: string, successor: string): Promise<void> {
  await tx.execute(
    sql`update identity.delegations set under_licence = ${successor}
      where under_licence = ${licence} and state in ('proposed', 'accepted')`,
  );
}

/** Revokes the open delegations given under a licence, and returns them. */
export function revokeUnder(tx: Tx, licence: string): Promise<DelegationRow[]> {
  return selectRows<DelegationRow>(
    tx,
    sql`update identity.delegations d set state = 'revoked', ended_at = platform.now()
      where d.under_licence = ${licence} and d.state in ('proposed', 'accepted')
      returning ${columns}`,
  );
}

/** From now on the session acts by this delegation. */
export async function putActing(tx: Tx, sessionId: string, delegationId: string): Promise<void> {
  await tx.execute(
    sql`insert into identity.acting_sessions (session_id, delegation_id, since)
      values (${sessionId}, ${delegationId}, platform.now())
      on conflict (session_id)
        do update set delegation_id = excluded.delegation_id, since = excluded.since`,
  );
}

export async function deleteActing(tx: Tx, sessionId: string): Promise<void> {
  await tx.execute(sql`delete from identity.acting_sessions where session_id = ${sessionId}`);
}
