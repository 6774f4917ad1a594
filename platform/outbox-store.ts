// SQL of the outbox; times are the database's.
import { type SQL, sql } from 'drizzle-orm';
import type { Json } from './canonical-json.ts';
import { type Database, selectRows, type Tx } from './database.ts';

/** A delivery this process may attempt now; `attempts` fences it against a later claimer. */
export interface Claim {
  position: string;
  subscriber: string;
  attempts: number;
  ageSeconds: number;
  event: { id: string; topic: string; key: string; payload: Json; at: Date };
}

export const outboxChannel = 'yihao_outbox';

const fanOutMax = 500;
const purgeMax = 5000;
/** Subscriptions no process has renewed for so long are taken for gone, with what waited for them. */
const subscriptionDays = 30;

const milliseconds = (count: number): SQL => sql`make_interval(secs => ${count / 1000}::float8)`;
const days = (count: number): SQL => sql`make_interval(days => ${count}::int)`;

/** The act's transaction writes one row and nothing else. */
export async function insertEvent(
  tx: Tx,
  event: { id: string; topic: string; key: string; payload: string },
): Promise<void> {
  await tx.execute(sql`
    insert into platform.outbox (id, topic, key, payload, occurred_at)
    values (${event.id}, ${event.topic}, ${event.key}, ${event.payload}::jsonb, platform.now())`);
}

/** Wakes the processes that deliver. */
export async function notifyOutbox(tx: Tx): Promise<void> {
  await tx.execute(sql`select pg_notify(${outboxChannel}, '')`);
}

/** Notes, or renews, that `subscriber` wants `topic`. */
export async function subscribe(tx: Tx, topic: string, subscriber: string): Promise<void> {
  await tx.execute(sql`
    insert into platform.outbox_subscriptions (topic, subscriber, seen_at)
    values (${topic}, ${subscriber}, platform.now())
    on conflict (topic, subscriber) do update set seen_at = excluded.seen_at`);
}

/**
 * Makes deliveries of new events, one process at a time so that keys keep their order; how many
 * events there were, 0 also when another process is at it.
 */
export function fanOut(database: Database): Promise<number> {
  return database.transaction(async (tx) => {
    const [lock] = await selectRows<{ is_mine: boolean }>(
      tx,
      sql`select pg_try_advisory_xact_lock(hashtextextended('yihao.outbox', 0)) as is_mine`,
    );
    if (!lock?.is_mine) return 0;
    const fresh = await selectRows<{ position: string }>(
      tx,
      sql`
        with fresh as (
          update platform.outbox set is_fanned_out = true
          where position in (
            select position from platform.outbox where not is_fanned_out
            order by position limit ${fanOutMax})
          returning position, topic, key
        ), made as (
          insert into platform.outbox_deliveries (position, subscriber, key, next_attempt_at)
          select f.position, s.subscriber, f.key, platform.now()
          from fresh f join platform.outbox_subscriptions s on s.topic = f.topic
        )
        select position from fresh`,
    );
    return fresh.length;
  });
}

interface ClaimRow {
  position: string;
  attempts: number;
  age_seconds: number;
  id: string;
  topic: string;
  key: string;
  payload: Json;
  occurred_at: string;
}

/** Takes up to `max` due deliveries, of each key only the first that is still open. */
export async function claimDeliveries(
  tx: Tx,
  subscriber: string,
  topics: readonly string[],
  max: number,
  leaseMs: number,
): Promise<Claim[]> {
  const wanted = sql.join(
    topics.map((topic) => sql`${topic}`),
    sql`, `,
  );
  const rows = await selectRows<ClaimRow>(
    tx,
    sql`
      with due as (
        select d.position from platform.outbox_deliveries d
        join platform.outbox o on o.position = d.position
        where d.subscriber = ${subscriber} and d.state = 'pending'
          and d.next_attempt_at <= platform.now()
          and o.topic in (${wanted})
          and not exists (
            select from platform.outbox_deliveries earlier
            where earlier.subscriber = d.subscriber and earlier.key = d.key
              and earlier.state = 'pending' and earlier.position < d.position)
        order by d.next_attempt_at, d.position
        limit ${max}
        for update of d skip locked
      )
      update platform.outbox_deliveries d
      set attempts = d.attempts + 1, next_attempt_at = platform.now() + ${milliseconds(leaseMs)}
      from due, platform.outbox o
      where d.position = due.position and d.subscriber = ${subscriber} and o.position = d.position
      returning d.position, d.attempts, o.id, o.topic, o.key, o.payload, o.occurred_at,
        extract(epoch from platform.now() - o.occurred_at)::float8 as age_seconds`,
  );
  return rows
    .map(({ position, attempts, age_seconds, occurred_at, ...event }) => ({
      position,
      subscriber,
      attempts,
      ageSeconds: age_seconds,
      event: { ...event, at: new Date(occurred_at) },
    }))
    .sort((a, b) => Number(a.position) - Number(b.position));
}

