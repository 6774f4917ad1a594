-- Vigilance: what the rules see of looks, the rules, the alarms they raise, and replays of them
-- (docs/adr/0020-vigilance.md). Everything here but rules is behind the wall of the whole log
-- (platform.reads_log()): the watch's job, and whoever was found to be an auditor.

-- How far the watch has come: looks are taken in up to `taken`, and judged up to `judged`. Both move by
-- compare-and-set in the transaction that writes what the step led to.
create table oversight.vigilance (
  id smallint primary key check (id = 1),
  taken bigint not null default 0,
  judged bigint not null default 0,
  check (judged between 0 and taken)
);
insert into oversight.vigilance (id) values (1);
grant select, update (taken, judged) on oversight.vigilance to :"app";

-- What windows are counted over: one narrow row per look, kept a little longer than the longest window.
-- actor_tag: a keyed digest that joins an officer's looks across people. subject_tag: the log's.
-- stem_mark, purpose_mark: keyed digests of a number's first digits and of a purpose's text.
-- n_…: running counts of the actor's looks, so that a window is the difference of two rows.
create table oversight.looks (
  idx bigint primary key,
  at timestamptz(3) not null,
  day date not null,
  department text not null,
  actor_tag bytea not null check (octet_length(actor_tag) = 32),
  is_officer boolean not null,
  subject_tag bytea,
  purpose_mark bytea,
  stem_mark bytea,
  is_caseless boolean not null,
  is_off_hours boolean not null,
  is_new boolean not null,
  n_looks bigint not null,
  n_caseless bigint not null,
  n_off_hours bigint not null,
  n_people bigint not null,
  n_today integer not null
);
create index looks_actor on oversight.looks (actor_tag, at, idx);
create unique index looks_count on oversight.looks (actor_tag, n_looks);
create index looks_subject on oversight.looks (subject_tag, at, idx) where subject_tag is not null;
create index looks_stem on oversight.looks (actor_tag, stem_mark, at)
  where is_officer and stem_mark is not null;
create index looks_purpose on oversight.looks (actor_tag, purpose_mark, at)
  where is_officer and purpose_mark is not null;
create index looks_at on oversight.looks (at);
alter table oversight.looks alter column subject_tag set statistics 0, alter column stem_mark set statistics 0;

-- What of the past outlives the windows: how busy an actor's days were, which department has looked at
-- whom, whose a case is, who has used which purpose text.
create table oversight.actor_days (
  actor_tag bytea not null,
  day date not null,
  department text not null,
  is_officer boolean not null,
  looks integer not null,
  -- Before this day, fixed when the day's first look came.
  active_days integer not null,
  median30 double precision not null,
  peer_p99 double precision not null,
  primary key (actor_tag, day)
);
create index actor_days_department on oversight.actor_days (department, day) where is_officer;
create table oversight.pairs (
  subject_tag bytea not null,
  department text not null,
  primary key (subject_tag, department)
);
alter table oversight.pairs alter column subject_tag set statistics 0;
create table oversight.case_people (
  case_tag bytea not null,
  department text not null,
  subject_tag bytea not null,
  primary key (case_tag, department, subject_tag)
);
create index case_people_subject on oversight.case_people (subject_tag);
alter table oversight.case_people alter column subject_tag set statistics 0;
create table oversight.purposes (
  purpose_mark bytea not null,
  department text not null,
  actor_tag bytea not null,
  primary key (purpose_mark, department, actor_tag)
);

-- What a rule was shown of a look, as it was shown: replays judge the same, whatever has happened since.
create table oversight.look_views (
  idx bigint primary key,
  at timestamptz(3) not null,
  day date not null,
  department text not null,
  actor_tag bytea not null,
  subject_tag bytea,
  view jsonb not null
) partition by range (idx);
create index on oversight.look_views (at, idx);
create index on oversight.look_views (subject_tag) where subject_tag is not null;
create function oversight.ensure_partitions(at_index bigint) returns void
  language plpgsql security definer set search_path = pg_catalog as $$
declare
  span constant bigint := 4194304;
  part text;
