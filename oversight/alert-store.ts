// SQL over oversight.alerts.
import { type SQL, sql } from 'drizzle-orm';
import { selectRows, type Tx } from '../platform/index.ts';
import type { Severity } from './vigilance-rule.ts';

export const FINDINGS = ['justified', 'unjustified', 'false_alarm'] as const;
export type Finding = (typeof FINDINGS)[number];
export type AlertState = 'new' | 'noted' | 'closed';

/** What an alarm is raised once for. */
export interface AlertKey {
  ruleId: string;
  ruleVersion: number;
  groupKey: Buffer;
  day: string;
}

export interface NewAlert extends AlertKey {
  id: string;
  severity: Severity;
  lookIndex: number | null;
  evidence: number[];
  department: string | null;
  actorTag: Buffer | null;
  deadlineDays: number;
  stageId: string;
}

const MOST_LATER = 200;
const list = (indexes: readonly number[]): SQL =>
  sql`(select coalesce(array_agg(i::bigint), '{}') from jsonb_array_elements_text(
    ${JSON.stringify(indexes)}::text::jsonb) as i)`;

const sameKey = ({ ruleId, ruleVersion, groupKey, day }: AlertKey): SQL =>
  sql`rule_id = ${ruleId} and rule_version = ${ruleVersion}::int and group_key = ${groupKey}
    and day = ${day}::text::date`;

/** Adds looks to an alarm that was raised already; false when there is none. */
export async function addLater(
  tx: Tx,
  key: AlertKey,
  indexes: readonly number[],
): Promise<boolean> {
  const rows = await selectRows(
    tx,
    sql`update oversight.alerts set later = (later || ${list(indexes)})[1:${MOST_LATER}::int]
      where ${sameKey(key)} returning id`,
  );
  return rows.length === 1;
}

/** Stores an alarm; false when it is there already. */
export async function insertAlert(tx: Tx, alert: NewAlert): Promise<boolean> {
  const rows = await selectRows(
    tx,
    sql`insert into oversight.alerts (id, rule_id, rule_version, severity, group_key, day, look_idx,
        evidence, department, actor_tag, raised_at, deadline, stage_id)
      values (${alert.id}, ${alert.ruleId}, ${alert.ruleVersion}::int, ${alert.severity},
        ${alert.groupKey}, ${alert.day}::text::date, ${alert.lookIndex}::bigint,
        ${list(alert.evidence)}, ${alert.department}, ${alert.actorTag}::bytea, platform.now(),
        platform.now() + make_interval(days => ${alert.deadlineDays}::int), ${alert.stageId})
      on conflict do nothing returning id`,
  );
  return rows.length === 1;
}

/** The looks of an actor, or at a subject, in the 24 hours up to one, oldest first. */
export async function findWindow(
  tx: Tx,
  by: 'actor' | 'subject',
  tag: Buffer,
  upTo: { idx: number; at: string },
  limit: number,
): Promise<number[]> {
  const column = by === 'actor' ? sql`actor_tag` : sql`subject_tag`;
  const rows = await selectRows<{ idx: number }>(
    tx,
    sql`select idx::float8 as idx from oversight.looks
      where ${column} = ${tag} and at > ${upTo.at}::timestamptz - interval '24 hours'
        and at <= ${upTo.at}::timestamptz and idx <= ${upTo.idx}::bigint
      order by at desc, idx desc limit ${limit}`,
  );
  return rows.map(({ idx }) => idx).reverse();
}

export interface AlertRow {
  id: string;
  ruleId: string;
  ruleVersion: number;
  severity: Severity;
  state: AlertState;
  lookIndex: number | null;
  evidence: number[];
  later: number[];
  department: string | null;
  actorTag: Buffer | null;
  raisedAt: string;
  deadline: string;
  isOverdue: boolean;
  stageId: string;
  notedBy: string | null;
  notedAt: string | null;
  noteSealed: Buffer | null;
  closedBy: string | null;
  closedAt: string | null;
  finding: Finding | null;
  closingSealed: Buffer | null;
}

