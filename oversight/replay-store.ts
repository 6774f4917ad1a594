// SQL over oversight.replays and oversight.replay_alarms.
import { type SQL, sql } from 'drizzle-orm';
import { selectRows, type Tx } from '../platform/index.ts';
import type { VigilanceRule } from './vigilance-rule.ts';

export const REPLAY_STATES = ['queued', 'running', 'done', 'failed'] as const;
export type ReplayState = (typeof REPLAY_STATES)[number];

export interface ReplayRow {
  id: string;
  ruleId: string;
  ruleVersion: number | null;
  definition: VigilanceRule;
  /** The first look of the city's day on which the period begins. */
  dayStart: string;
  fromAt: string;
  toAt: string;
  askedBy: string;
  askedAt: string;
  state: ReplayState;
  total: number;
  done: number;
  position: number;
  until: number;
  fault: string | null;
  endedAt: string | null;
}

const time = (column: SQL): SQL =>
  sql`to_char(${column} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;

const replays = sql`
  select id, rule_id as "ruleId", rule_version as "ruleVersion", definition,
    ${time(sql`day_start`)} as "dayStart", ${time(sql`from_at`)} as "fromAt", ${time(sql`to_at`)} as "toAt", asked_by as "askedBy",
    ${time(sql`asked_at`)} as "askedAt", state, total::float8 as total, done::float8 as done,
    position::float8 as position, until::float8 as until, fault, ${time(sql`ended_at`)} as "endedAt"
  from oversight.replays`;

// Entries are sequenced in the order they were staged, clocks of several machines apart: by this many
// indexes the order of times may differ from the order of the log.
const SLACK = 10_000;

/**
 * Stores a replay of the looks judged so far. It begins with the city's day of `fromAt`, because an alarm
 * is raised once a day: what it finds before `fromAt` isn't told. Costs two probes, however long the period.
 */
export async function insertReplay(
  tx: Tx,
  replay: Pick<ReplayRow, 'id' | 'ruleId' | 'ruleVersion' | 'definition' | 'askedBy'> & {
    fromAt: Date;
    dayStart: Date;
    toAt: Date;
  },
): Promise<void> {
  const { dayStart, toAt } = replay;
  await tx.execute(
    sql`with stretch as (
        select greatest(coalesce((select idx from oversight.look_views
            where at >= ${dayStart.toISOString()}::timestamptz
            order by at, idx limit 1) - ${SLACK}::bigint, 0), 0) as first,
          least(coalesce((select idx from oversight.look_views
            where at <= ${toAt.toISOString()}::timestamptz
            order by at desc, idx desc limit 1) + ${SLACK}::bigint, 0), c.judged) as last
        from oversight.vigilance c
      ), whole as (select least(first, last) as first, last from stretch)
      insert into oversight.replays (id, rule_id, rule_version, definition, day_start, from_at, to_at,
        asked_by, asked_at, state, total, position, until)
      select ${replay.id}, ${replay.ruleId}, ${replay.ruleVersion}::int,
        ${JSON.stringify(replay.definition)}::text::jsonb, ${dayStart.toISOString()}::timestamptz,
        ${replay.fromAt.toISOString()}::timestamptz, ${toAt.toISOString()}::timestamptz,
        ${replay.askedBy}, platform.now(), 'queued', last - first, first, last
      from whole`,
  );
}

export async function findReplay(tx: Tx, id: string): Promise<ReplayRow | undefined> {
  const [row] = await selectRows<ReplayRow>(tx, sql`${replays} where id = ${id}`);
  return row;
}

/** Replays, latest first. */
export function listReplays(
  tx: Tx,
  { beforeId, limit }: { beforeId?: string | undefined; limit: number },
): Promise<ReplayRow[]> {
  const where = beforeId === undefined ? sql`` : sql`where id < ${beforeId}`;
  return selectRows<ReplayRow>(tx, sql`${replays} ${where} order by id desc limit ${limit}`);
}

/** How many wait or run for somebody. */
export async function countUnfinished(tx: Tx, askedBy: string): Promise<number> {
  const [row] = await selectRows<{ count: number }>(
    tx,
    sql`select count(*)::int as count from oversight.replays
      where state in ('queued', 'running') and asked_by = ${askedBy}`,
  );
  return row?.count ?? 0;
}

/** The replay that has waited longest. */
export async function nextReplay(tx: Tx): Promise<ReplayRow | undefined> {
  const [row] = await selectRows<ReplayRow>(
    tx,
    sql`${replays} where state in ('queued', 'running') order by asked_at, id limit 1`,
  );
  return row;
}

/** Moves a replay on; false when another process has. */
export async function moveReplay(
  tx: Tx,
  { id, position }: Pick<ReplayRow, 'id' | 'position'>,
  to: { position: number; state: 'running' | 'done' | 'failed'; fault?: string },
): Promise<boolean> {
  const { state, fault = null } = to;
  const rows = await selectRows(
    tx,
    sql`update oversight.replays
      set position = ${to.position}::bigint, done = total - (until - ${to.position}::bigint), state = ${state},
        fault = ${fault}, ended_at = case when ${state}::text = 'running' then null else platform.now() end
      where id = ${id} and position = ${position}::bigint and state in ('queued', 'running')
      returning id`,
  );
  return rows.length === 1;
}

/** Remembers an alarm found, once for its group and day. */
export async function addReplayAlarm(
  tx: Tx,
  replayId: string,
  alarm: { groupKey: Buffer; day: string; lookIndex: number; looks: number },
): Promise<void> {
  await tx.execute(
    sql`insert into oversight.replay_alarms as r (replay_id, group_key, day, look_idx, looks)
      values (${replayId}, ${alarm.groupKey}, ${alarm.day}::text::date, ${alarm.lookIndex}::bigint,
        ${alarm.looks}::int)
      on conflict (replay_id, group_key, day) do update set looks = r.looks + excluded.looks`,
  );
}

/** An alarm that was found by a replay, was raised, or both; `look` is the index of the look it began with. */
export interface ComparedAlarm {
  look: number;
  looks: number | null;
  day: string;
  department: string | null;
  actorTag: Buffer | null;
  alert: string | null;
  raisedBy: number | null;
  isFound: boolean;
}

/**
 * What a replay found beside what was raised: by the version it ran, or by any version of the rule for a
 * draft. Both only for looks of its period.
 */
export function compareAlarms(tx: Tx, replay: ReplayRow, limit: number): Promise<ComparedAlarm[]> {
  const { id, ruleId, ruleVersion, fromAt, toAt, until } = replay;
  return selectRows<ComparedAlarm>(
    tx,
    sql`with period as (
        select ${fromAt}::timestamptz as first, ${toAt}::timestamptz as last
      ), found as (
        select r.group_key, r.day, r.look_idx, r.looks, v.department, v.actor_tag
        from oversight.replay_alarms r join oversight.look_views v on v.idx = r.look_idx, period
        where r.replay_id = ${id} and v.at between period.first and period.last
      ), raised as (
        select distinct on (a.group_key, a.day) a.group_key, a.day, a.look_idx, a.id, a.rule_version, a.department, a.actor_tag
        from oversight.alerts a join oversight.look_views v on v.idx = a.look_idx, period
        where a.rule_id = ${ruleId} and v.at between period.first and period.last
          and a.look_idx < ${until}::bigint
          and (${ruleVersion}::int is null or a.rule_version = ${ruleVersion}::int)
        order by a.group_key, a.day, a.rule_version desc
      )
      select coalesce(f.look_idx, r.look_idx)::float8 as look, f.looks,
        coalesce(f.day, r.day)::text as day, coalesce(f.department, r.department) as department,
        coalesce(f.actor_tag, r.actor_tag) as "actorTag", r.id as alert, r.rule_version as "raisedBy",
        f.look_idx is not null as "isFound"
      from found f full join raised r
        on r.group_key = f.group_key and r.day = f.day
      order by 1 limit ${limit}`,
  );
}
