// SQL over identity.sessions and identity.local_secrets.
import { sql } from 'drizzle-orm';
import { selectRows, type Tx } from '../platform/index.ts';
import type { Assurance } from './assurance.ts';
import type { DelegableItem, DelegationState } from './delegation.ts';

/** Who a secret or a session belongs to. */
export interface Account {
  kind: 'person' | 'officer';
  id: string;
}

/** How somebody proved who she is. */
export type SignInMethod = 'secret' | 'passkey' | 'provider';

export interface NewSession {
  id: string;
  tokenDigest: Buffer;
  account: Account;
  assurance: Assurance;
  method: SignInMethod;
  browser: string;
  system: string;
}

/** What of a delegation says for whom a session acts, and whether it still may. */
export interface ActingRow {
  id: string;
  principalId: string;
  items: DelegableItem[];
  state: DelegationState;
  validFrom: string;
  validTo: string;
  readAt: string;
}

export interface SessionRow {
  id: string;
  assurance: Assurance;
  personId: string | null;
  officerId: string | null;
  officerKey: string | null;
  organisationId: string | null;
  /** Null for people, who have none. */
  roles: string[] | null;
  /** Not noted as seen for a while: worth a write. */
  isStale: boolean;
  /** The delegation the session acts by, whether or not it still holds. */
  actingBy: ActingRow | null;
}

export async function putSecret(tx: Tx, account: Account, hash: string, at: Date): Promise<void> {
  await tx.execute(
    sql`insert into identity.local_secrets (account_kind, account_id, hash, changed_at)
      values (${account.kind}, ${account.id}, ${hash}, ${at.toISOString()})
      on conflict (account_kind, account_id)
        do update set hash = excluded.hash, changed_at = excluded.changed_at`,
  );
}

/** The stored secret of an account, where it has one. */
export async function findSecret(tx: Tx, { kind, id }: Account): Promise<string | null> {
  const [row] = await selectRows<{ hash: string }>(
    tx,
    sql`select hash from identity.local_secrets
      where account_kind = ${kind} and account_id = ${id}`,
  );
  return row?.hash ?? null;
}

/** The officer of a user name who is still here; she need not have a secret. */
export async function findOfficerByUsername(
  tx: Tx,
  username: string,
): Promise<{ id: string } | null> {
  const [row] = await selectRows<{ id: string }>(
    tx,
    sql`select id from identity.officers where username = ${username} and left_at is null`,
  );
  return row ?? null;
}

export async function insertSession(
  tx: Tx,
  session: NewSession,
  idleSeconds: number,
  longestSeconds: number,
): Promise<void> {
  const { kind, id } = session.account;
  await tx.execute(
    sql`insert into identity.sessions
        (id, token_digest, person_id, officer_id, assurance, method, browser, system,
          created_at, seen_at, idle_expires_at, expires_at)
      select ${session.id}, ${session.tokenDigest}, ${kind === 'person' ? id : null}::uuid,
        ${kind === 'officer' ? id : null}::uuid, ${session.assurance}, ${session.method},
        ${session.browser}, ${session.system}, at, at,
        at + make_interval(secs => ${idleSeconds}), at + make_interval(secs => ${longestSeconds})
      from platform.now() as at`,
  );
}

/** The session of a token, if it still runs, with the roles its officer holds where she sits now. */
export async function findSession(
  tx: Tx,
  tokenDigest: Buffer,
  staleSeconds: number,
  cityTz: string,
): Promise<SessionRow | null> {
  const [row] = await selectRows<SessionRow>(
    tx,
    sql`select s.id, s.person_id as "personId", s.officer_id as "officerId", o.key as "officerKey",
        s.assurance, standing.organisation_id as "organisationId", standing.roles,
        s.seen_at < now - make_interval(secs => ${staleSeconds}) as "isStale",
        case when d.id is not null then jsonb_build_object(
          'id', d.id, 'principalId', d.principal_id, 'items', d.items, 'state', d.state,
          'validFrom', d.valid_from, 'validTo', d.valid_to, 'readAt', now) end as "actingBy"
      from platform.now() as now, identity.sessions s
        left join identity.officers o on o.id = s.officer_id
        left join lateral identity.standing(s.id, s.officer_id, (now at time zone ${cityTz})::date)
          as standing on true
        left join lateral identity.acting_by(s.id, s.person_id) as d on true
      where s.token_digest = ${tokenDigest} and s.idle_expires_at > now and s.expires_at > now`,
  );
  return row ?? null;
}

