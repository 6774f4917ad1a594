// SQL of the idempotency keys; times are the database's.
import { type SQL, sql } from 'drizzle-orm';
import { selectRows, type Tx } from './database.ts';

interface Held {
  keyHash: Buffer;
  /** Fences: a runner taken for dead can't write over its successor. */
  token: string;
}

const keepHours = 24;
const purgeMax = 5000;
const milliseconds = (count: number): SQL => sql`make_interval(secs => ${count / 1000}::float8)`;
const heldBy = ({ keyHash, token }: Held): SQL =>
  sql`key_hash = ${keyHash} and run_token = ${token} and response is null`;

/** Takes a key that is new, expired, or left by a runner that died with the same request. */
export async function claimKey(
  tx: Tx,
  claim: Held & { fingerprint: Buffer },
  leaseMs: number,
): Promise<boolean> {
  const claimed = await selectRows(
    tx,
    sql`
      insert into platform.idempotency_keys as held
        (key_hash, fingerprint, run_token, lease_until, expires_at)
      select ${claim.keyHash}::bytea, ${claim.fingerprint}::bytea, ${claim.token}::uuid,
        platform.now() + ${milliseconds(leaseMs)},
        platform.now() + make_interval(hours => ${keepHours})
      -- Not waited for: whatever the act commits reaches the disk together with this.
      from (select set_config('synchronous_commit', 'off', true)) as hurried
      on conflict (key_hash) do update
      set fingerprint = excluded.fingerprint, run_token = excluded.run_token,
        lease_until = excluded.lease_until, response = null, expires_at = excluded.expires_at
      where held.expires_at <= platform.now()
        or (held.lease_until <= platform.now() and held.fingerprint = excluded.fingerprint)
      returning run_token`,
  );
  return claimed.length > 0;
}

/** What is known of a key. */
export async function findKey(
  tx: Tx,
  keyHash: Buffer,
): Promise<{ fingerprint: Buffer; response: Buffer | null } | undefined> {
  const [row] = await selectRows<{ fingerprint: Buffer; response: Buffer | null }>(
    tx,
    sql`select fingerprint, response from platform.idempotency_keys where key_hash = ${keyHash}`,
  );
  return row;
}

/** The runner lives. */
export async function renewKey(tx: Tx, held: Held, leaseMs: number): Promise<void> {
  await tx.execute(sql`
    update platform.idempotency_keys set lease_until = platform.now() + ${milliseconds(leaseMs)}
    where ${heldBy(held)}`);
}

/** Keeps the response for whoever sends the request again. */
export async function storeResponse(tx: Tx, held: Held, response: Buffer): Promise<void> {
  await tx.execute(sql`
    update platform.idempotency_keys set response = ${response}, lease_until = null
    where ${heldBy(held)}`);
}

/** Lets the next call run. */
export async function releaseKey(tx: Tx, held: Held): Promise<void> {
  await tx.execute(sql`delete from platform.idempotency_keys where ${heldBy(held)}`);
}

/** Forgets what is older than a day. */
export async function deleteExpiredKeys(tx: Tx): Promise<void> {
  await tx.execute(sql`
    delete from platform.idempotency_keys where key_hash in (
      select key_hash from platform.idempotency_keys
      where expires_at <= platform.now() order by expires_at limit ${purgeMax})`);
}

/** Kept responses in the order of their keys, after one of them. */
export function listKept(
  tx: Tx,
  after: Buffer,
  limit: number,
): Promise<{ keyHash: Buffer; response: Buffer }[]> {
  return selectRows(
    tx,
    sql`select key_hash as "keyHash", response from platform.idempotency_keys
      where key_hash > ${after} and response is not null order by key_hash limit ${limit}`,
  );
}

/** Puts another response in the place of this one, if it still stands there. */
export async function replaceResponse(
  tx: Tx,
  keyHash: Buffer,
  response: Buffer,
  instead: Buffer,
): Promise<void> {
  await tx.execute(sql`
    update platform.idempotency_keys set response = ${instead}
    where key_hash = ${keyHash} and response = ${response}`);
}
