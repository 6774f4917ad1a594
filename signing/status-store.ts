// SQL of the status lists.
import { eq, sql } from 'drizzle-orm';
import { selectRows, type Tx } from '../platform/index.ts';
import { statuses, statusLists } from './schema.ts';
import type { StatusReference } from './sd-jwt-vc.ts';

/** What one draw took out of one list. */
export interface DrawnSpan {
  listId: number;
  /** Places in the list's order. */
  offsets: number[];
  /** The indexes at those places, in the same order; null while there is no such list. */
  found: { uri: string; indexes: number[] } | null;
}

interface SpanRow {
  listId: number;
  offsets: number[];
  first: number;
  uri: string | null;
  bytes: Buffer | null;
}

/** Draws `count` places that nobody else ever gets, also when the transaction is rolled back. */
export async function drawPlaces(tx: Tx, count: number, listSize: number): Promise<DrawnSpan[]> {
  // One slice of the order per list: reading each place by itself takes 100 µs.
  const rows = await selectRows<SpanRow>(
    tx,
    sql`with drawn as materialized (
        select nextval('signing.status_positions') as position
        from generate_series(1, ${count}::int)
      ), spans as (
        select (position / ${listSize}::int)::int as list_id,
          min(position % ${listSize}::int)::int as first,
          max(position % ${listSize}::int)::int as last,
          json_agg(position % ${listSize}::int order by position) as offsets
        from drawn group by 1
      )
      select spans.list_id as "listId", spans.offsets, spans.first, list.uri,
        substring(list.shuffled from first * 4 + 1 for (last - first + 1) * 4) as bytes
      from spans left join signing.status_lists list on list.id = spans.list_id
      order by spans.list_id`,
  );
  return rows.map(({ listId, offsets, first, uri, bytes }) => ({
    listId,
    offsets,
    found:
      uri === null || bytes === null
        ? null
        : { uri, indexes: offsets.map((offset) => bytes.readUInt32BE((offset - first) * 4)) },
  }));
}

/** A list's URI and its indexes at some places; the list must be there. */
export async function getIndexes(
  tx: Tx,
  listId: number,
  offsets: number[],
): Promise<{ uri: string; indexes: number[] }> {
  const [row] = await tx
    .select({ uri: statusLists.uri, shuffled: statusLists.shuffled })
    .from(statusLists)
    .where(eq(statusLists.id, listId));
  if (!row) throw new TypeError(`Status list ${listId} is missing.`);
  const { uri, shuffled } = row;
  return { uri, indexes: offsets.map((offset) => shuffled.readUInt32BE(offset * 4)) };
}

export async function hasList(tx: Tx, listId: number): Promise<boolean> {
  const rows = await tx
    .select({ id: statusLists.id })
    .from(statusLists)
    .where(eq(statusLists.id, listId));
  return rows.length > 0;
}

/** Held to the end of the transaction. */
export async function lockNewLists(tx: Tx): Promise<void> {
  await tx.execute(sql`select pg_advisory_xact_lock(hashtextextended('signing.status_lists', 0))`);
}

/** Adds a list. One that came in behind this transaction's snapshot makes it start again. */
export async function insertList(tx: Tx, list: typeof statusLists.$inferInsert): Promise<void> {
  await tx.insert(statusLists).values(list).onConflictDoNothing();
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
