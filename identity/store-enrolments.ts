// SQL over identity.enrolments.
import { sql } from 'drizzle-orm';
import { selectRows, type Tx } from '../platform/index.ts';

/** Writes an officer's link, instead of any she had; returns when it ends. */
export async function putEnrolment(
  tx: Tx,
  { officerId, digest }: { officerId: string; digest: Buffer },
  lastsSeconds: number,
): Promise<string> {
  const [row] = await selectRows<{ expiresAt: string }>(
    tx,
    sql`insert into identity.enrolments (officer_id, digest, expires_at)
      values (${officerId}, ${digest}, platform.now() + make_interval(secs => ${lastsSeconds}))
      on conflict (officer_id) do update
        set digest = excluded.digest, expires_at = excluded.expires_at
      returning expires_at as "expiresAt"`,
  );
  if (!row) throw new TypeError('An upsert returns its row.');
  return row.expiresAt;
}

const holds = sql`e.expires_at > platform.now() and o.left_at is null
  and not identity.has_passkey(e.officer_id)`;

/** The officer whose link holds: she is still here and has got no passkey meanwhile. */
export async function findEnrolment(
  tx: Tx,
  digest: Buffer,
): Promise<{ id: string; username: string } | null> {
  const [row] = await selectRows<{ id: string; username: string }>(
    tx,
    sql`select o.id, o.username
      from identity.enrolments e join identity.officers o on o.id = e.officer_id
      where e.digest = ${digest} and ${holds}`,
  );
  return row ?? null;
}

/** Takes a link away, so that nobody uses it again; null when it held no more. */
export async function takeEnrolment(tx: Tx, digest: Buffer): Promise<string | null> {
  const [row] = await selectRows<{ officerId: string }>(
    tx,
    sql`delete from identity.enrolments e using identity.officers o
      where e.digest = ${digest} and o.id = e.officer_id and ${holds}
      returning e.officer_id as "officerId"`,
  );
  return row?.officerId ?? null;
}

export async function deleteExpiredEnrolments(tx: Tx): Promise<void> {
  await tx.execute(sql`delete from identity.enrolments where expires_at < platform.now()`);
}

/** Whether an officer has a passkey, and whether she has a password here. */
export async function waysInOf(
  tx: Tx,
  officerId: string,
): Promise<{ hasPasskey: boolean; hasSecret: boolean }> {
  const [row] = await selectRows<{ hasPasskey: boolean; hasSecret: boolean }>(
    tx,
    sql`select identity.has_passkey(${officerId}::uuid) as "hasPasskey",
      identity.has_secret(${officerId}::uuid) as "hasSecret"`,
  );
  return row ?? { hasPasskey: false, hasSecret: false };
}