const time = (column: SQL): SQL =>
  sql`to_char(${column} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;

const alerts = sql`
  select id, rule_id as "ruleId", rule_version as "ruleVersion", severity, state,
    look_idx::float8 as "lookIndex", to_json(evidence) as evidence, to_json(later) as later,
    department, actor_tag as "actorTag", ${time(sql`raised_at`)} as "raisedAt",
    ${time(sql`deadline`)} as deadline, stage_id as "stageId",
    (state <> 'closed' and deadline < platform.now()) as "isOverdue",
    noted_by as "notedBy", ${time(sql`noted_at`)} as "notedAt", note_sealed as "noteSealed",
    closed_by as "closedBy", ${time(sql`closed_at`)} as "closedAt", finding,
    closing_sealed as "closingSealed"
  from oversight.alerts`;

export interface AlertFilter {
  state?: AlertState | 'open' | 'overdue' | undefined;
  rule?: string | undefined;
  beforeId?: string | undefined;
  limit: number;
}

/** Alarms, latest first. */
export function listAlerts(
  tx: Tx,
  { state, rule, beforeId, limit }: AlertFilter,
): Promise<AlertRow[]> {
  const conditions = [
    sql`true`,
    ...(rule === undefined ? [] : [sql`rule_id = ${rule}`]),
    ...(beforeId === undefined ? [] : [sql`id < ${beforeId}`]),
    ...(state === undefined ? [] : [stateIs(state)]),
  ];
  return selectRows<AlertRow>(
    tx,
    sql`${alerts} where ${sql.join(conditions, sql` and `)} order by id desc limit ${limit}`,
  );
}

function stateIs(state: NonNullable<AlertFilter['state']>): SQL {
  if (state === 'open') return sql`state <> 'closed'`;
  if (state === 'overdue') return sql`state <> 'closed' and deadline < platform.now()`;
  return sql`state = ${state}`;
}

export async function findAlert(tx: Tx, id: string): Promise<AlertRow | undefined> {
  const [row] = await selectRows<AlertRow>(tx, sql`${alerts} where id = ${id}`);
  return row;
}

/** The alarm, locked until the transaction ends: one act at a time. */
export async function lockAlert(tx: Tx, id: string): Promise<AlertRow | undefined> {
  const [row] = await selectRows<AlertRow>(tx, sql`${alerts} where id = ${id} for update`);
  return row;
}

export async function noteAlert(
  tx: Tx,
  id: string,
  { by, sealed }: { by: string; sealed: Buffer },
): Promise<void> {
  await tx.execute(
    sql`update oversight.alerts set state = 'noted', noted_by = ${by}, noted_at = platform.now(),
        note_sealed = ${sealed} where id = ${id}`,
  );
}

export async function closeAlert(
  tx: Tx,
  id: string,
  { by, finding, sealed }: { by: string; finding: Finding; sealed: Buffer },
): Promise<void> {
  await tx.execute(
    sql`update oversight.alerts set state = 'closed', closed_by = ${by},
        closed_at = platform.now(), finding = ${finding}, closing_sealed = ${sealed}
      where id = ${id}`,
  );
}

/** How a rule's alarms ended, over all its versions. */
export type RuleFigures = {
  rule: string;
  raised: number;
  open: number;
  justified: number;
  unjustified: number;
  falseAlarms: number;
};

export function countByRule(tx: Tx): Promise<RuleFigures[]> {
  return selectRows<RuleFigures>(
    tx,
    sql`select rule_id as rule, count(*)::int as raised,
        count(*) filter (where state <> 'closed')::int as open,
        count(*) filter (where finding = 'justified')::int as justified,
        count(*) filter (where finding = 'unjustified')::int as unjustified,
        count(*) filter (where finding = 'false_alarm')::int as "falseAlarms"
      from oversight.alerts group by rule_id order by rule_id`,
  );
}

/** How many looks have been judged. */
export async function countJudged(tx: Tx): Promise<number> {
  const [row] = await selectRows<{ count: number }>(
    tx,
    sql`select count(*)::float8 as count from oversight.look_views v, oversight.vigilance c
      where v.idx < c.judged`,
  );
  return row?.count ?? 0;
}

export interface AlertCounts {
  fresh: number;
  noted: number;
  overdue: number;
}

/** Open alarms, each count no further than `most`. */
export async function countOpen(tx: Tx, most: number): Promise<AlertCounts> {
  const [row] = await selectRows<AlertCounts>(
    tx,
    sql`select count(*) filter (where state = 'new')::int as fresh,
        count(*) filter (where state = 'noted')::int as noted,
        count(*) filter (where deadline < platform.now())::int as overdue
      from (select state, deadline from oversight.alerts where state <> 'closed' limit ${most}) open`,
  );
  return row ?? { fresh: 0, noted: 0, overdue: 0 };
}
