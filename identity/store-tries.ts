// SQL over identity.sign_in_tries and identity.known_devices.
import { sql } from 'drizzle-orm';
import { selectRows, type Tx } from '../platform/index.ts';

/** A counter by its digest, and how many tries it allows. */
export interface CounterRow {
  digest: Buffer;
  mostTries: number;
}

const hexOf = (rows: readonly CounterRow[]) =>
  JSON.stringify(rows.map(({ digest }) => digest.toString('hex')));

/**
 * Counts a try in each of these before it is made, so that tries at the same moment can't slip past a
 * limit. Returns the seconds to wait when one is exceeded, else null. A window begins with its first
 * try; the last one allowed moves its end a whole window away; later ones move nothing. Rows are taken
 * in one order, so that tries that share counters wait for each other and never in a circle.
 */
export async function countTries(
  tx: Tx,
  counters: readonly CounterRow[],
  windowSeconds: number,
): Promise<number | null> {
  const limits = JSON.stringify(counters.map(({ mostTries }) => mostTries));
  const [row] = await selectRows<{ secondsLeft: number | null }>(
    tx,
    sql`with counter as (
        select decode(digest, 'hex') as digest, most
        from jsonb_array_elements_text(${hexOf(counters)}::text::jsonb)
            with ordinality as d (digest, at)
          join (select value::int as most, at
            from jsonb_array_elements_text(${limits}::text::jsonb) with ordinality as l (value, at)
          ) as l using (at)
      ), counted as (
        insert into identity.sign_in_tries as t (counter_digest, tries, expires_at)
        select digest, 1, platform.now() + make_interval(secs => ${windowSeconds})
          from counter order by digest
        on conflict (counter_digest) do update set
          tries = case when t.expires_at <= platform.now() then 1 else t.tries + 1 end,
          expires_at = case
            when t.expires_at > platform.now()
              and t.tries + 1 <> (select most from counter where digest = t.counter_digest)
              then t.expires_at
            else excluded.expires_at end
        returning counter_digest, tries, expires_at
      )
      select max(ceil(extract(epoch from expires_at - platform.now())))::int as "secondsLeft"
      from counted join counter on digest = counter_digest
      where tries > most`,
  );
  return row?.secondsLeft ?? null;
}

/**
 * What a right try does to the counts it stands in: `ended` are forgotten, `others` get it taken back.
 * All are locked first, in the order in which they are counted.
 */
export async function settleTries(
  tx: Tx,
  ended: readonly CounterRow[],
  others: readonly CounterRow[],
): Promise<void> {
  const among = (rows: readonly CounterRow[]) =>
    sql`counter_digest in
      (select decode(value, 'hex') from jsonb_array_elements_text(${hexOf(rows)}::text::jsonb))`;
  await tx.execute(
    sql`select 1 from identity.sign_in_tries where ${among([...ended, ...others])}
      order by counter_digest for update`,
  );
  await tx.execute(sql`delete from identity.sign_in_tries where ${among(ended)}`);
  await tx.execute(
    sql`update identity.sign_in_tries set tries = greatest(tries - 1, 0) where ${among(others)}`,
  );
}

/** Whether an account's holder has signed in from a device, by the digest of the pair. */
export async function isDeviceKnown(tx: Tx, pairDigest: Buffer): Promise<boolean> {
  const rows = await selectRows(
    tx,
    sql`select 1 from identity.known_devices
      where pair_digest = ${pairDigest} and expires_at > platform.now()`,
  );
  return rows.length > 0;
}

/** Remembers a pair of account and device, from now on for so long. */
export async function putKnownDevice(tx: Tx, pairDigest: Buffer, seconds: number): Promise<void> {
  await tx.execute(
    sql`insert into identity.known_devices (pair_digest, expires_at)
      values (${pairDigest}, platform.now() + make_interval(secs => ${seconds}))
      on conflict (pair_digest) do update set expires_at = excluded.expires_at`,
  );
}

/** Forgets counts and devices that have run out. */
export async function deleteExpiredTries(tx: Tx): Promise<void> {
  await tx.execute(sql`delete from identity.sign_in_tries where expires_at < platform.now()`);
  await tx.execute(sql`delete from identity.known_devices where expires_at < platform.now()`);
}
