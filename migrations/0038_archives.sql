-- audit: old entries leave the database as archive files, whole partitions at a time; their hashes stay in
-- the tiles. The owner alone writes here and drops partitions; what runs day by day can't.
create table audit.archives (
  first bigint primary key check (first >= 0 and first % 256 = 0),
  after bigint not null unique check (after > first and after % 256 = 0),
  root bytea not null check (octet_length(root) = 32),
  checkpoint_size bigint not null references audit.checkpoints,
  file text not null check (file ~ '^[a-z0-9.-]+$'),
  sha256 bytea not null check (octet_length(sha256) = 32),
  bytes bigint not null,
  newest_at timestamptz(3) not null,
  exported_at timestamptz(3) not null,
  dropped_at timestamptz(3)
);
grant select on audit.archives to :"app", :"log";

create trigger only_grows before delete on audit.archives
  for each row execute function audit.refuse_change();
-- Until its partition is dropped, a file that was lost may be made anew.
create trigger only_grows_on before update on audit.archives
  for each row when (old.dropped_at is not null or
    (new.first, new.after, new.root) is distinct from (old.first, old.after, old.root))
  execute function audit.refuse_change();
create trigger only_grows_whole before truncate on audit.archives
  for each statement execute function audit.refuse_change();
