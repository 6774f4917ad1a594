// SQL of the status lists.
import { eq, sql } from 'drizzle-orm';
import { selectRows, type Tx } from '../platform/index.ts';
import { statuses, statusLists } from './schema.ts';
import type { StatusReference } from './sd-jwt-vc.ts';

/** A position in the order of giving out, with its index where the list is there already. */
export interface DrawnPosition {
  position: number;
  uri: string | null;
  idx: number | null;
}

interface PositionRow {
  position: string;
  uri: string | null;
  idx: Buffer | null;
}

/** Draws `count` positions that nobody else ever gets, also when the transaction is rolled back. */
export async function drawPositions(
  tx: Tx,
  count: number,
  listSize: number,
): Promise<DrawnPosition[]> {
  const rows = await selectRows<PositionRow>(
    tx,
    sql`with drawn as materialized (
        select nextval('signing.status_positions') as position from generate_series(1, ${count})
      )
      select drawn.position, list.uri,
        substring(list.shuffled from (drawn.position % ${listSize} * 4 + 1)::int for 4) as idx
      from drawn left join signing.status_lists list on list.id = drawn.position / ${listSize}
      order by drawn.position`,
  );
  return rows.map(({ position, uri, idx }) => ({
    position: Number(position),
    uri,
    idx: idx === null ? null : idx.readUInt32BE(0),
  }));
}

/** The index at one place of a list's order; the list must be there. */
export async function getShuffledIndex(tx: Tx, listId: number, offset: number) {
  const [row] = await selectRows<{ uri: string; idx: Buffer }>(
    tx,
    sql`select uri, substring(shuffled from ${offset * 4 + 1}::int for 4) as idx
      from signing.status_lists where id = ${listId}`,
  );
  if (!row) throw new TypeError(`Status list ${listId} is missing.`);
  return { uri: row.uri, idx: row.idx.readUInt32BE(0) };
}

export async function hasList(tx: Tx, listId: number): Promise<boolean> {
  const rows = await tx
    .select({ id: statusLists.id })
    .from(statusLists)
    .where(eq(statusLists.id, listId));
  return rows.length > 0;
}

/** Adds a list; when another transaction is adding the same one, waits for its fate. */
export async function insertList(tx: Tx, list: typeof statusLists.$inferInsert): Promise<boolean> {
  const added = await tx
    .insert(statusLists)
    .values(list)
    .onConflictDoNothing()
    .returning({ id: statusLists.id });
  return added.length > 0;
}

/** Sets a status; false when no list has this URI or the index lies outside it. */
export async function upsertStatus(
  tx: Tx,
  { uri, idx }: StatusReference,
  status: number,
): Promise<boolean> {
  const rows = await selectRows<{ idx: number }>(
    tx,
    sql`insert into signing.statuses (list_id, idx, status, changed_xid)
      select id, ${idx}::int, ${status}::smallint, pg_current_xact_id()
      from signing.status_lists where uri = ${uri} and ${idx}::int < size
      on conflict (list_id, idx) do update
      set status = excluded.status, changed_xid = excluded.changed_xid
      returning idx`,
  );
  return rows.length > 0;
}

/** The status at a reference; null when no list has this URI or the index lies outside it. */
export async function findStatus(tx: Tx, { uri, idx }: StatusReference): Promise<number | null> {
  const [row] = await selectRows<{ status: number }>(
    tx,
    sql`select coalesce(status.status, 0)::int as status
      from signing.status_lists list
      left join signing.statuses status on status.list_id = list.id and status.idx = ${idx}::int
      where list.uri = ${uri} and ${idx}::int < list.size`,
  );
  return row?.status ?? null;
}

export async function findList(tx: Tx, listId: number) {
  const [row] = await tx
    .select({ uri: statusLists.uri, size: statusLists.size })
    .from(statusLists)
    .where(eq(statusLists.id, listId));
  return row ?? null;
}

/** What a reader takes along to its next read: the oldest transaction then still running. */
export type Horizon = string;

/**
 * The statuses a reader with an older `horizon` may not have seen; all of them without one. Rows
 * of transactions numbered beyond this cluster's own come from a restored dump: a first read has
 * them, and no later one needs them.
 */
export async function statusesSince(
  tx: Tx,
  listId: number,
  horizon: Horizon | null,
): Promise<{ horizon: Horizon; changes: { idx: number; status: number }[] }> {
  const isNew =
    horizon === null
      ? sql`true`
      : sql`status.changed_xid >= ${horizon}::xid8 and status.changed_xid < reader.xmax`;
  const rows = await selectRows<{ horizon: string; idx: number | null; status: number | null }>(
    tx,
    sql`with reader as materialized (
        select pg_snapshot_xmin(pg_current_snapshot()) as xmin,
          pg_snapshot_xmax(pg_current_snapshot()) as xmax
      )
      select reader.xmin::text as horizon, status.idx, status.status::int as status
      from reader
      left join ${statuses} status on status.list_id = ${listId} and ${isNew}`,
  );
  const changes = rows.flatMap(({ idx, status }) =>
    idx === null || status === null ? [] : [{ idx, status }],
  );
  return { horizon: rows[0]?.horizon ?? '0', changes };
}
