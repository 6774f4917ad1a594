// The map's tables as the log's role writes them. Plain SQL: an edition is a few statements, whatever it
// changes. Byte strings travel as hex text: the driver can't bind an array of bytea.
import { sql } from 'drizzle-orm';
import { selectRows, type Tx } from '../../platform/index.ts';
import type { ListState } from './list.ts';
import { decodePage, encodePage, type Page } from './trie.ts';

/** Which of the two maps a page belongs to. */
export const disclosedMap = 0;
export const pendingMap = 1;

const hex = (values: readonly Buffer[]) => sql.param(values.map((value) => value.toString('hex')));

export interface MapState {
  edition: number;
  size: number;
  due: Date;
  key: Buffer | null;
  pruned: number;
  /** Entries in the tree. */
  logSize: number;
  now: Date;
  /** When the last edition was made; null before the first. */
  madeAt: Date | null;
}

/**
 * How far the map and the log go. `for update` holds the map until the transaction ends: what is read
 * after it is extended by nobody else. The server ends a transaction that it hears nothing of for five seconds.
 */
export async function getMapState(tx: Tx, isLocking: boolean): Promise<MapState> {
  if (isLocking) {
    // The second one, of PostgreSQL 17, also ends a session whose process stopped halfway through sending a
    // statement: that one isn't idle.
    await tx.execute(sql`
      select set_config('idle_in_transaction_session_timeout', '5s', true),
        (select set_config(name, '60s', true) from pg_settings where name = 'transaction_timeout')`);
    await tx.execute(sql`select from audit.map_state where id = 1 for update`);
  }
  const [row] = await selectRows<
    Omit<MapState, 'due' | 'now' | 'madeAt'> & { due: number; now: number; madeAt: number | null }
  >(
    tx,
    sql`select s.edition::float8 as edition, s.size::float8 as size, s.key, s.pruned::float8 as pruned,
          case when isfinite(s.due) then (extract(epoch from s.due) * 1000)::float8 else 0 end as due,
          (extract(epoch from date_trunc('milliseconds', platform.now())) * 1000)::float8 as now,
          (select size::float8 from audit.head) as "logSize",
          (select (extract(epoch from made_at) * 1000)::float8 from audit.map_editions e
            where e.edition = s.edition) as "madeAt"
        from audit.map_state s`,
  );
  if (!row) throw new TypeError('The map has no state; was the database migrated?');
  const { due, now, madeAt } = row;
  return {
    ...row,
    due: new Date(due),
    now: new Date(now),
    madeAt: madeAt === null ? null : new Date(madeAt),
  };
}

export interface MappedEntry {
  index: number;
  subjectTag: Buffer;
  discloseAt: Date | null;
}

type EntryRow = Omit<MappedEntry, 'discloseAt'> & { discloseAt: number | null };

/** When entries are to be disclosed: as it stands. */
const disclosure = sql`disclose_at`;

async function listEntries(
  tx: Tx,
  condition: ReturnType<typeof sql>,
  discloseAt = disclosure,
): Promise<MappedEntry[]> {
  const rows = await selectRows<EntryRow>(
    tx,
    sql`select idx::float8 as index, subject_tag as "subjectTag",
          (extract(epoch from ${discloseAt}) * 1000)::float8 as "discloseAt"
        from audit.lookups l
        where subject_tag is not null and ${condition} order by idx`,
  );
  return rows.map(({ discloseAt, ...row }) => ({
    ...row,
    discloseAt: discloseAt === null ? null : new Date(discloseAt),
  }));
}

/** The entries about anyone from `from` (inclusive) to `to` (exclusive). */
export function listNewEntries(tx: Tx, from: number, to: number): Promise<MappedEntry[]> {
  return listEntries(tx, sql`idx >= ${from} and idx < ${to}`);
}

/** Those before `size` that became due after `from`, by `to`. */
export function listNewlyDue(tx: Tx, size: number, from: Date, to: Date): Promise<MappedEntry[]> {
  return listEntries(
    tx,
    sql`idx < ${size} and disclose_at > ${from.toISOString()}::timestamptz
      and disclose_at <= ${to.toISOString()}::timestamptz`,
  );
}

/**
 * Of some subjects, the entries before `size` that are not due by `due`, with the dates they had then: a case
 * that was closed since has moved some.
 */