/** Whose a running session is and how it began; for those who let people in by it. */
export interface SessionHolder {
  account: Account;
  assurance: Assurance;
  method: SignInMethod;
  /** Seconds of Unix time. */
  createdAt: number;
  organisationId: string | null;
  roles: string[];
}

export async function findSessionHolder(tx: Tx, id: string): Promise<SessionHolder | null> {
  const [row] = await selectRows<
    Omit<SessionHolder, 'account'> & { personId: string | null; officerId: string | null }
  >(
    tx,
    sql`select s.person_id as "personId", s.officer_id as "officerId", s.assurance, s.method,
        extract(epoch from s.created_at)::float8 as "createdAt",
        o.organisation_id as "organisationId",
        array(select role from identity.role_grants g where g.officer_id = s.officer_id
          order by role) as roles
      from platform.now() as now, identity.sessions s
        left join identity.officers o on o.id = s.officer_id
      where s.id = ${id} and s.idle_expires_at > now and s.expires_at > now`,
  );
  if (!row) return null;
  const { personId, officerId, ...holder } = row;
  if (personId !== null) return { ...holder, account: { kind: 'person', id: personId } };
  return officerId === null ? null : { ...holder, account: { kind: 'officer', id: officerId } };
}

/** Notes that a session is in use. */
export async function touchSession(tx: Tx, id: string, idleSeconds: number): Promise<void> {
  await tx.execute(
    sql`update identity.sessions set seen_at = platform.now(),
        idle_expires_at = platform.now() + make_interval(secs => ${idleSeconds})
      where id = ${id}`,
  );
}

/** A running session as its owner sees it. */
export interface ListedSession {
  id: string;
  assurance: Assurance;
  method: SignInMethod;
  browser: string;
  system: string;
  createdAt: string;
  seenAt: string;
}

const mine = ({ kind, id }: Account) =>
  kind === 'person' ? sql`person_id = ${id}` : sql`officer_id = ${id}`;

/** An account's running sessions, the last seen first, at most so many. */
export function listSessions(tx: Tx, account: Account, limit: number): Promise<ListedSession[]> {
  return selectRows<ListedSession>(
    tx,
    sql`select id, assurance, method, browser, system, created_at as "createdAt",
        seen_at as "seenAt"
      from identity.sessions
      where ${mine(account)} and idle_expires_at > platform.now() and expires_at > platform.now()
      order by seen_at desc, id limit ${limit}`,
  );
}

/** Ends one session of this account; false when it has none of this id. */
export async function deleteOwnSession(tx: Tx, account: Account, id: string): Promise<boolean> {
  const rows = await selectRows(
    tx,
    sql`delete from identity.sessions where ${mine(account)} and id = ${id} returning id`,
  );
  return rows.length > 0;
}

/** Ends an account's sessions, but not the one kept, if any. */
export async function deleteOwnSessions(
  tx: Tx,
  account: Account,
  kept: string | null,
): Promise<void> {
  await tx.execute(
    sql`delete from identity.sessions
      where ${mine(account)} and id is distinct from ${kept}::uuid`,
  );
}

/** Ends a session, whosever it is. */
export async function deleteSession(tx: Tx, id: string): Promise<void> {
  await tx.execute(sql`delete from identity.sessions where id = ${id}`);
}

/** Forgets sessions that have run out. */
export async function deleteExpiredSessions(tx: Tx): Promise<void> {
  await tx.execute(
    sql`delete from identity.sessions
      where expires_at < platform.now() or idle_expires_at < platform.now()`,
  );
}
