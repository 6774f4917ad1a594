-- audit: the map from each subject to her entries (docs/adr/0021). The log's role writes it, in the same
-- transaction as the entry that holds its root; the app role reads it.

-- The one row that says how far the map goes. Whoever extends it locks it first.
create table audit.map_state (
  id smallint primary key check (id = 1),
  edition bigint not null,
  -- Entries of the log it takes in, as far as they were to be disclosed by `due`.
  size bigint not null,
  due timestamptz(3) not null,
  -- The key that labels subjects; null until the first edition.
  key bytea check (octet_length(key) = 32),
  -- Nothing older than this edition is kept beside what it replaced.
  pruned bigint not null
);
insert into audit.map_state values (1, 0, 0, '-infinity', null, 0);
grant select on audit.map_state to :"app", :"log";
grant update (edition, size, due, key, pruned) on audit.map_state to :"log";

-- Each state of the map that was published, with the entry that says so.
create table audit.map_editions (
  edition bigint primary key,
  stage_id uuid not null,
  size bigint not null,
  due timestamptz(3) not null,
  root bytea not null check (octet_length(root) = 32),
  made_at timestamptz(3) not null
);
grant select on audit.map_editions to :"app", :"log";
grant insert on audit.map_editions to :"log";

-- What the same entry commits to beside: the map of what isn't disclosed yet.
create table audit.map_pending (
  edition bigint primary key references audit.map_editions,
  root bytea not null check (octet_length(root) = 32),
  salt bytea not null check (octet_length(salt) = 32)
);
grant select on audit.map_pending to :"app", :"log";
grant insert on audit.map_pending to :"log";

-- A subject: where she stands in the map, and what is needed to extend her list.
create table audit.map_subjects (
  subject_tag bytea primary key check (octet_length(subject_tag) = 32),
  label bytea not null unique check (octet_length(label) = 32),
  salt bytea not null check (octet_length(salt) = 32),
  -- Items disclosed, and the roots of the perfect subtrees over their full blocks, largest first.
  count bigint not null,
  frontier bytea not null
);
-- Her list by blocks of 256 indexes; only the last one grows.
create table audit.map_blocks (
  subject_tag bytea not null references audit.map_subjects on delete cascade,
  block bigint not null,
  items bytea not null,
  primary key (subject_tag, block)
);
-- How long it was in an edition.
create table audit.map_counts (
  subject_tag bytea not null references audit.map_subjects on delete cascade,
  edition bigint not null,
  count bigint not null,
  primary key (subject_tag, edition)
);
create index on audit.map_counts (edition);
grant select on audit.map_subjects, audit.map_blocks, audit.map_counts to :"app";
grant select, insert, update, delete on audit.map_subjects, audit.map_blocks to :"log";
grant select, insert, delete on audit.map_counts to :"log";
-- The planner would keep samples of tags elsewhere.
alter table audit.map_subjects alter column subject_tag set statistics 0;
alter table audit.map_blocks alter column subject_tag set statistics 0;
alter table audit.map_counts alter column subject_tag set statistics 0;

-- Pages of the trie: map 0 of what is disclosed, map 1 of what isn't yet. A page is never changed: a later
-- edition puts another beside it, an empty one where it went away; the newest of an edition or before counts.
create table audit.map_pages (
  map smallint not null check (map in (0, 1)),
  path text collate "C" not null,
  edition bigint not null,
  children bytea not null,
  primary key (map, path, edition)
);
create index on audit.map_pages (edition);
-- Hashes don't compress.
alter table audit.map_pages alter column children set storage external;
grant select on audit.map_pages to :"app";
grant select, insert, delete on audit.map_pages to :"log";

-- Labels of erased subjects, to be taken out with the next edition.
create table audit.map_removals (
  label bytea primary key
);
grant select, delete on audit.map_removals to :"log";

-- The log's role says what it has published in the log itself.
grant insert on audit.stage to :"log";

create trigger only_grows before update or delete on audit.map_editions
  for each row execute function audit.refuse_change();
create trigger only_grows_whole before truncate on audit.map_editions
  for each statement execute function audit.refuse_change();
create trigger only_grows before update or delete on audit.map_pending
  for each row execute function audit.refuse_change();
create trigger only_grows_whole before truncate on audit.map_pending
  for each statement execute function audit.refuse_change();
create trigger never_back before update on audit.map_state
  for each row when (new.edition < old.edition or new.size < old.size or new.due < old.due)
  execute function audit.refuse_change();

-- What becomes due is found by its time.
create index on audit.lookups (disclose_at, idx) where disclose_at is not null;

-- The wall: a subject's own rows, or all for auditors (0026).
alter table audit.map_subjects enable row level security;
alter table audit.map_blocks enable row level security;
alter table audit.map_counts enable row level security;
alter table audit.map_pages enable row level security;
alter table audit.map_pending enable row level security;
create policy of_subject on audit.map_subjects for select to :"app" using (
  subject_tag = (select platform.acting_tag()) or (select platform.reads_log()));
create policy of_subject on audit.map_blocks for select to :"app" using (
  subject_tag = (select platform.acting_tag()) or (select platform.reads_log()));
create policy of_subject on audit.map_counts for select to :"app" using (
  subject_tag = (select platform.acting_tag()) or (select platform.reads_log()));
create policy disclosed on audit.map_pages for select to :"app" using (
  map = 0 or (select platform.reads_log()));
create policy of_auditors on audit.map_pending for select to :"app" using (
  (select platform.reads_log()));
create policy mapped on audit.map_subjects to :"log" using (true) with check (true);
create policy mapped on audit.map_blocks to :"log" using (true) with check (true);
create policy mapped on audit.map_counts to :"log" using (true) with check (true);
create policy mapped on audit.map_pages to :"log" using (true) with check (true);
create policy mapped on audit.map_pending to :"log" using (true) with check (true);

-- Erasure (0020): her list goes at once, her label with the next edition.
create or replace function audit.forget_subject(tag bytea, most integer) returns bigint
  language plpgsql security definer set search_path = pg_catalog as $$
declare
  forgotten bigint;
  mapped bigint;
  staged bigint;
begin
  update audit.lookups set subject_tag = null, case_tag = null, sealed = null
    where idx in (select idx from audit.lookups where subject_tag = tag limit most);
  get diagnostics forgotten = row_count;
  with gone as (
    delete from audit.map_subjects where subject_tag = tag returning label
  )
  insert into audit.map_removals (label) select label from gone on conflict do nothing;
  get diagnostics mapped = row_count;
  select count(*) into staged from audit.stage where subject_tag = tag;
  return forgotten + mapped + staged;
end $$;