/** Ends deliveries, leaving out those whose claim ran out and that somebody else has now. */
export async function endDeliveries(
  tx: Tx,
  claims: readonly Claim[],
  state: 'delivered' | 'dead',
  error: string | null,
): Promise<void> {
  const held = sql.join(
    claims.map((c) => sql`(${c.position}::bigint, ${c.subscriber}, ${c.attempts}::int)`),
    sql`, `,
  );
  await tx.execute(sql`
    update platform.outbox_deliveries
    set state = ${state}, last_error = ${error}, ended_at = platform.now()
    where (position, subscriber, attempts) in (${held}) and state = 'pending'`);
}

/** Lets a failed delivery come due again after a pause. */
export async function postponeDelivery(
  tx: Tx,
  claim: Claim,
  pauseMs: number,
  error: string,
): Promise<void> {
  await tx.execute(sql`
    update platform.outbox_deliveries
    set next_attempt_at = platform.now() + ${milliseconds(pauseMs)}, last_error = ${error}
    where position = ${claim.position} and subscriber = ${claim.subscriber}
      and attempts = ${claim.attempts} and state = 'pending'`);
}

/** What of a subscriber's deliveries is not done, of the keys that begin so. */
export interface Backlog {
  waiting: number;
  dead: number;
  oldestDeadAt: Date | null;
  /** Of the dead one given up last. */
  lastError: string | null;
}

export async function findBacklog(tx: Tx, subscriber: string, keys: string): Promise<Backlog> {
  const [row] = await selectRows<Omit<Backlog, 'oldestDeadAt'> & { oldestDeadAt: string | null }>(
    tx,
    sql`
      select count(*) filter (where d.state = 'pending')::int as waiting,
        count(*) filter (where d.state = 'dead')::int as dead,
        min(o.occurred_at) filter (where d.state = 'dead') as "oldestDeadAt",
        (array_agg(d.last_error order by d.ended_at desc) filter (where d.state = 'dead'))[1]
          as "lastError"
      from platform.outbox_deliveries d join platform.outbox o on o.position = d.position
      where d.subscriber = ${subscriber} and d.state in ('pending', 'dead')
        and starts_with(d.key, ${keys})`,
  );
  if (!row) throw new TypeError('A count is there.');
  return { ...row, oldestDeadAt: row.oldestDeadAt === null ? null : new Date(row.oldestDeadAt) };
}

/** Makes dead deliveries pending again, with all their attempts. */
export async function reviveDead(tx: Tx, subscriber: string, keys = ''): Promise<number> {
  const revived = await selectRows(
    tx,
    sql`
      update platform.outbox_deliveries
      set state = 'pending', attempts = 0, next_attempt_at = platform.now(), ended_at = null
      where subscriber = ${subscriber} and state = 'dead' and starts_with(key, ${keys})
      returning position`,
  );
  return revived.length;
}

/** Deletes events all of whose deliveries are done; a dead one keeps its event for the operator. */
export async function purgeOutbox(tx: Tx, keepDays: number): Promise<void> {
  await tx.execute(sql`
    with gone as (
      delete from platform.outbox_subscriptions
      where seen_at < platform.now() - ${days(subscriptionDays)}
      returning subscriber
    )
    delete from platform.outbox_deliveries d
    where d.state = 'pending'
      and d.subscriber in (select subscriber from gone)
      and d.subscriber not in (
        select subscriber from platform.outbox_subscriptions
        where seen_at >= platform.now() - ${days(subscriptionDays)})`);
  await tx.execute(sql`
    delete from platform.outbox where position in (
      select o.position from platform.outbox o
      where o.is_fanned_out and o.occurred_at < platform.now() - ${days(keepDays)}
        and not exists (
          select from platform.outbox_deliveries d
          where d.position = o.position and d.state <> 'delivered')
      order by o.occurred_at limit ${purgeMax})`);
}

/** Age of the oldest event somebody still waits for, 0 when there is none; number of dead deliveries. */
export async function measureOutbox(tx: Tx): Promise<{ oldestSeconds: number; dead: number }> {
  const [row] = await selectRows<{ oldest_seconds: number; dead: number }>(
    tx,
    sql`
      select coalesce(extract(epoch from platform.now() - least(
          (select min(occurred_at) from platform.outbox where not is_fanned_out),
          (select o.occurred_at from platform.outbox_deliveries d
            join platform.outbox o on o.position = d.position
            where d.state = 'pending' order by d.position limit 1))), 0)::float8 as oldest_seconds,
        (select count(*) from platform.outbox_deliveries where state = 'dead')::int as dead`,
  );
  return { oldestSeconds: row?.oldest_seconds ?? 0, dead: row?.dead ?? 0 };
}
