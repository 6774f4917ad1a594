// SQL of taking looks in: what was known before them, their rows, and what is counted around them. Each
// statement is for a whole batch, and each window is one probe of an index: a look costs the same however
// long the log is.
import { sql } from 'drizzle-orm';
import { type Json, type JsonObject, selectRows, type Tx } from '../platform/index.ts';
import type { Look } from './look.ts';

/** Case references of more people than this are no case of any of them. */
export const CASE_PEOPLE = 10;
export const MOST_COUNTED = 100;
const DAYS_KEPT = 40;

const hex = (bytes: Buffer | null): string | null => bytes?.toString('hex') ?? null;
const json = (value: Json): string => JSON.stringify(value);

export interface Cursors {
  taken: number;
  judged: number;
}

export async function getCursors(tx: Tx): Promise<Cursors> {
  const [row] = await selectRows<Cursors>(
    tx,
    sql`select taken::float8 as taken, judged::float8 as judged from oversight.vigilance`,
  );
  if (!row) throw new TypeError('The cursors have their row from the migration.');
  return row;
}

/** Moves a cursor on; false when another process has moved it. */
export async function moveCursor(
  tx: Tx,
  cursor: 'taken' | 'judged',
  from: number,
  to: number,
): Promise<boolean> {
  const column = sql.identifier(cursor);
  const rows = await selectRows(
    tx,
    sql`update oversight.vigilance set ${column} = ${to}::bigint
      where id = 1 and ${column} = ${from}::bigint returning id`,
  );
  return rows.length === 1;
}

export interface ActorCounts {
  actorTag: Buffer;
  looks: number;
  caseless: number;
  offHours: number;
  people: number;
}

/** The running counts of these actors. */
export function findCounts(tx: Tx, looks: readonly Look[]): Promise<ActorCounts[]> {
  return selectRows<ActorCounts>(
    tx,
    sql`select a.tag as "actorTag", l.n_looks::float8 as looks, l.n_caseless::float8 as caseless,
        l.n_off_hours::float8 as "offHours", l.n_people::float8 as people
      from (select distinct decode(tag, 'hex') as tag from jsonb_array_elements_text(
        ${json(looks.map((look) => look.actorTag.toString('hex')))}::text::jsonb) as tag) a,
      lateral (select n_looks, n_caseless, n_off_hours, n_people from oversight.looks
        where actor_tag = a.tag order by n_looks desc limit 1) l`,
  );
}

/** Makes the days of actors that have none yet, with what their past says; returns how far each is. */
export async function openDays(
  tx: Tx,
  looks: readonly Look[],
): Promise<{ actorTag: Buffer; day: string; looks: number }[]> {
  const days = json(
    [...new Map(looks.map((look) => [`${hex(look.actorTag)}${look.day}`, look])).values()].map(
      ({ actorTag, day, department, isOfficer }) => ({
        tag: hex(actorTag),
        day,
        department,
        isOfficer,
      }),
    ),
  );
  const input = sql`jsonb_to_recordset(${days}::text::jsonb) as i(
    tag text, day date, department text, "isOfficer" boolean)`;
  await tx.execute(
    sql`insert into oversight.actor_days
        (actor_tag, day, department, is_officer, looks, active_days, median30, peer_p99)
      select decode(i.tag, 'hex'), i.day, i.department, i."isOfficer", 0, own.days,
        coalesce(own.median, 0), coalesce(peers.p99, 0)
      from ${input}
      left join lateral (
        select count(*)::int as days,
          percentile_cont(0.5) within group (order by d.looks) as median
        from oversight.actor_days d
        where d.actor_tag = decode(i.tag, 'hex') and d.day >= i.day - 30 and d.day < i.day) own on true
      left join lateral (
        select percentile_cont(0.99) within group (order by d.looks) as p99
        from oversight.actor_days d
        where d.department = i.department and d.is_officer
          and d.day >= i.day - 30 and d.day < i.day) peers on true
      on conflict do nothing`,
  );
  return selectRows(
    tx,
    sql`select d.actor_tag as "actorTag", d.day::text as day, d.looks
      from ${input} join oversight.actor_days d
        on d.actor_tag = decode(i.tag, 'hex') and d.day = i.day`,
  );
}

