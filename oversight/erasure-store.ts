// SQL over oversight.erasures and oversight.legal_holds.
import { type SQL, sql } from 'drizzle-orm';
import { selectRows, type Tx } from '../platform/index.ts';
import { timeText as time } from './sql-pieces.ts';

export interface ErasureRow {
  id: string;
  personId: string;
  state: 'requested' | 'refused' | 'destroyed' | 'done';
  requestedBy: string;
  requestedByKey: string;
  requestedAt: string;
  decidedByKey: string | null;
  decidedAt: string | null;
  entries: number | null;
  doneAt: string | null;
  /** Since the data key is gone, in milliseconds; null before. */
  ageMs: number | null;
}

const erasures = sql`
  select e.id, e.person_id as "personId", e.state, e.requested_by as "requestedBy",
    r.key as "requestedByKey", ${time(sql`e.requested_at`)} as "requestedAt",
    d.key as "decidedByKey", ${time(sql`e.decided_at`)} as "decidedAt", e.entries,
    ${time(sql`e.done_at`)} as "doneAt",
    case when e.state in ('destroyed', 'done')
      then (extract(epoch from platform.now() - e.decided_at) * 1000)::float8 end as "ageMs"
  from oversight.erasures e join identity.officers r on r.id = e.requested_by
    left join identity.officers d on d.id = e.decided_by`;

export async function insertErasure(
  tx: Tx,
  erasure: { id: string; personId: string; reasonSealed: Buffer; requestedBy: string },
): Promise<void> {
  const { id, personId, reasonSealed, requestedBy } = erasure;
  await tx.execute(
    sql`insert into oversight.erasures (id, person_id, reason_sealed, requested_by, requested_at)
      values (${id}, ${personId}, ${reasonSealed}, ${requestedBy}, platform.now())`,
  );
}

export async function findErasure(tx: Tx, id: string): Promise<ErasureRow | null> {
  const [row] = await selectRows<ErasureRow>(tx, sql`${erasures} where e.id = ${id}`);
  return row ?? null;
}

/** The erasure, locked until the transaction ends: one decision at a time. */
export async function lockErasure(tx: Tx, id: string): Promise<ErasureRow | null> {
  const [row] = await selectRows<ErasureRow>(
    tx,
    sql`${erasures} where e.id = ${id} for update of e`,
  );
  return row ?? null;
}

/** Erasures, latest first. */
export function listErasures(
  tx: Tx,
  { beforeId, limit }: { beforeId?: string | undefined; limit: number },
): Promise<ErasureRow[]> {
  const where = beforeId === undefined ? sql`` : sql`where e.id < ${beforeId}`;
  return selectRows<ErasureRow>(tx, sql`${erasures} ${where} order by e.id desc limit ${limit}`);
}

/** Those whose data key is gone and whose traces are not all yet. */
export async function findUnfinished(tx: Tx): Promise<string[]> {
  const rows = await selectRows<{ id: string }>(
    tx,
    sql`select id from oversight.erasures where state = 'destroyed' order by id limit 100`,
  );
  return rows.map(({ id }) => id);
}

/** Writes a decision; the table refuses one by the officer who asked. */
export async function decideErasure(
  tx: Tx,
  decision: {
    id: string;
    decidedBy: string;
    state: 'refused' | 'destroyed';
    entries?: number;
    salt?: Buffer;
  },
): Promise<void> {
  const { id, decidedBy, state, entries = null, salt = null } = decision;
  await tx.execute(
    sql`update oversight.erasures set state = ${state}, decided_by = ${decidedBy},
        decided_at = platform.now(), entries = ${entries}::int, salt = ${salt}::bytea
      where id = ${id}`,
  );
}

/** Closes an erasure; the reasons given about the person go with it. */
export async function closeErasure(tx: Tx, id: string, personId: string): Promise<void> {
  await tx.execute(
    sql`update oversight.erasures set state = 'done', done_at = platform.now(), reason_sealed = null
      where id = ${id} and state = 'destroyed'`,
  );
  await tx.execute(
    sql`update oversight.erasures set reason_sealed = null where person_id = ${personId}`,
  );
  await tx.execute(
    sql`update oversight.legal_holds set reason_sealed = null where person_id = ${personId}`,
  );
}

export interface HoldRow {
  id: string;
  personId: string;
  placedBy: string;
  placedByKey: string;
  placedAt: string;
  confirmedByKey: string | null;
  liftAskedBy: string | null;
  liftAskedByKey: string | null;
  liftedByKey: string | null;
  liftedAt: string | null;
}

const holds = sql`
  select h.id, h.person_id as "personId", h.placed_by as "placedBy", p.key as "placedByKey",
    ${time(sql`h.placed_at`)} as "placedAt", c.key as "confirmedByKey",
    h.lift_asked_by as "liftAskedBy", a.key as "liftAskedByKey", l.key as "liftedByKey",
    ${time(sql`h.lifted_at`)} as "liftedAt"
  from oversight.legal_holds h join identity.officers p on p.id = h.placed_by
    left join identity.officers c on c.id = h.confirmed_by
    left join identity.officers a on a.id = h.lift_asked_by
    left join identity.officers l on l.id = h.lifted_by`;

export async function insertHold(
  tx: Tx,
  hold: { id: string; personId: string; reasonSealed: Buffer; placedBy: string },
): Promise<void> {
  await tx.execute(
    sql`insert into oversight.legal_holds (id, person_id, reason_sealed, placed_by, placed_at)
      values (${hold.id}, ${hold.personId}, ${hold.reasonSealed}, ${hold.placedBy}, platform.now())`,
  );
}

export async function findHold(tx: Tx, id: string): Promise<HoldRow | null> {
  const [row] = await selectRows<HoldRow>(tx, sql`${holds} where h.id = ${id}`);
  return row ?? null;
}

export async function lockHold(tx: Tx, id: string): Promise<HoldRow | null> {
  const [row] = await selectRows<HoldRow>(tx, sql`${holds} where h.id = ${id} for update of h`);
  return row ?? null;
}

/** Holds, latest first. */
export function listHolds(
  tx: Tx,
  { beforeId, limit }: { beforeId?: string | undefined; limit: number },
): Promise<HoldRow[]> {
  const where = beforeId === undefined ? sql`` : sql`where h.id < ${beforeId}`;
  return selectRows<HoldRow>(tx, sql`${holds} ${where} order by h.id desc limit ${limit}`);
}

export async function hasStandingHold(tx: Tx, personId: string): Promise<boolean> {
  const rows = await selectRows(
    tx,
    sql`select id from oversight.legal_holds
      where person_id = ${personId} and lifted_at is null limit 1`,
  );
  return rows.length > 0;
}

const step: Record<'confirm' | 'ask_lift' | 'lift', { by: SQL; at: SQL }> = {
  confirm: { by: sql`confirmed_by`, at: sql`confirmed_at` },
  ask_lift: { by: sql`lift_asked_by`, at: sql`lift_asked_at` },
  lift: { by: sql`lifted_by`, at: sql`lifted_at` },
};

/** Notes a step of a hold's life; the table refuses one by whoever took the step before. */
export async function updateHold(
  tx: Tx,
  id: string,
  act: keyof typeof step,
  officerId: string,
): Promise<void> {
  const { by, at } = step[act];
  await tx.execute(
    sql`update oversight.legal_holds set ${by} = ${officerId}, ${at} = platform.now()
      where id = ${id}`,
  );
}
