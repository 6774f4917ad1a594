-- signing: status lists (draft-ietf-oauth-status-list), revoked certificates and their lists.
create schema signing;
grant usage on schema signing to :"app";

-- One shard of 2^17 statuses. `shuffled` is a random permutation of all indexes, four bytes each:
-- position n of the sequence below takes index shuffled[n mod size] of list n / size. Stored
-- uncompressed and out of line, so that four bytes of it can be read alone.
create table signing.status_lists (
  id int primary key check (id >= 0),
  uri text not null unique,
  size int not null check (size > 0),
  shuffled bytea not null check (length(shuffled) = size * 4),
  created_at timestamptz not null
);
alter table signing.status_lists alter column shuffled set storage external;
grant select, insert on signing.status_lists to :"app";

-- Positions are drawn outside any transaction's fate: no lock, and none is ever drawn twice.
create sequence signing.status_positions as bigint minvalue 0 start 0;
grant usage on sequence signing.status_positions to :"app";

-- What was ever set; an index without a row is 0 (valid). changed_xid tells a reader with an older
-- snapshot which rows it may not have seen, whatever the order in which transactions committed.
create table signing.statuses (
  list_id int not null references signing.status_lists,
  idx int not null check (idx >= 0),
  status smallint not null check (status between 0 and 3),
  changed_xid xid8 not null,
  primary key (list_id, idx)
);
create index statuses_changed on signing.statuses (list_id, changed_xid);
grant select, insert, update on signing.statuses to :"app";

create table signing.revoked_certificates (
  serial text primary key check (serial ~ '^[0-9A-F]{2,40}$'),
  reason smallint not null,
  revoked_at timestamptz not null
);
grant select, insert on signing.revoked_certificates to :"app";

create table signing.revocation_lists (
  number bigint primary key check (number > 0),
  entries int not null,
  this_update timestamptz not null,
  next_update timestamptz not null,
  der bytea not null
);
grant select, insert on signing.revocation_lists to :"app";
