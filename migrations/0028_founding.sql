-- How an account without any way in gets its first one, and who decides about departments' systems.

-- One link per officer at a time, known by its digest alone; using it takes the row away.
create table identity.enrolments (
  officer_id uuid primary key references identity.officers,
  digest bytea not null unique check (octet_length(digest) = 32),
  expires_at timestamptz not null
);
create index enrolments_expiry on identity.enrolments (expires_at);
grant select, insert, update, delete on identity.enrolments to :"app";

-- Changes of clients are proposed and decided by accounts that operate, as requests for roles are.
alter table identity.client_changes
  add column of_operators text not null generated always as ('operate') stored,
  add constraint client_changes_by_operator foreign key (proposed_by, of_operators)
    references identity.officers (id, duty),
  add constraint client_changes_decided_by_operator foreign key (decided_by, of_operators)
    references identity.officers (id, duty);
