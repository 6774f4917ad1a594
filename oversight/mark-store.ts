// SQL over oversight.marks: the watch list and officers' own persons, as digests.
import { type SQL, sql } from 'drizzle-orm';
import { selectRows, type Tx } from '../platform/index.ts';
import type { Look } from './look.ts';

export interface MarkRow {
  kind: 'listed' | 'officer';
  subjectTag: Buffer;
  actorTag: Buffer | null;
  surnameMark: Buffer | null;
  householdMark: Buffer | null;
}

const hexList = (tags: readonly (Buffer | null)[]): SQL => {
  const list = [...new Set(tags.flatMap((tag) => (tag ? [tag.toString('hex')] : [])))];
  return sql`(select decode(tag, 'hex') from jsonb_array_elements_text(
    ${JSON.stringify(list)}::text::jsonb) as tag)`;
};

/** The marks that stand and touch these looks. */
export function findMarks(tx: Tx, looks: readonly Look[]): Promise<MarkRow[]> {
  return selectRows<MarkRow>(
    tx,
    sql`select kind, subject_tag as "subjectTag", actor_tag as "actorTag",
        surname_mark as "surnameMark", household_mark as "householdMark"
      from oversight.marks
      where removed_at is null
        and ((kind = 'listed' and subject_tag in ${hexList(looks.map((one) => one.subjectTag))})
          or (kind = 'officer' and actor_tag in ${hexList(looks.map((one) => one.actorTag))}))`,
  );
}

export interface ListedMark {
  id: string;
  kind: MarkRow['kind'];
  wordsSealed: Buffer;
  addedBy: string;
  addedAt: string;
  removedBy: string | null;
  removedAt: string | null;
}

const time = (column: SQL): SQL =>
  sql`to_char(${column} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;

/** Adds a mark; false when the same one stands already. */
export async function insertMark(
  tx: Tx,
  mark: MarkRow & { id: string; wordsSealed: Buffer; addedBy: string },
): Promise<boolean> {
  const rows = await selectRows(
    tx,
    sql`insert into oversight.marks (id, kind, subject_tag, actor_tag, surname_mark, household_mark,
        reason_sealed, added_by, added_at)
      values (${mark.id}, ${mark.kind}, ${mark.subjectTag}, ${mark.actorTag}::bytea,
        ${mark.surnameMark}::bytea, ${mark.householdMark}::bytea, ${mark.wordsSealed}, ${mark.addedBy},
        platform.now())
      on conflict do nothing returning id`,
  );
  return rows.length === 1;
}

/** Marks that stand, latest first. */
export function listMarks(
  tx: Tx,
  { beforeId, limit }: { beforeId?: string | undefined; limit: number },
): Promise<ListedMark[]> {
  const before = beforeId === undefined ? sql`` : sql`and id < ${beforeId}`;
  return selectRows<ListedMark>(
    tx,
    sql`select id, kind, reason_sealed as "wordsSealed", added_by as "addedBy",
        ${time(sql`added_at`)} as "addedAt", removed_by as "removedBy",
        ${time(sql`removed_at`)} as "removedAt"
      from oversight.marks where removed_at is null ${before} order by id desc limit ${limit}`,
  );
}

/** Takes a mark away; false when there is none that stands. */
export async function removeMark(tx: Tx, id: string, by: string): Promise<boolean> {
  const rows = await selectRows(
    tx,
    sql`update oversight.marks set removed_by = ${by}, removed_at = platform.now()
      where id = ${id} and removed_at is null returning id`,
  );
  return rows.length === 1;
}
