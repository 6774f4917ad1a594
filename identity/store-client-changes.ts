// SQL over identity.client_changes: what operators proposed, and what was decided.
import { sql } from 'drizzle-orm';
import { type Json, selectRows, type Tx } from '../platform/index.ts';
import type { ClientProposal } from './client-change.ts';
import { milliseconds } from './store-client-keys.ts';

export interface ClientChangeRow {
  id: string;
  clientId: string;
  organisationId: string;
  kind: ClientProposal['kind'];
  /** The proposal's members that are not columns. */
  content: Record<string, Json>;
  reason: string;
  /** A hold that was not confirmed in time has lapsed, whether or not that is written down. */
  state: 'proposed' | 'applied' | 'refused' | 'lapsed';
  /** Times in milliseconds of Unix time. */
  holdsUntil: number | null;
  proposedBy: string;
  proposedByKey: string;
  proposedAt: number;
  decidedByKey: string | null;
  decidedAt: number | null;
  decisionReason: string | null;
}

const changes = sql`
  select h.id, h.client_id as "clientId", h.organisation_id as "organisationId", h.kind, h.content,
    h.reason,
    case when h.state = 'proposed' and h.holds_until <= platform.now() then 'lapsed'
      else h.state end as state,
    ${milliseconds(sql`h.holds_until`)} as "holdsUntil",
    h.proposed_by as "proposedBy", p.key as "proposedByKey",
    ${milliseconds(sql`h.proposed_at`)} as "proposedAt", d.key as "decidedByKey",
    ${milliseconds(sql`h.decided_at`)} as "decidedAt", h.decision_reason as "decisionReason"
  from identity.client_changes h
    join identity.officers p on p.id = h.proposed_by
    left join identity.officers d on d.id = h.decided_by`;

export async function findClientChange(tx: Tx, id: string): Promise<ClientChangeRow | null> {
  const [row] = await selectRows<ClientChangeRow>(tx, sql`${changes} where h.id = ${id}`);
  return row ?? null;
}

/** The change, locked until the transaction ends: one decision at a time. */
export async function lockClientChange(tx: Tx, id: string): Promise<ClientChangeRow | null> {
  const [row] = await selectRows<ClientChangeRow>(
    tx,
    sql`${changes} where h.id = ${id} for update of h`,
  );
  return row ?? null;
}

export interface ClientChangePage {
  /** Only those that wait for a decision. */
  isOpen?: boolean | undefined;
  clientId?: string | undefined;
  beforeId?: string | undefined;
  limit: number;
}

/** Changes, latest first. */
export function listClientChanges(tx: Tx, page: ClientChangePage): Promise<ClientChangeRow[]> {
  const { isOpen = false, clientId, beforeId, limit } = page;
  const conditions = [
    ...(isOpen
      ? [sql`h.state = 'proposed' and (h.holds_until is null or h.holds_until > platform.now())`]
      : []),
    ...(clientId === undefined ? [] : [sql`h.client_id = ${clientId}`]),
    ...(beforeId === undefined ? [] : [sql`h.id < ${beforeId}`]),
  ];
  const where = conditions.length === 0 ? sql`` : sql`where ${sql.join(conditions, sql` and `)}`;
  return selectRows<ClientChangeRow>(
    tx,
    sql`${changes} ${where} order by h.id desc limit ${limit}`,
  );
}

/** Writes a proposal; a hold works for as many hours by the database's clock. */
export async function insertClientChange(
  tx: Tx,
  change: Pick<
    ClientChangeRow,
    'id' | 'clientId' | 'organisationId' | 'kind' | 'content' | 'reason' | 'proposedBy'
  >,
  at: Date,
  holdHours: number,
): Promise<void> {
  await tx.execute(
    sql`insert into identity.client_changes (id, client_id, organisation_id, kind, content, reason,
        holds_until, proposed_by, proposed_at)
      values (${change.id}, ${change.clientId}, ${change.organisationId}, ${change.kind},
        ${JSON.stringify(change.content)}::text::jsonb, ${change.reason},
        case when ${change.kind} in ('hold', 'hold_party')
          then platform.now() + make_interval(hours => ${holdHours}) end,
        ${change.proposedBy}, ${at.toISOString()})`,
  );
}

/** Writes the decision; the table refuses one by the officer who proposed. */
export async function decideClientChange(
  tx: Tx,
  decision: { id: string; state: 'applied' | 'refused'; decidedBy: string; reason: string },
  at: Date,
): Promise<void> {
  await tx.execute(
    sql`update identity.client_changes set state = ${decision.state},
        decided_by = ${decision.decidedBy}, decided_at = ${at.toISOString()},
        decision_reason = ${decision.reason}
      where id = ${decision.id}`,
  );
}

/** Writes down that holds of a client have lapsed, so that another may begin. */
export async function lapseHolds(tx: Tx, clientId: string): Promise<void> {
  await tx.execute(
    sql`update identity.client_changes set state = 'lapsed'
      where client_id = ${clientId} and kind in ('hold', 'hold_party') and state = 'proposed'
        and holds_until <= platform.now()`,
  );
}

/** True when this officer held this client in the last days and nobody confirmed it. */
export async function hasVainHold(
  tx: Tx,
  officerId: string,
  clientId: string,
  days: number,
): Promise<boolean> {
  const rows = await selectRows<{ id: string }>(
    tx,
    sql`select id from identity.client_changes
      where client_id = ${clientId} and kind in ('hold', 'hold_party') and proposed_by = ${officerId}
        and state in ('refused', 'lapsed')
        and holds_until > platform.now() - make_interval(days => ${days})
      limit 1`,
  );
  return rows.length > 0;
}
