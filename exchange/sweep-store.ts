// SQL of the sweep: what is stuck, late, or has been kept long enough.
import { sql } from 'drizzle-orm';
import { selectRows, type Tx } from '../platform/index.ts';
import { moment } from './sql-pieces.ts';

/** A verification that somebody must be woken for, after its dispatch number was raised. */
export interface Redispatched {
  id: string;
  dispatchNo: number;
  attempts: number;
}

/**
 * Raises the dispatch number of verifications whose lease or waiting time has run out, and lets
 * them wait `waitSeconds` longer. A lease that ran out is an attempt that did not finish.
 */
export function redispatchStuck(
  tx: Tx,
  waitSeconds: number,
  limit: number,
): Promise<Redispatched[]> {
  return selectRows<Redispatched>(
    tx,
    sql`update exchange.verifications v
      set dispatch_no = v.dispatch_no + 1, lease_token = null,
        lease_until = platform.now() + make_interval(secs => ${waitSeconds}),
        attempts = case when v.lease_token is null then v.attempts
          else v.attempts || jsonb_build_array(jsonb_build_object('dispatchNo', v.dispatch_no,
            'at', to_char(platform.now() at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
            'error', 'lease_ran_out')) end
      where v.id in (
        select id from exchange.verifications
        where state in ('accepted', 'dispatched') and route = 'rule'
          and lease_until <= platform.now() and deadline > platform.now()
        order by lease_until limit ${limit} for update skip locked)
      returning v.id, v.dispatch_no as "dispatchNo", jsonb_array_length(v.attempts) as attempts`,
  );
}

/** Open verifications past their deadline, oldest first. */
export async function findExpired(tx: Tx, limit: number): Promise<string[]> {
  const rows = await selectRows<{ id: string }>(
    tx,
    sql`select id from exchange.verifications
      where state in ('accepted', 'awaiting_consent', 'dispatched') and deadline <= platform.now()
      order by deadline limit ${limit}`,
  );
  return rows.map(({ id }) => id);
}

/** Erases answers whose retention has run out; returns how many. */
export async function eraseOldAnswers(tx: Tx, limit: number): Promise<number> {
  const rows = await selectRows(
    tx,
    sql`update exchange.answers a set content_sealed = null, erased_at = platform.now()
      where a.verification_id in (
        select verification_id from exchange.answers
        where content_sealed is not null and erase_after <= platform.now()
        order by erase_after limit ${limit} for update skip locked)
      returning a.verification_id`,
  );
  return rows.length;
}

/** Forgets the daily use of agreements from before this day. */
export async function deleteOldUsage(tx: Tx, beforeDay: string): Promise<void> {
  await tx.execute(sql`delete from exchange.agreement_usage where day < ${beforeDay}`);
}

/** How many open verifications there are, and since when the oldest has been waiting. */
export async function measureOpen(
  tx: Tx,
): Promise<{ open: number; oldestSeconds: number; overdue: number }> {
  const [row] = await selectRows<{ open: number; oldestSeconds: number; overdue: number }>(
    tx,
    sql`select count(*)::int as open,
        count(*) filter (where deadline <= platform.now())::int as overdue,
        coalesce(extract(epoch from platform.now() - min(created_at)), 0)::float8 as "oldestSeconds"
      from exchange.verifications
      where state in ('accepted', 'awaiting_consent', 'dispatched')`,
  );
  return row ?? { open: 0, oldestSeconds: 0, overdue: 0 };
}

/** Requests keys older than this are of no use to anybody. */
export async function deleteOldRequestKeys(tx: Tx, before: Date): Promise<void> {
  await tx.execute(sql`delete from exchange.request_keys where created_at < ${moment(before)}`);
}