export function listPending(
  tx: Tx,
  tags: readonly Buffer[],
  size: number,
  due: Date,
): Promise<MappedEntry[]> {
  return listEntries(
    tx,
    sql`idx < ${size} and disclose_at > ${due.toISOString()}::timestamptz
      and subject_tag in (select decode(tag, 'hex') from unnest(${hex(tags)}::text[]) as t (tag))`,
    sql`coalesce((select d.was from audit.early_disclosures d where d.idx = l.idx), disclose_at)`,
  );
}

/** Tags of entries in the range that have no label yet. */
export async function listUnlabelled(tx: Tx, from: number, to: number): Promise<Buffer[]> {
  const rows = await selectRows<{ tag: Buffer }>(
    tx,
    sql`select distinct subject_tag as tag from audit.lookups l
        where idx >= ${from} and idx < ${to} and subject_tag is not null
          and not exists (select from audit.map_subjects s where s.subject_tag = l.subject_tag)`,
  );
  return rows.map(({ tag }) => tag);
}

export interface SubjectRow extends ListState {
  subjectTag: Buffer;
  label: Buffer;
  salt: Buffer;
}

/** The known ones of these subjects, kept from being erased until the transaction ends. */
export async function lockSubjects(tx: Tx, tags: readonly Buffer[]): Promise<SubjectRow[]> {
  const rows = await selectRows<
    Omit<SubjectRow, 'frontier' | 'tail'> & { frontier: Buffer; tail: Buffer | null }
  >(
    tx,
    sql`select s.subject_tag as "subjectTag", s.label, s.salt, s.count::float8 as count, s.frontier,
          b.items as tail
        from audit.map_subjects s
        left join audit.map_blocks b on b.subject_tag = s.subject_tag and b.block = s.count / 256
        where s.subject_tag in (select decode(tag, 'hex') from unnest(${hex(tags)}::text[]) as t (tag))
        order by s.subject_tag for update of s`,
  );
  return rows.map(({ frontier, tail, ...row }) => ({
    ...row,
    frontier: Array.from({ length: frontier.length / 32 }, (_, at) =>
      frontier.subarray(at * 32, (at + 1) * 32),
    ),
    tail: tail ?? Buffer.alloc(0),
  }));
}

/** Adds subjects, or how far their lists go now; and that length for the edition. */
export async function putSubjects(
  tx: Tx,
  edition: number,
  subjects: readonly SubjectRow[],
): Promise<void> {
  if (subjects.length === 0) return;
  const counts = sql.param(subjects.map(({ count }) => count));
  const tags = hex(subjects.map(({ subjectTag }) => subjectTag));
  await tx.execute(sql`
    insert into audit.map_subjects (subject_tag, label, salt, count, frontier)
    select decode(tag, 'hex'), decode(label, 'hex'), decode(salt, 'hex'), count, decode(frontier, 'hex')
    from unnest(${tags}::text[], ${hex(subjects.map(({ label }) => label))}::text[],
      ${hex(subjects.map(({ salt }) => salt))}::text[], ${counts}::bigint[],
      ${hex(subjects.map(({ frontier }) => Buffer.concat(frontier)))}::text[])
      as made (tag, label, salt, count, frontier)
    order by tag
    on conflict (subject_tag) do update set count = excluded.count, frontier = excluded.frontier`);
  await tx.execute(sql`
    insert into audit.map_counts (subject_tag, edition, count)
    select decode(tag, 'hex'), ${edition}, count
    from unnest(${tags}::text[], ${counts}::bigint[]) as made (tag, count)`);
}

export interface BlockRow {
  subjectTag: Buffer;
  block: number;
  items: Buffer;
}

/** Writes blocks of lists; the last one of a list grows. */
export async function putBlocks(tx: Tx, blocks: readonly BlockRow[]): Promise<void> {
  if (blocks.length === 0) return;
  await tx.execute(sql`
    insert into audit.map_blocks (subject_tag, block, items)
    select decode(tag, 'hex'), block, decode(items, 'hex')
    from unnest(${hex(blocks.map(({ subjectTag }) => subjectTag))}::text[],
      ${sql.param(blocks.map(({ block }) => block))}::bigint[],
      ${hex(blocks.map(({ items }) => items))}::text[]) as made (tag, block, items)
    on conflict (subject_tag, block) do update set items = excluded.items`);
}

