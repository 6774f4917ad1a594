-- Ways back in, each by two accounts and with a trace: for an officer whose passkey is lost, and for a
-- house whose operators can no longer decide anything.

-- 1. All passkeys of an officer, ended by two operators, neither for herself.
create table identity.passkey_resets (
  id uuid primary key,
  officer_id uuid not null references identity.officers,
  reason text not null check (length(reason) between 1 and 500),
  requested_by uuid not null,
  requested_at timestamptz not null,
  state text not null default 'open' check (state in ('open', 'approved', 'refused')),
  decided_by uuid,
  decided_at timestamptz,
  of_operators text not null generated always as ('operate') stored,
  constraint passkey_resets_by_operator foreign key (requested_by, of_operators)
    references identity.officers (id, duty),
  constraint passkey_resets_decided_by_operator foreign key (decided_by, of_operators)
    references identity.officers (id, duty),
  constraint passkey_resets_four_eyes check (decided_by <> requested_by),
  constraint passkey_resets_not_for_oneself
    check (officer_id <> requested_by and officer_id is distinct from decided_by),
  check ((state = 'open') = (decided_by is null) and (state = 'open') = (decided_at is null))
);
create unique index passkey_resets_one_open on identity.passkey_resets (officer_id)
  where state = 'open';
create index passkey_resets_open on identity.passkey_resets (id) where state = 'open';
grant select, insert, update (state, decided_by, decided_at) on identity.passkey_resets to :"app";
create trigger decided_is_final before update on identity.passkey_resets
  for each row when (old.state <> 'open') execute function identity.refuse_change();

-- 2. Two operators named on the house's own machine, only while fewer than two could decide. `day`: today
-- in the city, which may be another one than the database's.
create table identity.operator_recoveries (
  id uuid primary key,
  first_id uuid not null,
  second_id uuid not null,
  reason text not null check (length(reason) between 1 and 500),
  day date not null,
  at timestamptz not null,
  of_operators text not null generated always as ('operate') stored,
  constraint operator_recoveries_two check (first_id <> second_id),
  foreign key (first_id, of_operators) references identity.officers (id, duty),
  foreign key (second_id, of_operators) references identity.officers (id, duty)
);
grant select, insert on identity.operator_recoveries to :"app";
create function identity.check_recovery() returns trigger language plpgsql as $$
begin
  if new.day not between (platform.now() - interval '1 day')::date
      and (platform.now() + interval '1 day')::date
    or (select count(*) from identity.role_grants g join identity.officers o on o.id = g.officer_id
      where g.role = 'operator' and o.left_at is null and g.valid_from <= new.day
        and (g.valid_to is null or g.valid_to >= new.day)) >= 2 then
    raise exception 'Operators are named anew only while fewer than two could decide.'
      using errcode = 'restrict_violation';
  end if;
  return new;
end $$;
create trigger only_in_need before insert on identity.operator_recoveries
  for each row execute function identity.check_recovery();

alter table identity.role_grants
  add column recovery_id uuid references identity.operator_recoveries;
create or replace function identity.check_grant() returns trigger language plpgsql as $$
begin
  if new.recovery_id is not null then
    if new.role = 'operator' and new.request_id is null and exists (
      select from identity.operator_recoveries r
      where r.id = new.recovery_id and new.officer_id in (r.first_id, r.second_id)
        and r.day = new.valid_from and new.valid_to is null)
    then return new; end if;
    raise exception 'Operators named anew are the two of their record.'
      using errcode = 'restrict_violation';
  end if;
  if new.request_id is null and (not exists (select from identity.set_up)
    -- A loader that runs again changes nothing.
    or exists (select from identity.role_grants g where (g.officer_id, g.role) =
      (new.officer_id, new.role))) then return new; end if;
  if exists (select from identity.role_requests r
    where r.id = new.request_id and r.act = 'grant' and r.state = 'approved'
      and (r.officer_id, r.role, r.reach, r.valid_from) =
        (new.officer_id, new.role, new.reach, new.valid_from)
      and r.valid_to is not distinct from new.valid_to) then return new; end if;
  raise exception 'A role is granted by a request that another operator approved.'
    using errcode = 'restrict_violation';
end $$;
