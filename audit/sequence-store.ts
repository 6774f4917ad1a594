// What only the sequencer may do with the log's tables. Runs as the log role; plain SQL, since a
// batch is one statement and leaves need not pass through this process to be hashed.
import { sql } from 'drizzle-orm';
import { selectRows, type Tx } from '../platform/index.ts';
import type { TreeHead } from './checkpoint.ts';
import type { Cosignature } from './cosignature.ts';
import type { FullTile } from './tree-edge.ts';

/**
 * Takes the sequencer's lock until the transaction ends; false when another session holds it. The
 * server ends the transaction when it hears nothing for five seconds.
 */
export async function tryLock(tx: Tx): Promise<boolean> {
  const [row] = await selectRows<{ locked: boolean }>(
    tx,
    sql`select pg_try_advisory_xact_lock(hashtextextended('yihao.audit.sequencer', 0)) as locked,
          set_config('idle_in_transaction_session_timeout', '5s', true)`,
  );
  return row?.locked ?? false;
}

/** Begins a new epoch: whoever led before can't write from here on. */
export async function beginEpoch(tx: Tx): Promise<TreeHead & { epoch: number }> {
  const [row] = await selectRows<{ size: number; root: Buffer; epoch: number }>(
    tx,
    sql`update audit.head set epoch = epoch + 1 where id = 1
        returning size::float8 as size, root, epoch::float8 as epoch`,
  );
  if (!row) throw new TypeError('The log has no head row; was the database migrated?');
  return row;
}

/** Sees to it that there is room for the entries from `size` on. */
export async function ensurePartitions(tx: Tx, size: number): Promise<void> {
  await tx.execute(sql`select audit.ensure_partitions(${size})`);
}

/** Does anything wait? */
export async function hasStaged(tx: Tx): Promise<boolean> {
  const [row] = await selectRows<{ waits: boolean }>(
    tx,
    sql`select exists (select from audit.stage order by seq limit 1) as waits`,
  );
  return row?.waits ?? false;
}

/**
 * Locks the head until the transaction ends; false when it isn't ours to extend any more. A leader that is
 * paused in the middle of a batch holds it no longer than the sequencer's lock: five seconds.
 */
export async function lockHead(tx: Tx, size: number, epoch: number): Promise<boolean> {
  const rows = await selectRows<{ id: number }>(
    tx,
    sql`select id, set_config('idle_in_transaction_session_timeout', '5s', true)
        from audit.head where id = 1 and size = ${size} and epoch = ${epoch} for update`,
  );
  return rows.length === 1;
}

export interface SequencedRow {
  stageId: string;
  leafHash: Buffer;
}

/** Moves up to `limit` staged entries behind the first `size` leaves; returns them in order. */
export function moveStaged(tx: Tx, size: number, limit: number): Promise<SequencedRow[]> {
  // By physical address: whatever the planner believes about a table that is now empty, now full,
  // this stays one walk along the key. Stage ids given twice keep the index they got first.
  return selectRows<SequencedRow>(
    tx,
    sql`
      with taken as (
        delete from audit.stage
        where ctid = any (array(select ctid from audit.stage order by seq limit ${limit}))
        returning *
      ), numbered as materialized (
        select *, ${size}::bigint + row_number() over (order by seq) - 1 as idx,
          sha256('\\x00'::bytea || leaf) as leaf_hash
        from taken
      ), into_entries as (
        insert into audit.entries (idx, leaf, leaf_hash) select idx, leaf, leaf_hash from numbered
      ), into_lookups as (
        insert into audit.lookups (idx, at, type, outcome, department, actor, service,
          subject_tag, case_tag, sealed, disclose_at)
        select idx, at, type, outcome, department, actor, service,
          subject_tag, case_tag, sealed, disclose_at
        from numbered
      ), into_indexes as (
        insert into audit.stage_indexes (stage_id, idx) select id, idx from numbered
        on conflict do nothing
      )
      select id as "stageId", leaf_hash as "leafHash" from numbered order by idx`,
  );
}