/** When these actors last looked at these people, within a day before the batch. */
export function findLastLooks(
  tx: Tx,
  looks: readonly Look[],
): Promise<{ actorTag: Buffer; subjectTag: Buffer; at: number }[]> {
  const pairs = looks.flatMap(({ actorTag, subjectTag }) =>
    subjectTag ? [{ a: hex(actorTag), s: hex(subjectTag) }] : [],
  );
  const first = Math.min(...looks.map(({ at }) => at.getTime())) - 86_400_000;
  return selectRows(
    tx,
    sql`select l.actor_tag as "actorTag", l.subject_tag as "subjectTag",
        (extract(epoch from max(l.at)) * 1000)::float8 as at
      from (select distinct decode(a, 'hex') as a, decode(s, 'hex') as s
        from jsonb_to_recordset(${json(pairs)}::text::jsonb) as i(a text, s text)) p
      join oversight.looks l on l.subject_tag = p.s and l.actor_tag = p.a
        and l.at > ${new Date(first).toISOString()}::timestamptz
      group by 1, 2`,
  );
}

/** Whose the department's cases were before, each counted to a hundred. */
export function findCasePeople(
  tx: Tx,
  looks: readonly Look[],
): Promise<{ caseTag: Buffer; department: string; subjectTag: Buffer }[]> {
  return selectRows(
    tx,
    sql`select p.c as "caseTag", p.d as department, l.subject_tag as "subjectTag"
      from (select distinct decode(c, 'hex') as c, d
        from jsonb_to_recordset(${json(casesOf(looks))}::text::jsonb) as i(c text, d text)) p,
      lateral (select subject_tag from oversight.case_people
        where case_tag = p.c and department = p.d limit ${MOST_COUNTED + 1}) l`,
  );
}

/** Remembers of whom the department's cases are. */
export async function addCasePeople(tx: Tx, looks: readonly Look[]): Promise<void> {
  await tx.execute(
    sql`insert into oversight.case_people (case_tag, department, subject_tag)
      select distinct decode(c, 'hex'), d, decode(s, 'hex')
      from jsonb_to_recordset(${json(casesOf(looks))}::text::jsonb) as i(c text, d text, s text)
      on conflict do nothing`,
  );
}

function casesOf(looks: readonly Look[]) {
  return looks.flatMap(({ caseTag, department, subjectTag }) =>
    caseTag && subjectTag ? [{ c: hex(caseTag), d: department, s: hex(subjectTag) }] : [],
  );
}

/** Remembers which department looked at whom; returns the pairs that are new. */
export function addPairs(
  tx: Tx,
  looks: readonly Look[],
): Promise<{ subjectTag: Buffer; department: string }[]> {
  const pairs = looks.flatMap(({ subjectTag, department }) =>
    subjectTag ? [{ s: hex(subjectTag), d: department }] : [],
  );
  return selectRows(
    tx,
    sql`insert into oversight.pairs (subject_tag, department)
      select distinct decode(s, 'hex'), d
      from jsonb_to_recordset(${json(pairs)}::text::jsonb) as i(s text, d text)
      on conflict do nothing returning subject_tag as "subjectTag", department`,
  );
}

/** Those purposes of a batch that others of the department had used before it. */
export function findPurposeUsers(
  tx: Tx,
  looks: readonly Look[],
): Promise<{ purposeMark: Buffer; department: string; actorTag: Buffer }[]> {
  return selectRows(
    tx,
    sql`select p.m as "purposeMark", p.d as department, u.actor_tag as "actorTag"
      from (select distinct decode(m, 'hex') as m, d
        from jsonb_to_recordset(${json(purposesOf(looks))}::text::jsonb) as i(m text, d text)) p,
      lateral (select actor_tag from oversight.purposes
        where purpose_mark = p.m and department = p.d limit 2) u`,
  );
}

/** Remembers who has used which purpose. */
export async function addPurposes(tx: Tx, looks: readonly Look[]): Promise<void> {
  await tx.execute(
    sql`insert into oversight.purposes (purpose_mark, department, actor_tag)
      select distinct decode(m, 'hex'), d, decode(a, 'hex')
      from jsonb_to_recordset(${json(purposesOf(looks))}::text::jsonb) as i(m text, d text, a text)
      on conflict do nothing`,
  );
}

