-- audit: what the log has signed about itself: a new key, the end of an old one, a new epoch after a restore.
-- Each is a note signed by the key before and the key after; the log's leaf of the same moment holds its digest.
create table audit.statements (
  number int primary key check (number > 0),
  note text not null,
  signed_at timestamptz(3) not null
);
grant select on audit.statements to :"app", :"log";
grant insert on audit.statements to :"log";

create trigger only_grows before update or delete on audit.statements
  for each row execute function audit.refuse_change();
create trigger only_grows_whole before truncate on audit.statements
  for each statement execute function audit.refuse_change();

-- A statement and its leaf are written in one transaction, by the role that signs.
grant insert on audit.stage to :"log";
