-- identity: which versions of the keys that rotate are in use. The newest of a name writes, those
-- without retired_at are read. created_xid tells when no transaction from before a version is left.
create table identity.key_versions (
  name text not null check (name in ('kek', 'index-registry')),
  version smallint not null check (version > 0),
  created_at timestamptz not null,
  created_xid xid8 not null,
  retired_at timestamptz,
  primary key (name, version)
);
insert into identity.key_versions (name, version, created_at, created_xid)
values ('kek', 1, platform.now(), pg_current_xact_id()),
  ('index-registry', 1, platform.now(), pg_current_xact_id());
grant select, insert, update (retired_at) on identity.key_versions to :"app";

-- How the rotation finds what is left to do.
create index data_keys_version on identity.data_keys (kek_version);
create index people_index_version on identity.people (index_version);