function purposesOf(looks: readonly Look[]) {
  return looks.flatMap(({ purposeMark, department, actorTag }) =>
    purposeMark ? [{ m: hex(purposeMark), d: department, a: hex(actorTag) }] : [],
  );
}

/** A look with its running counts. */
export interface CountedLook extends Look {
  stemMark: Buffer | null;
  isCaseless: boolean;
  isNew: boolean;
  counts: { looks: number; caseless: number; offHours: number; people: number; today: number };
}

export async function insertLooks(tx: Tx, looks: readonly CountedLook[]): Promise<void> {
  const rows = looks.map((look) => ({
    idx: look.index,
    at: look.at.toISOString(),
    day: look.day,
    department: look.department,
    actor: hex(look.actorTag),
    officer: look.isOfficer,
    subject: hex(look.subjectTag),
    purpose: hex(look.purposeMark),
    stem: hex(look.stemMark),
    caseless: look.isCaseless,
    off: look.isOffHours,
    new_: look.isNew,
    n: look.counts.looks,
    nc: look.counts.caseless,
    no: look.counts.offHours,
    np: look.counts.people,
    nt: look.counts.today,
  }));
  await tx.execute(
    sql`insert into oversight.looks (idx, at, day, department, actor_tag, is_officer, subject_tag,
        purpose_mark, stem_mark, is_caseless, is_off_hours, is_new, n_looks, n_caseless,
        n_off_hours, n_people, n_today)
      select idx, at, day, department, decode(actor, 'hex'), officer, decode(subject, 'hex'),
        decode(purpose, 'hex'), decode(stem, 'hex'), caseless, off, new_,
        n, nc, no_, np, nt
      from (select i.*, i."no" as no_ from jsonb_to_recordset(${json(rows)}::text::jsonb) as i(
        idx bigint, at timestamptz, day date, department text, actor text, officer boolean,
        subject text, purpose text, stem text, caseless boolean, off boolean,
        new_ boolean, n bigint, nc bigint, "no" bigint, np bigint, nt integer)) r`,
  );
}

export interface LookWindows {
  idx: number;
  looks1: number;
  looks24: number;
  people24: number;
  caseless24: number;
  offHours24: number;
  neighbours24: number;
  purposeLooks24: number;
  officers24: number;
  departments24: number;
  subjectLooks24: number;
  median30: number;
  activeDays: number;
  peerP99: number;
}

/** What is counted around the looks of a batch that has been written; only over looks before each. */
export function countWindows(tx: Tx, first: number, last: number): Promise<LookWindows[]> {
  const opening = (hours: number) => sql`select w.n_looks, w.n_people, w.n_caseless, w.n_off_hours,
      w.is_new, w.is_caseless, w.is_off_hours
    from oversight.looks w
    where w.actor_tag = l.actor_tag and w.at > l.at - make_interval(hours => ${hours}::int)
      and w.idx <= l.idx
    order by w.at, w.idx limit 1`;
  const day = sql`w.at > l.at - interval '24 hours' and w.at <= l.at and w.idx <= l.idx`;
  return selectRows<LookWindows>(
    tx,
    sql`select l.idx::float8 as idx,
        (l.n_looks - h.n_looks + 1)::float8 as "looks1",
        (l.n_looks - d.n_looks + 1)::float8 as "looks24",
        (l.n_people - d.n_people + d.is_new::int)::float8 as "people24",
        (l.n_caseless - d.n_caseless + d.is_caseless::int)::float8 as "caseless24",
        (l.n_off_hours - d.n_off_hours + d.is_off_hours::int)::float8 as "offHours24",
        n.count as "neighbours24", p.count as "purposeLooks24",
        s.officers as "officers24", s.departments as "departments24", s.looks as "subjectLooks24",
        a.median30, a.active_days as "activeDays", a.peer_p99 as "peerP99"
      from oversight.looks l
      join oversight.actor_days a on a.actor_tag = l.actor_tag and a.day = l.day,
      lateral (${opening(1)}) h,
      lateral (${opening(24)}) d,
      lateral (select count(distinct subject_tag)::int as count from (
        select w.subject_tag from oversight.looks w
        where l.is_officer and w.is_officer and w.actor_tag = l.actor_tag
          and w.stem_mark = l.stem_mark and ${day}
        order by w.at desc limit ${MOST_COUNTED}) x) n,
      lateral (select count(*)::int as count from (
        select 1 from oversight.looks w
        where l.is_officer and w.is_officer and w.actor_tag = l.actor_tag
          and w.purpose_mark = l.purpose_mark and ${day}
        order by w.at desc limit ${MOST_COUNTED}) x) p,
      lateral (select count(distinct x.actor_tag) filter (where x.is_officer)::int as officers,
          count(distinct x.department)::int as departments, count(*)::int as looks
        from (select w.actor_tag, w.is_officer, w.department from oversight.looks w
          where w.subject_tag = l.subject_tag and ${day}
          order by w.at desc limit ${MOST_COUNTED}) x) s
      where l.idx between ${first}::bigint and ${last}::bigint
      order by l.idx`,
  );
}

