-- audit: the log. Entries are staged in the caller's own transaction and put into the tree by the
-- sequencer, which alone connects as the log role. What is in the tree is never changed.
create schema audit;
grant usage on schema audit to :"app", :"log";

-- Entries on their way into the tree, in the order their acts wrote them. The app role may add and
-- count them, no more.
create table audit.stage (
  seq bigint generated always as identity primary key,
  id uuid not null,
  leaf bytea not null check (octet_length(leaf) between 1 and 65535),
  at timestamptz(3) not null,
  type text not null,
  outcome text not null check (outcome in ('ok', 'refused', 'failed')),
  department text,
  actor text not null,
  service text,
  subject_tag bytea check (octet_length(subject_tag) = 32),
  case_tag bytea check (octet_length(case_tag) = 32),
  sealed bytea,
  disclose_at timestamptz(3)
) with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000);
grant insert on audit.stage to :"app";
grant select (seq) on audit.stage to :"app";
grant select, delete on audit.stage to :"log";

-- The one row that says how far the tree goes and which leader may extend it.
create table audit.head (
  id smallint primary key check (id = 1),
  size bigint not null,
  root bytea not null check (octet_length(root) = 32),
  epoch bigint not null
);
insert into audit.head values
  (1, 0, '\xe3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855', 0);
grant select on audit.head to :"app", :"log";
grant update (size, root, epoch) on audit.head to :"log";

-- The leaves, exactly the bytes that were hashed.
create table audit.entries (
  idx bigint primary key,
  leaf bytea not null,
  leaf_hash bytea not null
) partition by range (idx);
grant select on audit.entries to :"app", :"log";
grant insert on audit.entries to :"log";

-- Which index a staged entry got. Narrow and whole, because the entries are partitioned by index.
create table audit.stage_indexes (
  stage_id uuid primary key,
  idx bigint not null
);
grant select on audit.stage_indexes to :"app", :"log";
grant insert on audit.stage_indexes to :"log";

-- How entries are found, and their sealed detail. Rows may be deleted (erasure): no hash covers them.
create table audit.lookups (
  idx bigint primary key,
  at timestamptz(3) not null,
  type text not null,
  outcome text not null,
  department text,
  actor text not null,
  service text,
  subject_tag bytea,
  case_tag bytea,
  sealed bytea,
  disclose_at timestamptz(3)
) partition by range (idx);
create index on audit.lookups (subject_tag, at, idx) where subject_tag is not null;
create index on audit.lookups (case_tag, at, idx) where case_tag is not null;
create index on audit.lookups (department, at, idx) where department is not null;
create index on audit.lookups (actor, at, idx);
create index on audit.lookups (service, at, idx) where service is not null;
create index on audit.lookups (at, idx);
grant select on audit.lookups to :"app", :"log";
grant insert on audit.lookups to :"log";

-- Full tiles of 256 hashes. A part of one is read from the leaf hashes or from the roots below it,
-- so that no tile is ever rewritten.
create table audit.tiles (
  level smallint not null check (level between 0 and 6),
  n bigint not null,
  hashes bytea not null check (octet_length(hashes) = 8192),
  root bytea not null check (octet_length(root) = 32),
  primary key (level, n)
);
-- Hashes don't compress.
alter table audit.tiles alter column hashes set storage external;
grant select on audit.tiles to :"app", :"log";
grant insert on audit.tiles to :"log";

-- Signed heads. A row is written before the note leaves the house; published_at says that it may.
create table audit.checkpoints (
  size bigint primary key,
  root bytea not null check (octet_length(root) = 32),
  note text not null,
  signed_at timestamptz(3) not null,
  published_at timestamptz(3)
);
create index on audit.checkpoints (size) where published_at is not null;
grant select on audit.checkpoints to :"app", :"log";
grant insert, update (published_at) on audit.checkpoints to :"log";

-- Refused for every role, the owner too, unless she disables the trigger by hand.
create function audit.refuse_change() returns trigger language plpgsql as $$
begin
  raise exception 'The log only grows: % on %.% is refused.', tg_op, tg_table_schema, tg_table_name
    using errcode = 'restrict_violation';
end $$;

create trigger only_grows before update or delete on audit.entries
  for each row execute function audit.refuse_change();
create trigger only_grows_whole before truncate on audit.entries
  for each statement execute function audit.refuse_change();
create trigger only_grows before update or delete on audit.stage_indexes
  for each row execute function audit.refuse_change();
create trigger only_grows_whole before truncate on audit.stage_indexes
  for each statement execute function audit.refuse_change();
create trigger only_grows before update or delete on audit.tiles
  for each row execute function audit.refuse_change();
create trigger only_grows_whole before truncate on audit.tiles
  for each statement execute function audit.refuse_change();
create trigger only_grows before delete on audit.checkpoints
  for each row execute function audit.refuse_change();
create trigger only_publishes before update on audit.checkpoints
  for each row
  when (old.published_at is not null
    or (old.size, old.root, old.note, old.signed_at)
      is distinct from (new.size, new.root, new.note, new.signed_at))
  execute function audit.refuse_change();
create trigger only_grows_whole before truncate on audit.checkpoints
  for each statement execute function audit.refuse_change();
create trigger only_grows before delete on audit.head
  for each row execute function audit.refuse_change();
create trigger never_back before update on audit.head
  for each row when (new.size < old.size or new.epoch < old.epoch)
  execute function audit.refuse_change();
create trigger only_grows_whole before truncate on audit.head
  for each statement execute function audit.refuse_change();

-- Makes the partitions that hold the index at_size and the 4,194,304 entries after its own.
-- The runtime's roles can't define tables, so it runs as the owner. Attaching, unlike creating in
-- place, doesn't wait for readers.
create function audit.ensure_partitions(at_size bigint) returns void
  language plpgsql security definer set search_path = pg_catalog as $$
declare
  span constant bigint := 4194304;
  parent text;
  part text;
begin
  for k in at_size / span .. at_size / span + 1 loop
    foreach parent in array array['entries', 'lookups'] loop
      part := format('%s_%s', parent, k);
      continue when to_regclass('audit.' || part) is not null;
      execute format('create table audit.%I (like audit.%I including all)', part, parent);
      execute format('alter table audit.%I attach partition audit.%I for values from (%s) to (%s)',
        parent, part, k * span, (k + 1) * span);
      if parent = 'entries' then
        execute format('create trigger only_grows_whole before truncate on audit.%I
          for each statement execute function audit.refuse_change()', part);
      end if;
    end loop;
  end loop;
end $$;
revoke execute on function audit.ensure_partitions(bigint) from public;
grant execute on function audit.ensure_partitions(bigint) to :"log";
select audit.ensure_partitions(0);
