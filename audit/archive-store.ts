// Archived ranges: which there are, and taking one out of the database. Reading is for any role; what
// changes runs as the owner.
import { sql } from 'drizzle-orm';
import { selectRows, type Tx } from '../platform/index.ts';

/** A range of entries that lies in a file, and no longer in the database once it is dropped. */
export interface Archive {
  first: number;
  /** Index after the last one. */
  after: number;
  /** Over the leaf hashes of the range. */
  root: Buffer;
  checkpointSize: number;
  /** The file's name; in which folder is for the operator to know. */
  file: string;
  sha256: Buffer;
  bytes: number;
  newestAt: Date;
  exportedAt: Date;
  droppedAt: Date | null;
}

type ArchiveRow = Omit<Archive, 'newestAt' | 'exportedAt' | 'droppedAt'> & {
  newestMs: number;
  exportedMs: number;
  droppedMs: number | null;
};

/** All archived ranges, in order; `at`: the one that holds this index. */
export async function listArchives(tx: Tx, at?: number): Promise<Archive[]> {
  const rows = await selectRows<ArchiveRow>(
    tx,
    sql`select first::float8 as first, after::float8 as after, root,
          checkpoint_size::float8 as "checkpointSize", file, sha256, bytes::float8 as bytes,
          (extract(epoch from newest_at) * 1000)::float8 as "newestMs",
          (extract(epoch from exported_at) * 1000)::float8 as "exportedMs",
          (extract(epoch from dropped_at) * 1000)::float8 as "droppedMs"
        from audit.archives
        where ${at === undefined ? sql`true` : sql`first <= ${at} and after > ${at}`}
        order by first`,
  );
  return rows.map(({ newestMs, exportedMs, droppedMs, ...row }) => ({
    ...row,
    newestAt: new Date(newestMs),
    exportedAt: new Date(exportedMs),
    droppedAt: droppedMs === null ? null : new Date(droppedMs),
  }));
}

/** A partition of the entry table and the one of the look-ups beside it, as quoted names. */
export interface Partition {
  first: number;
  after: number;
  entries: string;
  lookups: string;
}

/** The partitions that are attached, lowest first. */
export function listPartitions(tx: Tx): Promise<Partition[]> {
  return selectRows<Partition>(
    tx,
    sql`
      with parts as (
        select i.inhparent::regclass::text as parent, c.oid::regclass::text as name,
          regexp_match(pg_get_expr(c.relpartbound, c.oid),
            'FROM [(]''([0-9]+)''[)] TO [(]''([0-9]+)''[)]') as bounds
        from pg_inherits i join pg_class c on c.oid = i.inhrelid
        where i.inhparent in ('audit.entries'::regclass, 'audit.lookups'::regclass)
          and c.relkind = 'r'
      )
      select e.bounds[1]::float8 as first, e.bounds[2]::float8 as after,
        e.name as entries, l.name as lookups
      from parts e join parts l on l.bounds = e.bounds
      where e.parent = 'audit.entries' and l.parent = 'audit.lookups'
      order by 1`,
  );
}

/** The smallest published checkpoint over at least `size` entries, with its cosignatures. */
export async function findCovering(
  tx: Tx,
  size: number,
): Promise<{ size: number; note: string } | undefined> {
  const [row] = await selectRows<{ size: number; note: string }>(
    tx,
    sql`select c.size::float8 as size,
          c.note || coalesce((select string_agg(line, '' order by name)
            from audit.cosignatures k where k.size = c.size), '') as note
        from audit.checkpoints c
        where c.published_at is not null and c.size >= ${size} order by c.size limit 1`,
  );
  return row;
}

/** Notes that the range lies in its file; a file made anew replaces the word of the lost one. */
export async function putArchive(
  tx: Tx,
  archive: Omit<Archive, 'exportedAt' | 'droppedAt'>,
): Promise<void> {
  const { first, after, root, checkpointSize, file, sha256, bytes, newestAt } = archive;
  await tx.execute(sql`
    insert into audit.archives
      (first, after, root, checkpoint_size, file, sha256, bytes, newest_at, exported_at)
    values (${first}, ${after}, ${root}, ${checkpointSize}, ${file}, ${sha256}, ${bytes},
      ${newestAt.toISOString()}::timestamptz, platform.now())
    on conflict (first) do update set checkpoint_size = excluded.checkpoint_size,
      sha256 = excluded.sha256, bytes = excluded.bytes, exported_at = excluded.exported_at`);
}

/** Takes the range out of the database: both partitions, or neither; once. As the owner. */
export async function dropArchived(
  tx: Tx,
  { first, after, entries, lookups }: Partition,
): Promise<void> {
  const rows = await selectRows<{ first: string }>(
    tx,
    sql`select first, set_config('lock_timeout', '2s', true) from audit.archives
        where first = ${first} and after = ${after} and dropped_at is null for update`,
  );
  if (rows.length === 0) return;
  // In the order a query over look-ups takes its locks.
  for (const [parent, part] of [
    ['audit.lookups', lookups],
    ['audit.entries', entries],
  ] as const) {
    await tx.execute(sql.raw(`alter table ${parent} detach partition ${part}`));
    await tx.execute(sql.raw(`drop table ${part}`));
  }
  await tx.execute(
    sql`update audit.archives set dropped_at = platform.now() where first = ${first}`,
  );
}

/** When the newest entry of the range was written, by its look-up row; undefined when none is left. */
export async function findNewest(
  tx: Tx,
  { first, after }: { first: number; after: number },
): Promise<Date | undefined> {
  const [row] = await selectRows<{ ms: number | null }>(
    tx,
    sql`select (extract(epoch from max(at)) * 1000)::float8 as ms from audit.lookups
        where idx >= ${first} and idx < ${after}`,
  );
  return row?.ms == null ? undefined : new Date(row.ms);
}
