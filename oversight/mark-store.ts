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
