// SQL over identity.sessions, identity.local_secrets and identity.sign_in_attempts.
import { sql } from 'drizzle-orm';
import { selectRows, type Tx } from '../platform/index.ts';

/** Who a secret or a session belongs to. */
export interface Account {
  kind: 'person' | 'officer';
  id: string;
}

export interface SessionRow {
  id: string;
  personId: string | null;
  officerId: string | null;
  officerKey: string | null;
  organisationId: string | null;
  roles: string[];
  /** Not noted as seen for a while: worth a write. */
  isStale: boolean;
}

export async function putSecret(tx: Tx, account: Account, hash: string, at: Date): Promise<void> {
  await tx.execute(
    sql`insert into identity.local_secrets (account_kind, account_id, hash, changed_at)
      values (${account.kind}, ${account.id}, ${hash}, ${at.toISOString()})
      on conflict (account_kind, account_id)
        do update set hash = excluded.hash, changed_at = excluded.changed_at`,
  );
}

/** The account and stored secret of a person. */
export async function findPersonSecret(
  tx: Tx,
  personId: string,
): Promise<{ id: string; hash: string } | null> {
  const [row] = await selectRows<{ id: string; hash: string }>(
    tx,
    sql`select account_id as id, hash from identity.local_secrets
      where account_kind = 'person' and account_id = ${personId}`,
  );
  return row ?? null;
}

export async function findOfficerSecret(
  tx: Tx,
  username: string,
): Promise<{ id: string; hash: string } | null> {
  const [row] = await selectRows<{ id: string; hash: string }>(
    tx,
    sql`select o.id, s.hash from identity.officers o
      join identity.local_secrets s on s.account_kind = 'officer' and s.account_id = o.id
      where o.username = ${username}`,
  );
  return row ?? null;
}

/**
 * Counts a try before it is made, so that tries at the same moment can't slip past the limit. Returns
 * how many there were in this window, and the seconds until it ends. Tries past the limit don't extend it.
 */
export async function countAttempt(
  tx: Tx,
  accountDigest: Buffer,
  limit: number,
  windowSeconds: number,
): Promise<{ tries: number; secondsLeft: number }> {
  const end = sql`platform.now() + make_interval(secs => ${windowSeconds})`;
  const [row] = await selectRows<{ tries: number; secondsLeft: number }>(
    tx,
    sql`insert into identity.sign_in_attempts as a (account_digest, failures, expires_at)
      values (${accountDigest}, 1, ${end})
      on conflict (account_digest) do update set
        failures = case when a.expires_at <= platform.now() then 1 else a.failures + 1 end,
        expires_at = case when a.failures >= ${limit} and a.expires_at > platform.now()
          then a.expires_at else ${end} end
      returning failures as tries,
        ceil(extract(epoch from expires_at - platform.now()))::int as "secondsLeft"`,
  );
  if (!row) throw new TypeError('An upsert returns its row.');
  return row;
}

export async function forgetAttempts(tx: Tx, accountDigest: Buffer): Promise<void> {
  await tx.execute(
    sql`delete from identity.sign_in_attempts where account_digest = ${accountDigest}`,
  );
}

export async function insertSession(
  tx: Tx,
  session: { id: string; tokenDigest: Buffer; account: Account },
  idleSeconds: number,
  longestSeconds: number,
): Promise<void> {
  const { kind, id } = session.account;
  await tx.execute(
    sql`insert into identity.sessions
        (id, token_digest, person_id, officer_id, created_at, seen_at, idle_expires_at, expires_at)
      select ${session.id}, ${session.tokenDigest}, ${kind === 'person' ? id : null}::uuid,
        ${kind === 'officer' ? id : null}::uuid, at, at,
        at + make_interval(secs => ${idleSeconds}), at + make_interval(secs => ${longestSeconds})
      from platform.now() as at`,
  );
}

/** The session of a token, if it still runs, with the roles its officer holds now. */
export async function findSession(
  tx: Tx,
  tokenDigest: Buffer,
  staleSeconds: number,
): Promise<SessionRow | null> {
  const [row] = await selectRows<SessionRow>(
    tx,
    sql`select s.id, s.person_id as "personId", s.officer_id as "officerId", o.key as "officerKey",
        o.organisation_id as "organisationId",
        array(select role from identity.role_grants g where g.officer_id = s.officer_id
          order by role) as roles,
        s.seen_at < now - make_interval(secs => ${staleSeconds}) as "isStale"
      from platform.now() as now, identity.sessions s
        left join identity.officers o on o.id = s.officer_id
      where s.token_digest = ${tokenDigest} and s.idle_expires_at > now and s.expires_at > now`,
  );
  return row ?? null;
}

/** Notes that a session is in use. */
export async function touchSession(tx: Tx, id: string, idleSeconds: number): Promise<void> {
  await tx.execute(
    sql`update identity.sessions set seen_at = platform.now(),
        idle_expires_at = platform.now() + make_interval(secs => ${idleSeconds})
      where id = ${id}`,
  );
}

export async function deleteSession(tx: Tx, id: string): Promise<void> {
  await tx.execute(sql`delete from identity.sessions where id = ${id}`);
}

/** Forgets sessions and tries that have run out. */
export async function deleteExpiredSessions(tx: Tx): Promise<void> {
  await tx.execute(
    sql`delete from identity.sessions
      where expires_at < platform.now() or idle_expires_at < platform.now()`,
  );
  await tx.execute(sql`delete from identity.sign_in_attempts where expires_at < platform.now()`);
}