begin
  for k in at_index / span .. at_index / span + 1 loop
    part := format('look_views_%s', k);
    continue when to_regclass('oversight.' || part) is not null;
    execute format('create table oversight.%I (like oversight.look_views including all)', part);
    execute format('alter table oversight.%I alter column subject_tag set statistics 0', part);
    execute format('alter table oversight.look_views attach partition oversight.%I
      for values from (%s) to (%s)', part, k * span, (k + 1) * span);
  end loop;
end $$;
revoke execute on function oversight.ensure_partitions(bigint) from public;
grant execute on function oversight.ensure_partitions(bigint) to :"app";
select oversight.ensure_partitions(0);

-- People on the watch list, and officers' own persons: blind, never a name or a number.
create table oversight.marks (
  id uuid primary key,
  kind text not null check (kind in ('listed', 'officer')),
  subject_tag bytea not null check (octet_length(subject_tag) = 32),
  -- Of an officer: her tag as an actor, and digests of her family name and her household.
  actor_tag bytea check (octet_length(actor_tag) = 32),
  surname_mark bytea,
  household_mark bytea,
  reason_sealed bytea not null,
  added_by text not null,
  added_at timestamptz not null,
  removed_by text,
  removed_at timestamptz,
  check ((kind = 'officer') = (actor_tag is not null)),
  check ((removed_by is null) = (removed_at is null))
);
create unique index marks_listed on oversight.marks (subject_tag)
  where kind = 'listed' and removed_at is null;
create unique index marks_officer on oversight.marks (actor_tag)
  where kind = 'officer' and removed_at is null;
alter table oversight.marks alter column subject_tag set statistics 0;

-- Rules, each version for ever. Two auditors publish one: who operates is watched by these rules too,
-- and has no say in them. Version 1 of a rule may come with the house.
create table oversight.rules (
  id text not null check (id ~ '^[a-z][a-z0-9-]{1,39}$'),
  version integer not null check (version >= 1),
  definition jsonb not null,
  hash text not null check (hash ~ '^[A-Za-z0-9_-]{43}$'),
  origin text not null check (origin in ('shipped', 'proposed')),
  state text not null check (state in ('proposed', 'active', 'refused', 'replaced')),
  proposed_by uuid,
  proposed_at timestamptz not null,
  decided_by uuid,
  decided_at timestamptz,
  of_auditors text not null generated always as ('audit') stored,
  primary key (id, version),
  constraint rules_proposed_by_auditor foreign key (proposed_by, of_auditors)
    references identity.officers (id, duty),
  constraint rules_decided_by_auditor foreign key (decided_by, of_auditors)
    references identity.officers (id, duty),
  constraint rules_four_eyes check (decided_by <> proposed_by),
  constraint rules_shipped check (case origin
    when 'shipped' then version = 1 and proposed_by is null and decided_by is null
      and state in ('active', 'replaced')
    else proposed_by is not null and (state = 'proposed') = (decided_by is null) end),
  check ((decided_by is null) = (decided_at is null))
);
create unique index rules_one_active on oversight.rules (id) where state = 'active';
create unique index rules_one_proposed on oversight.rules (id) where state = 'proposed';
grant select, insert, update (state, decided_by, decided_at) on oversight.rules to :"app";
create function oversight.refuse_ended() returns trigger language plpgsql as $$
begin
  raise exception 'A change of what has ended in oversight.% is refused.', tg_table_name
    using errcode = 'restrict_violation';
end $$;
create trigger decided_is_final before update on oversight.rules
  for each row when (old.state in ('refused', 'replaced')) execute function oversight.refuse_ended();

-- Looks that a rule could not judge: it took too long, or failed. An operator's matter.
create table oversight.rule_faults (
  id uuid primary key,
  rule_id text not null,
  rule_version integer not null,
  from_idx bigint not null,
  to_idx bigint not null,
  reason text not null,
  at timestamptz not null
);
create index rule_faults_at on oversight.rule_faults (at);
grant select, insert on oversight.rule_faults to :"app";

-- Alarms. One per rule version, group (an actor, a subject, a look, an event) and day of the city.
create table oversight.alerts (
  id uuid primary key,
  rule_id text not null,
  rule_version integer not null,
  severity text not null check (severity in ('low', 'medium', 'high')),
  group_key bytea not null,
  day date not null,
  -- The look that raised it, and those it was raised over; empty for what other rooms tell of.
  look_idx bigint,
  evidence bigint[] not null,
  -- Looks of the same group and day that the rule holds of too, found afterwards.
  later bigint[] not null default '{}',
  department text,
  actor_tag bytea,
  raised_at timestamptz not null,
  deadline timestamptz not null,
  -- The alarm's own entry in the log.
  stage_id uuid not null,
  state text not null default 'new' check (state in ('new', 'noted', 'closed')),
  noted_by text,
  noted_at timestamptz,
  note_sealed bytea,
  closed_by text,
  closed_at timestamptz,
  finding text check (finding in ('justified', 'unjustified', 'false_alarm')),
  closing_sealed bytea,
  constraint alerts_once unique (rule_id, rule_version, group_key, day),
  check ((noted_by is null) = (noted_at is null)),
  check ((state = 'closed') = (finding is not null)),
  check ((closed_by is null) = (finding is null)),
  check ((closed_by is null) = (closed_at is null)),
  check (state <> 'noted' or noted_by is not null)
);
create index alerts_open on oversight.alerts (id) where state <> 'closed';
create index alerts_rule on oversight.alerts (rule_id, day);
create trigger closed_is_final before update on oversight.alerts
  for each row when (old.state = 'closed' and
    (to_jsonb(new) - 'later' - 'group_key') is distinct from
    (to_jsonb(old) - 'later' - 'group_key'))
  execute function oversight.refuse_ended();

-- A rule over history: a job that goes on where it was cut off.
create table oversight.replays (
  id uuid primary key,
  rule_id text not null,
  -- Null: a draft that isn't published.
  rule_version integer,
  definition jsonb not null,
  -- An alarm is raised once a day of the city: a replay begins with the day, and tells from from_at on.
  day_start timestamptz not null,
  from_at timestamptz not null,
  to_at timestamptz not null,
  asked_by text not null,
  asked_at timestamptz not null,
  state text not null check (state in ('queued', 'running', 'done', 'failed')),
  total bigint not null,
  done bigint not null default 0,
  -- Entries from here on are still to be judged, up to `until`.
  position bigint not null,
  until bigint not null check (position <= until),
  fault text,
  ended_at timestamptz,
  check ((state in ('done', 'failed')) = (ended_at is not null)),
  check ((state = 'failed') = (fault is not null))
);
create index replays_open on oversight.replays (asked_at) where state in ('queued', 'running');
create table oversight.replay_alarms (
  replay_id uuid not null references oversight.replays,
  group_key bytea not null,
  day date not null,
  look_idx bigint not null,
  looks integer not null,
  primary key (replay_id, group_key, day)
);

-- The wall.
grant select, insert, delete on oversight.looks to :"app";
grant select, insert, update (looks) on oversight.actor_days to :"app";
grant select, insert on oversight.pairs, oversight.case_people, oversight.purposes,
  oversight.look_views to :"app";
grant select, insert, update (removed_by, removed_at) on oversight.marks to :"app";
grant select, insert, update (later, state, noted_by, noted_at, note_sealed, closed_by, closed_at,
  finding, closing_sealed) on oversight.alerts to :"app";
grant select, insert, update (state, done, position, fault, ended_at)
  on oversight.replays to :"app";
grant select, insert, update (looks) on oversight.replay_alarms to :"app";
do $$
declare
  walled text;
begin
  foreach walled in array array['looks', 'actor_days', 'pairs', 'case_people', 'purposes',
    'look_views', 'marks', 'alerts', 'replays', 'replay_alarms'] loop
    execute format('alter table oversight.%I enable row level security', walled);
    execute format('create policy of_auditors on oversight.%I
      using ((select platform.reads_log()))', walled);
  end loop;
end $$;

-- Erasure: what finds or tells of a person here. Counts and findings stay; they name nobody.
create function oversight.forget_subject(tag bytea) returns void
  language plpgsql security definer set search_path = pg_catalog as $$
begin
  update oversight.looks set subject_tag = null, stem_mark = null, purpose_mark = null
    where subject_tag = tag;
  update oversight.look_views set subject_tag = null where subject_tag = tag;
  delete from oversight.pairs where subject_tag = tag;
  delete from oversight.case_people where subject_tag = tag;
  delete from oversight.marks where subject_tag = tag;
  update oversight.alerts set group_key = sha256(group_key) where group_key = tag;
  update oversight.replay_alarms set group_key = sha256(group_key) where group_key = tag;
end $$;
revoke execute on function oversight.forget_subject(bytea) from public;
grant execute on function oversight.forget_subject(bytea) to :"app";
