// The map as the app role reads it, within a scope: a subject's own rows, or all for auditors.
import { sql } from 'drizzle-orm';
import { selectRows, type Tx } from '../../platform/index.ts';
import { blockItems, decodeIndexes } from './list.ts';

/** An edition whose root is in the tree. */
export interface PublishedEdition {
  edition: number;
  root: Buffer;
  /** Entries it takes in. */
  size: number;
  /** … as far as they were to be disclosed by then. */
  due: Date;
  /** The index of the entry that holds its root. */
  index: number;
}

/** The newest edition whose root is among the first `size` entries. */
export async function findPublishedEdition(
  tx: Tx,
  size: number,
): Promise<PublishedEdition | undefined> {
  const [row] = await selectRows<Omit<PublishedEdition, 'due'> & { due: number }>(
    tx,
    sql`select e.edition::float8 as edition, e.root, e.size::float8 as size, s.idx::float8 as index,
          (extract(epoch from e.due) * 1000)::float8 as due
        from audit.map_editions e join audit.stage_indexes s on s.stage_id = e.stage_id
        where s.idx < ${size} order by e.edition desc limit 1`,
  );
  return row && { ...row, due: new Date(row.due) };
}

/** A subject's list as it was in an edition. */
export interface MappedList {
  label: Buffer;
  salt: Buffer;
  indexes: number[];
}

/** What the map holds of a subject; undefined when she has never been in it. */
export async function findList(
  tx: Tx,
  subjectTag: Buffer,
  edition: number,
): Promise<MappedList | undefined> {
  const [row] = await selectRows<{ label: Buffer; salt: Buffer; count: number }>(
    tx,
    sql`select s.label, s.salt, coalesce((
          select count from audit.map_counts c
          where c.subject_tag = s.subject_tag and c.edition <= ${edition}
          order by c.edition desc limit 1), 0)::float8 as count
        from audit.map_subjects s where s.subject_tag = ${subjectTag}`,
  );
  if (!row) return undefined;
  const { count, ...subject } = row;
  const blocks = await selectRows<{ items: Buffer }>(
    tx,
    sql`select items from audit.map_blocks
        where subject_tag = ${subjectTag} and block < ${Math.ceil(count / blockItems)}
        order by block`,
  );
  const indexes = blocks.flatMap(({ items }) => decodeIndexes(items)).slice(0, count);
  return { ...subject, indexes };
}

/** What an edition commits to beside its root: the map of what isn't disclosed yet. For auditors. */
export async function findPendingRoot(
  tx: Tx,
  edition: number,
): Promise<{ root: Buffer; salt: Buffer } | undefined> {
  const [row] = await selectRows<{ root: Buffer; salt: Buffer }>(
    tx,
    sql`select root, salt from audit.map_pending where edition = ${edition}`,
  );
  return row;
}

/** Whose entry it is; undefined when it is nobody's, or no longer. For auditors. */
export async function findEntrySubject(tx: Tx, index: number): Promise<Buffer | undefined> {
  const [row] = await selectRows<{ tag: Buffer | null }>(
    tx,
    sql`select subject_tag as tag from audit.lookups where idx = ${index}`,
  );
  return row?.tag ?? undefined;
}
