// SQL of the public counters: looks per licence and hour, comparisons per licence and day, and the
// mark that a session has read its own licences.
import { sql } from 'drizzle-orm';
import { selectRows, type Tx } from '../platform/index.ts';

/** Takes the counts of hours that ended before `at` out of the table, so that each is logged once. */
export function takeFinishedHours(
  tx: Tx,
  at: Date,
  limit: number,
): Promise<{ number: string; holderId: string; hour: string; looks: number }[]> {
  return selectRows(
    tx,
    sql`with finished as (
        select hour, number from registry.lookup_counts
        where hour < date_trunc('hour', ${at.toISOString()}::timestamptz)
        order by hour, number limit ${limit} for update skip locked
      ), taken as (
        delete from registry.lookup_counts c using finished f
        where c.hour = f.hour and c.number = f.number
        returning c.number, c.hour, c.looks
      )
      select t.number, t.looks, k.holder_id as "holderId",
        to_char(t.hour at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI"Z"') as hour
      from taken t join registry.licence_keys k on k.number = t.number`,
  );
}

/** Counts a comparison and returns how many there were that day, this one included. */
export async function countComparison(tx: Tx, number: string, day: string): Promise<number> {
  const [row] = await selectRows<{ tries: number }>(
    tx,
    sql`insert into registry.compare_tries (number, day, tries) values (${number}, ${day}::date, 1)
      on conflict (day, number) do update set tries = compare_tries.tries + 1
      returning tries`,
  );
  if (!row) throw new TypeError('A counted comparison has a count.');
  return row.tries;
}

/** True the first time a session says so. */
export async function markSessionRead(tx: Tx, sessionId: string, at: Date): Promise<boolean> {
  const rows = await selectRows<{ session_id: string }>(
    tx,
    sql`insert into registry.session_reads (session_id, at)
      values (${sessionId}, ${at.toISOString()}::timestamptz)
      on conflict do nothing returning session_id`,
  );
  return rows.length === 1;
}

/** Forgets marks and counts nobody asks for any more. */
export async function forgetBefore(tx: Tx, day: string): Promise<void> {
  await tx.execute(sql`delete from registry.compare_tries where day < ${day}::date`);
  await tx.execute(sql`delete from registry.session_reads where at < ${day}::date`);
}
