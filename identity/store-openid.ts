// SQL over identity.openid_records: what our provider of sign-ins remembers, by digests.
import { sql } from 'drizzle-orm';
import { selectRows, type Tx } from '../platform/index.ts';
import { partyState } from './store-relying-parties.ts';

export interface OpenIdRecord {
  model: string;
  idDigest: Buffer;
  /** The session of the house it was made for; it goes when that goes. */
  sessionId: string | null;
  grantDigest: Buffer | null;
  /** The relying party it was made for. */
  clientId: string | null;
  uidDigest: Buffer | null;
  sealed: Buffer;
}

/** A record as it is found: sealed, and when it was used up, in seconds of Unix time. */
export interface FoundRecord {
  idDigest: Buffer;
  sealed: Buffer;
  consumedAt: number | null;
}

/**
 * Stores a record for so long, or changes it. A session that has ended meanwhile is none. False, and
 * nothing stored, when the relying party is stopped: one that is being stopped waits for this, or this
 * for that, so nothing made for it outlasts the stop.
 */
export async function upsertRecord(
  tx: Tx,
  record: OpenIdRecord,
  seconds: number,
): Promise<boolean> {
  if (record.clientId !== null && !(await holdServing(tx, record.clientId))) return false;
  await tx.execute(
    sql`insert into identity.openid_records
        (model, id_digest, session_id, grant_digest, client_id, uid_digest, sealed, expires_at)
      values (${record.model}, ${record.idDigest},
        (select id from identity.sessions where id = ${record.sessionId}::uuid for key share),
        ${record.grantDigest}, ${record.clientId}, ${record.uidDigest}, ${record.sealed},
        platform.now() + make_interval(secs => ${seconds}))
      on conflict (model, id_digest) do update set session_id = excluded.session_id,
        grant_digest = excluded.grant_digest, client_id = excluded.client_id,
        uid_digest = excluded.uid_digest,
        sealed = excluded.sealed, expires_at = excluded.expires_at`,
  );
  return true;
}

/** True of a relying party that serves, and then for as long as the transaction lasts. */
async function holdServing(tx: Tx, clientId: string): Promise<boolean> {
  const rows = await selectRows(
    tx,
    sql`select 1 from identity.relying_parties p
      where p.id = ${clientId} and ${partyState} = 'active' for share`,
  );
  return rows.length > 0;
}

/** Notes by what name a session is known at a relying party; of one that has ended, nothing. */
export async function insertPartyLogin(
  tx: Tx,
  { sessionId, clientId }: Pick<OpenIdRecord, 'sessionId' | 'clientId'>,
  sid: string,
): Promise<void> {
  await tx.execute(
    sql`insert into identity.party_logins (session_id, client_id, sid)
      select s.id, p.id, ${sid} from identity.sessions s, identity.relying_parties p
      where s.id = ${sessionId}::uuid and p.id = ${clientId} for key share
      on conflict do nothing`,
  );
}

/** The record of an id, or of a uid, while it lasts. */
export async function findRecord(
  tx: Tx,
  model: string,
  by: { idDigest: Buffer } | { uidDigest: Buffer },
): Promise<FoundRecord | null> {
  const isIt =
    'idDigest' in by ? sql`id_digest = ${by.idDigest}` : sql`uid_digest = ${by.uidDigest}`;
  const [row] = await selectRows<FoundRecord>(
    tx,
    sql`select id_digest as "idDigest", sealed,
        extract(epoch from consumed_at)::float8 as "consumedAt"
      from identity.openid_records
      where model = ${model} and ${isIt} and expires_at > platform.now()`,
  );
  return row ?? null;
}

/** Uses a record up; false when it was before, is gone, or its relying party is stopped. */
export async function consumeRecord(tx: Tx, model: string, idDigest: Buffer): Promise<boolean> {
  const rows = await selectRows(
    tx,
    sql`update identity.openid_records r set consumed_at = platform.now()
      where model = ${model} and id_digest = ${idDigest} and consumed_at is null
        and (client_id is null or exists (select from identity.relying_parties p
          where p.id = r.client_id and ${partyState} = 'active' for share))
      returning 1`,
  );
  return rows.length > 0;
}

export async function deleteRecord(tx: Tx, model: string, idDigest: Buffer): Promise<void> {
  await tx.execute(
    sql`delete from identity.openid_records where model = ${model} and id_digest = ${idDigest}`,
  );
}

/** Forgets whatever was made under a grant. */
export async function deleteOfGrant(tx: Tx, grantDigest: Buffer): Promise<void> {
  await tx.execute(sql`delete from identity.openid_records where grant_digest = ${grantDigest}`);
}

/** Forgets whatever was made for a relying party. */
export async function deleteOfClient(tx: Tx, clientId: string): Promise<void> {
  await tx.execute(sql`delete from identity.openid_records where client_id = ${clientId}`);
}

export async function deleteExpiredRecords(tx: Tx): Promise<void> {
  await tx.execute(sql`delete from identity.openid_records where expires_at < platform.now()`);
}
