// SQL of the dispatch: sending a verification on its way, leasing it, giving it back, to the desk.
import { sql } from 'drizzle-orm';
import { selectRows, type Tx } from '../platform/index.ts';
import { type Attempt, columns, type VerificationRow } from './request-store.ts';
import { moment } from './sql-pieces.ts';

/** How long whoever holds a lease may work before the sweep wakes another. */
export const LEASE_SECONDS = 30;
/** How long a job may take to be picked up before the sweep sends another. */
export const PICKUP_SECONDS = 5;

/** A lease on one verification: only its holder may end it by rule. */
export interface Lease {
  verificationId: string;
  token: string;
}

/**
 * Takes the lease of an open verification that answers by rule, unless another holds it or this
 * dispatch is an old one; undefined then.
 */
export async function claimLease(
  tx: Tx,
  lease: Lease,
  dispatchNo: number,
  seconds: number,
): Promise<VerificationRow | undefined> {
  const [row] = await selectRows<VerificationRow>(
    tx,
    sql`update exchange.verifications v
      set state = 'dispatched', lease_token = ${lease.token},
        lease_until = platform.now() + make_interval(secs => ${seconds})
      where v.id = ${lease.verificationId} and v.state in ('accepted', 'dispatched')
        and v.route = 'rule' and v.dispatch_no = ${dispatchNo} and v.deadline > platform.now()
        and (v.lease_token is null or v.lease_until <= platform.now())
      returning ${columns}`,
  );
  return row;
}

/** Puts a verification that no rule could answer before the provider's desk. */
export async function moveToDesk(tx: Tx, id: string, leaseToken: string): Promise<boolean> {
  const moved = await selectRows(
    tx,
    sql`update exchange.verifications v
      set route = 'desk', lease_token = null, lease_until = null
      where v.id = ${id} and v.ended_at is null and v.lease_token = ${leaseToken}
      returning v.id`,
  );
  return moved.length > 0;
}

/** Lets go of a lease after a run that did not finish, to be woken again at `wakeAt`. */
export async function giveBack(
  tx: Tx,
  lease: Lease,
  attempt: Attempt,
  afterSeconds: number,
): Promise<number | undefined> {
  const [row] = await selectRows<{ attempts: number }>(
    tx,
    sql`update exchange.verifications v
      set lease_token = null, attempts = v.attempts || ${JSON.stringify([attempt])}::text::jsonb,
        lease_until = platform.now() + make_interval(secs => ${afterSeconds})
      where v.id = ${lease.verificationId} and v.ended_at is null and v.lease_token = ${lease.token}
      returning jsonb_array_length(v.attempts) as attempts`,
  );
  return row?.attempts;
}

/** Sends a verification on its way once everybody has agreed. */
export async function dispatchAgreed(tx: Tx, id: string, deadline: Date): Promise<void> {
  await tx.execute(sql`
    update exchange.verifications v
    set state = 'dispatched', deadline = ${moment(deadline)},
      lease_until = case when v.route = 'rule'
        then platform.now() + make_interval(secs => ${PICKUP_SECONDS}) end
    where v.id = ${id} and v.state = 'awaiting_consent'`);
}
