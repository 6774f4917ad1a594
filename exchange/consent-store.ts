// SQL over consents: who was asked to agree to which question, and what she said.
import { sql } from 'drizzle-orm';
import { selectRows, type Tx } from '../platform/index.ts';
import { jsonText, milliseconds, moment } from './sql-pieces.ts';

export type ConsentState = 'pending' | 'granted' | 'refused' | 'withdrawn' | 'expired';

/** A consent; times are milliseconds since 1970. */
export interface ConsentRow {
  id: string;
  verificationId: string;
  personId: string;
  state: ConsentState;
  createdAt: number;
  expiresAt: number;
  decidedAt: number | null;
}

const columns = sql`
  c.id, c.verification_id as "verificationId", c.person_id as "personId", c.state,
  ${milliseconds(sql`c.created_at`)} as "createdAt",
  ${milliseconds(sql`c.expires_at`)} as "expiresAt",
  ${milliseconds(sql`c.decided_at`)} as "decidedAt"`;

/** Asks these people. */
export async function insertConsents(
  tx: Tx,
  verificationId: string,
  consents: readonly { id: string; personId: string }[],
  times: { at: Date; expiresAt: Date },
): Promise<void> {
  await tx.execute(sql`
    insert into exchange.consents
      (id, verification_id, person_id, state, created_at, expires_at)
    select c.id, ${verificationId}, c."personId", 'pending', ${moment(times.at)},
      ${moment(times.expiresAt)}
    from json_to_recordset(${jsonText(consents)}) as c(id uuid, "personId" uuid)`);
}

/** A person's consents, newest first. */
export function findConsentsOf(
  tx: Tx,
  personId: string,
  state: ConsentState | undefined,
  limit: number,
): Promise<ConsentRow[]> {
  const only = state === undefined ? sql`` : sql`and c.state = ${state}`;
  return selectRows<ConsentRow>(
    tx,
    sql`select ${columns} from exchange.consents c where c.person_id = ${personId} ${only}
      order by c.id desc limit ${limit}`,
  );
}

/** One of a person's own consents. */
export async function findConsent(
  tx: Tx,
  personId: string,
  id: string,
): Promise<ConsentRow | undefined> {
  const [row] = await selectRows<ConsentRow>(
    tx,
    sql`select ${columns} from exchange.consents c
      where c.id = ${id} and c.person_id = ${personId}`,
  );
  return row;
}

export async function updateConsent(tx: Tx, id: string, state: ConsentState): Promise<void> {
  await tx.execute(sql`
    update exchange.consents set state = ${state}, decided_at = platform.now() where id = ${id}`);
}

/** How many of a verification's consents are not granted. */
export async function countMissing(tx: Tx, verificationId: string): Promise<number> {
  const [row] = await selectRows<{ missing: number }>(
    tx,
    sql`select count(*)::int as missing from exchange.consents
      where verification_id = ${verificationId} and state <> 'granted'`,
  );
  return row?.missing ?? 0;
}

/** Nobody needs to decide about a verification that has ended. */
export async function expirePending(tx: Tx, verificationId: string): Promise<void> {
  await tx.execute(sql`
    update exchange.consents set state = 'expired', decided_at = platform.now()
    where verification_id = ${verificationId} and state = 'pending'`);
}
