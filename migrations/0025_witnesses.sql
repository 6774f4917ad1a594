-- audit: what outside witnesses signed. A checkpoint is shown with the lines of those who signed it;
-- it counts as witnessed when the policy's quorum did.
create table audit.cosignatures (
  size bigint not null references audit.checkpoints,
  name text not null,
  line text not null,
  signed_at timestamptz(0) not null,
  primary key (size, name)
);
grant select on audit.cosignatures to :"app", :"log";
grant insert on audit.cosignatures to :"log";

create table audit.witnessed (
  size bigint primary key references audit.checkpoints,
  at timestamptz(3) not null
);
grant select on audit.witnessed to :"app", :"log";
grant insert on audit.witnessed to :"log";

create trigger only_grows before update or delete on audit.cosignatures
  for each row execute function audit.refuse_change();
create trigger only_grows_whole before truncate on audit.cosignatures
  for each statement execute function audit.refuse_change();
create trigger only_grows before update or delete on audit.witnessed
  for each row execute function audit.refuse_change();
create trigger only_grows_whole before truncate on audit.witnessed
  for each statement execute function audit.refuse_change();