/** Adds full tiles. */
export async function insertTiles(tx: Tx, tiles: readonly FullTile[]): Promise<void> {
  if (tiles.length === 0) return;
  // As hex text: the driver can't bind an array of bytea.
  await tx.execute(sql`
    insert into audit.tiles (level, n, hashes, root)
    select level, n, decode(hashes, 'hex'), decode(root, 'hex')
    from unnest(
      ${sql.param(tiles.map((tile) => tile.level))}::int[],
      ${sql.param(tiles.map((tile) => tile.n))}::bigint[],
      ${sql.param(tiles.map((tile) => tile.hashes.toString('hex')))}::text[],
      ${sql.param(tiles.map((tile) => tile.root.toString('hex')))}::text[]
    ) as made (level, n, hashes, root)`);
}

export const sequencedChannel = 'audit_sequenced';

/**
 * Moves the head on and, at commit, tells the waiters of all processes; false when the head is no
 * longer the one this leader left.
 */
export async function advanceHead(
  tx: Tx,
  from: { size: number; epoch: number },
  to: TreeHead,
): Promise<boolean> {
  const rows = await tx.execute(sql`
    update audit.head set size = ${to.size}, root = ${to.root}
    where id = 1 and size = ${from.size} and epoch = ${from.epoch}
    returning pg_notify(${sequencedChannel}, ${String(to.size)})`);
  return Array.isArray(rows) && rows.length === 1;
}

export interface CheckpointRow extends TreeHead {
  note: string;
  isPublished: boolean;
}

/** The newest signed checkpoint, published or not. */
export async function findLastCheckpoint(tx: Tx): Promise<CheckpointRow | undefined> {
  const [row] = await selectRows<CheckpointRow>(
    tx,
    sql`select size::float8 as size, root, note, published_at is not null as "isPublished"
        from audit.checkpoints order by size desc limit 1`,
  );
  return row;
}

/** Keeps a signed checkpoint, if this epoch's leader still leads; false when it doesn't. */
export async function insertCheckpoint(
  tx: Tx,
  checkpoint: { head: TreeHead; note: string; signedAt: Date; epoch: number },
): Promise<boolean> {
  const { head, note, signedAt, epoch } = checkpoint;
  const rows = await tx.execute(sql`
    insert into audit.checkpoints (size, root, note, signed_at)
    select ${head.size}, ${head.root}, ${note}, ${signedAt.toISOString()}::timestamptz
    from audit.head where id = 1 and epoch = ${epoch} and size >= ${head.size}
    returning size`);
  return Array.isArray(rows) && rows.length === 1;
}

/** From here on the checkpoint may be shown to anyone. */
export async function markPublished(tx: Tx, size: number, publishedAt: Date): Promise<void> {
  await tx.execute(sql`
    update audit.checkpoints set published_at = ${publishedAt.toISOString()}::timestamptz
    where size = ${size} and published_at is null`);
}

/**
 * The newest checkpoint over more than `after` entries that may be shown, with the names of the witnesses
 * who signed it.
 */
export async function findToWitness(
  tx: Tx,
  after: number,
): Promise<(TreeHead & { note: string; cosigners: string[]; isWitnessed: boolean }) | undefined> {
  const [row] = await selectRows<
    TreeHead & { note: string; cosigners: string[]; isWitnessed: boolean }
  >(
    tx,
    sql`select size::float8 as size, root, note,
          array(select name from audit.cosignatures k where k.size = c.size) as cosigners,
          exists (select from audit.witnessed w where w.size = c.size) as "isWitnessed"
        from audit.checkpoints c where published_at is not null and size > ${after}
        order by size desc limit 1`,
  );
  return row;
}

/** Keeps a witness's line; the first one of a witness stays. */
export async function insertCosignature(
  tx: Tx,
  size: number,
  { name, line, at }: Cosignature,
): Promise<void> {
  await tx.execute(sql`
    insert into audit.cosignatures (size, name, line, signed_at)
    values (${size}, ${name}, ${line}, ${at.toISOString()}::timestamptz)
    on conflict do nothing`);
}

/** From here on the checkpoint counts as witnessed. */
export async function markWitnessed(tx: Tx, size: number, at: Date): Promise<void> {
  await tx.execute(sql`
    insert into audit.witnessed (size, at) values (${size}, ${at.toISOString()}::timestamptz)
    on conflict do nothing`);
}