/** Labels of erased subjects that are still in the map; they are taken off the list of what is to go. */
export async function takeRemovals(tx: Tx): Promise<Buffer[]> {
  const rows = await selectRows<{ label: Buffer }>(
    tx,
    sql`delete from audit.map_removals returning label`,
  );
  return rows.map(({ label }) => label);
}

/** The pages of these paths as an edition (the newest, if none is given) has them. */
export async function findPages(
  tx: Tx,
  map: number,
  paths: readonly string[],
  edition?: number,
): Promise<Map<string, Page>> {
  const rows = await selectRows<{ path: string; children: Buffer }>(
    tx,
    sql`select wanted.path, found.children
        from unnest(${sql.param([...paths])}::text[]) as wanted (path)
        cross join lateral (
          select children from audit.map_pages p
          where p.map = ${map} and p.path = wanted.path
            ${edition === undefined ? sql`` : sql`and p.edition <= ${edition}`}
          order by p.edition desc limit 1
        ) as found
        where found.children <> ''`,
  );
  return new Map(rows.map(({ path, children }) => [path, decodePage(children)]));
}

/** Puts an edition's pages beside those of the editions before. */
export async function insertPages(
  tx: Tx,
  map: number,
  edition: number,
  written: ReadonlyMap<string, Page | null>,
): Promise<void> {
  if (written.size === 0) return;
  const pages = [...written.values()].map((page) => (page ? encodePage(page) : Buffer.alloc(0)));
  await tx.execute(sql`
    insert into audit.map_pages (map, path, edition, children)
    select ${map}, path, ${edition}, decode(children, 'hex')
    from unnest(${sql.param([...written.keys()])}::text[], ${hex(pages)}::text[])
      as made (path, children)`);
}

export interface Edition {
  edition: number;
  stageId: string;
  size: number;
  due: Date;
  root: Buffer;
  pendingRoot: Buffer;
  pendingSalt: Buffer;
  key: Buffer;
}

/** Keeps an edition and moves the state on to it. */
export async function insertEdition(tx: Tx, made: Edition): Promise<void> {
  const due = made.due.toISOString();
  await tx.execute(sql`
    insert into audit.map_editions (edition, stage_id, size, due, root, made_at)
    values (${made.edition}, ${made.stageId}, ${made.size}, ${due}::timestamptz, ${made.root},
      platform.now())`);
  await tx.execute(sql`
    insert into audit.map_pending (edition, root, salt)
    values (${made.edition}, ${made.pendingRoot}, ${made.pendingSalt})`);
  await tx.execute(sql`
    update audit.map_state
    set edition = ${made.edition}, size = ${made.size}, due = ${due}::timestamptz, key = ${made.key}
    where id = 1`);
}

/**
 * Drops what later editions have replaced, up to the newest one made `seconds` ago and at most `most`
 * editions at a time; false when there was nothing to look at.
 */
export async function prune(tx: Tx, seconds: number, most: number): Promise<boolean> {
  const [range] = await selectRows<{ from: number; to: number | null }>(
    tx,
    sql`select s.pruned::float8 as from, (
          select max(edition)::float8 from audit.map_editions
          where edition > s.pruned and edition <= s.pruned + ${most}
            and made_at < platform.now() - make_interval(secs => ${seconds})
        ) as to
        from audit.map_state s where id = 1 for update`,
  );
  if (!range || range.to === null) return false;
  const { from, to } = range;
  await tx.execute(sql`
    delete from audit.map_pages old using audit.map_pages later
    where later.edition > ${from} and later.edition <= ${to}
      and old.map = later.map and old.path = later.path and old.edition < later.edition`);
  await tx.execute(sql`
    delete from audit.map_pages where edition > ${from} and edition <= ${to} and children = ''`);
  await tx.execute(sql`
    delete from audit.map_counts old using audit.map_counts later
    where later.edition > ${from} and later.edition <= ${to}
      and old.subject_tag = later.subject_tag and old.edition < later.edition`);
  await tx.execute(sql`update audit.map_state set pruned = ${to} where id = 1`);
  return true;
}
