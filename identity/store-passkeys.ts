// SQL over identity.passkeys and identity.passkey_challenges.
import { sql } from 'drizzle-orm';
import { selectRows, type Tx } from '../platform/index.ts';

export interface PasskeyRow {
  id: string;
  officerId: string;
  credentialId: Buffer;
  publicKey: Buffer;
  counter: number;
  rpId: string;
  label: string;
  isSynced: boolean;
  createdAt: string;
  usedAt: string | null;
}

const columns = sql`
  id, officer_id as "officerId", credential_id as "credentialId", public_key as "publicKey",
  counter::float8 as counter, rp_id as "rpId", label, is_synced as "isSynced",
  created_at as "createdAt", used_at as "usedAt"`;

/** What a challenge is for. */
export type ChallengeUse = 'add' | 'sign_in';

export interface Challenge {
  digest: Buffer;
  use: ChallengeUse;
  /** A digest of the session or browser it was made for. */
  boundTo: Buffer;
}

export async function insertChallenge(
  tx: Tx,
  { digest, use, boundTo }: Challenge,
  lastsSeconds: number,
): Promise<void> {
  await tx.execute(
    sql`insert into identity.passkey_challenges (digest, use, bound_to, expires_at)
      values (${digest}, ${use}, ${boundTo}, platform.now() + make_interval(secs => ${lastsSeconds}))`,
  );
}

/** Takes a challenge away, so that nobody answers it again; true when it still held. */
export async function takeChallenge(tx: Tx, challenge: Challenge): Promise<boolean> {
  const { digest, use, boundTo } = challenge;
  const [row] = await selectRows<{ holds: boolean }>(
    tx,
    sql`delete from identity.passkey_challenges
      where digest = ${digest} and use = ${use} and bound_to = ${boundTo}
      returning expires_at > platform.now() as holds`,
  );
  return row?.holds ?? false;
}

export async function deleteExpiredChallenges(tx: Tx): Promise<void> {
  await tx.execute(sql`delete from identity.passkey_challenges where expires_at < platform.now()`);
}

/** Holds the officer's row, so that her passkeys can be counted; null when there is no such officer. */
export async function lockOfficer(tx: Tx, officerId: string): Promise<{ username: string } | null> {
  const [row] = await selectRows<{ username: string }>(
    tx,
    sql`select username from identity.officers where id = ${officerId} for no key update`,
  );
  return row ?? null;
}

export function listPasskeys(tx: Tx, officerId: string): Promise<PasskeyRow[]> {
  return selectRows<PasskeyRow>(
    tx,
    sql`select ${columns} from identity.passkeys where officer_id = ${officerId} order by id`,
  );
}

export async function findPasskey(tx: Tx, credentialId: Buffer): Promise<PasskeyRow | null> {
  const [row] = await selectRows<PasskeyRow>(
    tx,
    sql`select ${columns} from identity.passkeys where credential_id = ${credentialId}`,
  );
  return row ?? null;
}

/** Adds a passkey; null when its credential is somebody's already. */
export async function insertPasskey(
  tx: Tx,
  passkey: Omit<PasskeyRow, 'createdAt' | 'usedAt'>,
): Promise<PasskeyRow | null> {
  const { id, officerId, credentialId, publicKey, counter, rpId, label, isSynced } = passkey;
  const [row] = await selectRows<PasskeyRow>(
    tx,
    sql`insert into identity.passkeys
        (id, officer_id, credential_id, public_key, counter, rp_id, label, is_synced, created_at)
      values (${id}, ${officerId}, ${credentialId}, ${publicKey}, ${counter}, ${rpId}, ${label},
        ${isSynced}, platform.now())
      on conflict (credential_id) do nothing returning ${columns}`,
  );
  return row ?? null;
}

/** Notes a use; false when a rival has come to this count before: then one of the two is a copy. */
export async function countUse(tx: Tx, id: string, counter: number): Promise<boolean> {
  const rows = await selectRows(
    tx,
    sql`update identity.passkeys set counter = ${counter}, used_at = platform.now()
      where id = ${id} and (counter < ${counter} or (counter = 0 and ${counter} = 0))
      returning id`,
  );
  return rows.length === 1;
}

/** Ends all passkeys of an officer. */
export async function deletePasskeys(tx: Tx, officerId: string): Promise<void> {
  await tx.execute(sql`delete from identity.passkeys where officer_id = ${officerId}`);
}

/** Removes one of this officer's passkeys; false when she has none of this id. */
export async function deletePasskey(tx: Tx, officerId: string, id: string): Promise<boolean> {
  const rows = await selectRows(
    tx,
    sql`delete from identity.passkeys where officer_id = ${officerId} and id = ${id} returning id`,
  );
  return rows.length === 1;
}
