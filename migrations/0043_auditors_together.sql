-- oversight: what auditors do by two, and what they keep: unmaskings, exports, saved searches, runs of
-- the integrity check. Rows that may hold a person are sealed, and behind the wall of the log
-- (yihao.log, migration 0026): only who was found to be an auditor has them in sight.

-- One auditor asks who acted, another approves. Who it was is never stored: it is read out of the
-- entry again, for the two, until shown_until.
create table oversight.unmaskings (
  id uuid primary key,
  entry_index bigint not null check (entry_index >= 0),
  pseudonym text not null,
  -- The department that acted; it is told when the officer was unmasked.
  organisation_id text references identity.organisations,
  state text not null default 'requested' check (state in ('requested', 'approved', 'refused')),
  reason_sealed bytea not null,
  requested_by text not null,
  requested_at timestamptz not null,
  decided_by text,
  decided_at timestamptz,
  shown_until timestamptz,
  constraint unmaskings_four_eyes check (decided_by <> requested_by),
  check ((state = 'requested') = (decided_by is null)),
  check ((decided_by is null) = (decided_at is null)),
  check ((state = 'approved') = (shown_until is not null))
);
create unique index unmaskings_open on oversight.unmaskings (entry_index) where state = 'requested';
create index unmaskings_told on oversight.unmaskings (organisation_id, id) where state = 'approved';
grant select, insert, update (state, decided_by, decided_at, shown_until)
  on oversight.unmaskings to :"app";
alter table oversight.unmaskings enable row level security;
create policy of_auditors on oversight.unmaskings to :"app"
  using ((select platform.reads_log())) with check ((select platform.reads_log()));
create policy of_department on oversight.unmaskings for select to :"app" using (
  state = 'approved' and organisation_id = (select platform.acting_organisation()));

-- A decision is final.
create function oversight.refuse_change() returns trigger language plpgsql as $$
begin
  raise exception 'What was decided in oversight.% is not changed.', tg_table_name
    using errcode = 'restrict_violation';
end $$;
create trigger decided_once before update on oversight.unmaskings
  for each row when (old.state <> 'requested') execute function oversight.refuse_change();

-- A search under a name, to be run again; sealed under the data key of the person it looks for, if any.
create table oversight.saved_searches (
  id uuid primary key,
  owner text not null,
  organisation_id text not null references identity.organisations,
  is_shared boolean not null,
  person_id uuid references identity.people,
  search_sealed bytea not null,
  saved_at timestamptz not null,
  last_run_at timestamptz
);
create index saved_searches_of_house on oversight.saved_searches (organisation_id, id);
grant select, insert, delete, update (last_run_at) on oversight.saved_searches to :"app";
alter table oversight.saved_searches enable row level security;
create policy of_auditors on oversight.saved_searches to :"app"
  using ((select platform.reads_log())) with check ((select platform.reads_log()));

-- An export: asked for by one auditor, approved by another, written by a job in parts that lie sealed
-- until it runs out. `chain` is the digest over all lines so far, so that the job can go on anywhere.
create table oversight.exports (
  id uuid primary key,
  state text not null default 'requested'
    check (state in ('requested', 'refused', 'running', 'ready', 'failed', 'expired', 'withdrawn')),
  person_id uuid references identity.people,
  request_sealed bytea,
  requested_by text not null,
  organisation_id text not null references identity.organisations,
  requested_at timestamptz not null,
  decided_by text,
  decided_at timestamptz,
  checkpoint text,
  tree_size bigint,
  after_index bigint,
  total integer,
  done integer not null default 0,
  parts integer not null default 0,
  bytes bigint not null default 0,
  chain bytea check (length(chain) = 32),
  manifest_stage uuid,
  failure text,
  ready_at timestamptz,
  expires_at timestamptz,
  constraint exports_four_eyes check (decided_by <> requested_by),
  check ((state = 'requested') = (decided_by is null)),
  check ((decided_by is null) = (decided_at is null)),
  check (state <> 'ready' or (ready_at is not null and expires_at is not null)),
  check ((state = 'failed') = (failure is not null))
);
create index exports_at_work on oversight.exports (id) where state in ('running', 'ready');
grant select, insert, update (state, request_sealed, decided_by, decided_at, checkpoint, tree_size,
  after_index, total, done, parts, bytes, chain, manifest_stage, failure, ready_at, expires_at)
  on oversight.exports to :"app";
alter table oversight.exports enable row level security;
create policy of_auditors on oversight.exports to :"app"
  using ((select platform.reads_log())) with check ((select platform.reads_log()));

create table oversight.export_parts (
  export_id uuid not null references oversight.exports,
  n integer not null,
  sealed bytea not null,
  primary key (export_id, n)
);
-- Ciphertext does not compress.
alter table oversight.export_parts alter column sealed set storage external;
grant select, insert, delete on oversight.export_parts to :"app";
alter table oversight.export_parts enable row level security;
create policy of_auditors on oversight.export_parts to :"app"
  using ((select platform.reads_log())) with check ((select platform.reads_log()));

-- Whose entries are in a file, so that erasing a person takes the file too.
create table oversight.export_people (
  export_id uuid not null references oversight.exports,
  person_id uuid not null references identity.people,
  primary key (export_id, person_id)
);
create index export_people_person on oversight.export_people (person_id);
grant select, insert, delete on oversight.export_people to :"app";
alter table oversight.export_people enable row level security;
create policy of_auditors on oversight.export_people to :"app"
  using ((select platform.reads_log())) with check ((select platform.reads_log()));

-- A run of the integrity check over a range. Nothing personal: indexes and what is wrong with them.
create table oversight.integrity_runs (
  id uuid primary key,
  state text not null default 'running' check (state in ('running', 'done', 'cancelled')),
  requested_by text not null,
  requested_at timestamptz not null,
  from_index bigint not null check (from_index >= 0),
  to_index bigint not null check (to_index >= from_index),
  next_index bigint not null,
  checked bigint not null default 0,
  root text,
  faults jsonb not null default '[]',
  ended_at timestamptz,
  check ((state = 'running') = (ended_at is null))
);
create index integrity_runs_at_work on oversight.integrity_runs (id) where state = 'running';
grant select, insert, update (state, next_index, checked, root, faults, ended_at)
  on oversight.integrity_runs to :"app";