/** Raises the days of actors to where the batch brought them. */
export async function raiseDays(
  tx: Tx,
  days: readonly { actorTag: Buffer; day: string; looks: number }[],
): Promise<void> {
  const rows = days.map(({ actorTag, day, looks }) => ({ tag: hex(actorTag), day, looks }));
  await tx.execute(
    sql`update oversight.actor_days d set looks = i.looks
      from jsonb_to_recordset(${json(rows)}::text::jsonb) as i(tag text, day date, looks integer)
      where d.actor_tag = decode(i.tag, 'hex') and d.day = i.day`,
  );
}

/** A look as a rule was, or will be, shown it. */
export interface StoredView {
  idx: number;
  at: string;
  day: string;
  department: string;
  actorTag: Buffer;
  subjectTag: Buffer | null;
  view: JsonObject;
}

export async function insertViews(
  tx: Tx,
  looks: readonly Look[],
  views: readonly JsonObject[],
): Promise<void> {
  const rows = looks.map((look, at) => ({
    idx: look.index,
    at: look.at.toISOString(),
    day: look.day,
    department: look.department,
    actor: hex(look.actorTag),
    subject: hex(look.subjectTag),
    view: views[at] ?? {},
  }));
  const last = looks.at(-1)?.index ?? 0;
  await tx.execute(sql`select oversight.ensure_partitions(${last}::bigint)`);
  await tx.execute(
    sql`insert into oversight.look_views (idx, at, day, department, actor_tag, subject_tag, view)
      select idx, at, day, department, decode(actor, 'hex'), decode(subject, 'hex'), view
      from jsonb_to_recordset(${json(rows)}::text::jsonb) as i(idx bigint, at timestamptz, day date,
        department text, actor text, subject text, view jsonb)`,
  );
}

const viewColumns = sql`idx::float8 as idx,
  to_char(at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as at, day::text as day,
  department, actor_tag as "actorTag", subject_tag as "subjectTag", view`;

/** Views of looks in a stretch of the log, in order; of a period alone when one is given. */
export function listViews(
  tx: Tx,
  from: number,
  until: number,
  limit: number,
  period?: { first: string; last: string },
): Promise<StoredView[]> {
  const within = period
    ? sql`and at between ${period.first}::timestamptz and ${period.last}::timestamptz`
    : sql``;
  return selectRows<StoredView>(
    tx,
    sql`select ${viewColumns} from oversight.look_views
      where idx >= ${from}::bigint and idx < ${until}::bigint ${within}
      order by idx limit ${limit}`,
  );
}

/** Forgets looks that no window reaches; `before` is the newest look taken in. */
export async function pruneLooks(tx: Tx): Promise<number> {
  const rows = await selectRows(
    tx,
    sql`delete from oversight.looks where idx in (
      select idx from oversight.looks
      where at < platform.now() - make_interval(days => ${DAYS_KEPT})
      order by at limit 5000) returning idx`,
  );
  return rows.length;
}

/** Takes what finds a person out of all that vigilance keeps. */
export async function forgetWatched(tx: Tx, subjectTag: Buffer): Promise<void> {
  await tx.execute(sql`select oversight.forget_subject(${subjectTag})`);
}
