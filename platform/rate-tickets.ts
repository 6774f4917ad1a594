// Tickets: each the right to one request of a caller in this minute, given out in bundles from counts
// that all processes on one database share (docs/adr/0016). Together they give out no more than the limit.
import { createHmac } from 'node:crypto';
import { type SQL, sql } from 'drizzle-orm';
import { type Database, dbNow, selectRows, type Tx } from './database.ts';
import type { Sweep } from './sweeper.ts';

const SLOTS = 4;
/** Most tickets of a bundle, and the part of what is left that one may be: what lies unused is small. */
const LARGEST = 64;
const PART = 32;

export interface Bundle {
  /** As many as were asked for, more to have at hand, or fewer when that was all there was. */
  given: number;
  /** All that was given in this minute, to anybody. */
  taken: number;
  secondsLeft: number;
}

interface Asked {
  digest: string;
  limit: number;
  needed: () => number;
  resolve: (bundle: Bundle) => void;
  reject: (error: unknown) => void;
}

export interface RateTicketsDeps {
  database: Database;
  /** Callers are stored as digests under it. */
  key: Buffer;
}

/** Gives out tickets; who asks at the same moment shares one statement. */
export function createRateTickets({ database, key }: RateTicketsDeps) {
  let waiting: Asked[] = [];
  let isAsking = false;

  async function askForAll(): Promise<void> {
    isAsking = true;
    while (waiting.length > 0) {
      // What arrived in the same turn of the loop goes along; what comes now goes next.
      await new Promise(setImmediate);
      const asked = waiting;
      waiting = [];
      try {
        const bundles = await giveOut(database.db, asked);
        for (const { digest, resolve, reject } of asked) {
          const bundle = bundles.get(digest);
          if (bundle) resolve(bundle);
          else reject(new TypeError('A caller was given no count.'));
        }
      } catch (error) {
        for (const { reject } of asked) reject(error);
      }
    }
    isAsking = false;
  }

  return {
    /**
     * Asks for tickets of one caller; how many are needed at least is asked when the statement is sent.
     * No caller is asked for again before it was answered.
     */
    take(caller: string, limit: number, needed: () => number): Promise<Bundle> {
      const digest = createHmac('sha256', key).update(`rate ${caller}`).digest('hex');
      return new Promise((resolve, reject) => {
        waiting.push({ digest, limit, needed, resolve, reject });
        if (!isAsking) void askForAll();
      });
    },

    /** Empties the slots of past minutes; to be called every minute, and harmless if it is missed. */
    forgetPast: (async () => {
      const minute = Math.floor((await dbNow(database.db)).getTime() / 60_000);
      // Clocks of processes don't matter here, the database's alone does: slot +2 is minute -2.
      const slot = `rate_counts_${(minute + 2) % SLOTS}`;
      await database.db.execute(sql`truncate platform.${sql.identifier(slot)}`);
    }) satisfies Sweep,
  };
}

export type RateTickets = ReturnType<typeof createRateTickets>;

/** Of `free` tickets: what is needed, or a bundle if that is more, but no more than there are. */
const bundleOf = (free: SQL) =>
  sql`least(${free}, greatest(a.needed, least(${sql.raw(String(LARGEST))}, (${free} + ${sql.raw(String(PART - 1))}) / ${sql.raw(String(PART))})))`;

/**
 * One statement for many callers. Rows are locked in one order, so that two processes wait for each
 * other and never in a circle; nothing waits for the disk, for the counts are unlogged anyway.
 */
async function giveOut(tx: Tx, asked: readonly Asked[]): Promise<Map<string, Bundle>> {
  const list = JSON.stringify(
    asked.map(({ digest, limit, needed }) => ({ digest, most: limit, needed: needed() })),
  );
  const rows = await selectRows<Bundle & { digest: string }>(
    tx,
    sql`with quick as materialized (select set_config('synchronous_commit', 'off', true)),
      present as materialized (
        select extract(epoch from platform.now())::numeric as seconds from quick
      ),
      asked as materialized (
        select decode(digest, 'hex') as digest, max(most) as most, sum(needed)::int as needed
        from jsonb_to_recordset(${list}::text::jsonb) as a (digest text, most int, needed int)
        group by digest
      ),
      counted as (
        insert into platform.rate_counts as c (slot, digest, minute, taken, given)
        select floor(seconds / 60)::int % ${sql.raw(String(SLOTS))}, a.digest,
          floor(seconds / 60)::int, ${bundleOf(sql`a.most`)}, ${bundleOf(sql`a.most`)}
        from asked a, present order by a.digest
        on conflict (slot, digest) do update set (minute, taken, given) = (
          select excluded.minute, before.taken + now.given, now.given
          from asked a,
            lateral (
              select case when c.minute = excluded.minute then c.taken else 0 end as taken
            ) as before,
            lateral (select greatest(a.most - before.taken, 0) as free) as rest,
            lateral (select ${bundleOf(sql`rest.free`)} as given) as now
          where a.digest = c.digest
        )
        returning digest, taken, given
      )
      select encode(digest, 'hex') as digest, taken, given,
        ceil(60 - seconds % 60)::int as "secondsLeft"
      from counted, present`,
  );
  return new Map(rows.map(({ digest, ...bundle }) => [digest, bundle]));
}
