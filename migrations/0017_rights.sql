-- Rights in the data model: organisations in a tree, roles granted by two operators for a time and a
-- reach, roles that exclude each other, and decisions that need another account than the asker's.

-- 1. City, district, street, community. A parent is always of a higher level, so there is no circle and
-- no more than four on the way up.
alter table identity.organisations
  add column level text not null default 'city',
  add column parent_id text,
  add column parent_level text,
  add constraint organisations_level
    check (level in ('city', 'district', 'street', 'community')),
  add constraint organisations_by_level unique (id, level),
  add constraint organisations_parent foreign key (parent_id, parent_level)
    references identity.organisations (id, level),
  add constraint organisations_tree check (
    (parent_id is null) = (level = 'city') and (parent_id is null) = (parent_level is null)
    and coalesce(array_position(array['city', 'district', 'street', 'community'], parent_level), 0)
      < array_position(array['city', 'district', 'street', 'community'], level));
create index organisations_below on identity.organisations (parent_id) where parent_id is not null;

create function identity.is_within(organisation text, above text) returns boolean
  language sql stable parallel safe as $$
  with recursive up as (
    select id, parent_id, 1 as steps from identity.organisations where id = organisation
    union all
    select o.id, o.parent_id, up.steps + 1
      from up join identity.organisations o on o.id = up.parent_id where up.steps < 4)
  select exists (select from up where id = above)
$$;

-- 2. What an account is for, once and for all: an auditor and an operator have no other role, so no
-- account both watches and acts, and no operator has a role that opens personal data.
alter table identity.officers
  add column duty text not null default 'work' check (duty in ('work', 'audit', 'operate')),
  add column left_at timestamptz,
  add constraint officers_by_duty unique (id, duty);
update identity.officers o set duty = case g.role when 'auditor' then 'audit' else 'operate' end
  from identity.role_grants g where g.officer_id = o.id and g.role in ('auditor', 'operator');
revoke update on identity.officers from :"app";
grant update (username, organisation_id, left_at) on identity.officers to :"app";

-- 3. Who grants. Asked by one operator and decided by another, neither for herself.
create table identity.role_requests (
  id uuid primary key,
  act text not null check (act in ('grant', 'revoke')),
  officer_id uuid not null references identity.officers,
  role text not null check
    (role in ('desk', 'issuer', 'approver', 'provider', 'steward', 'auditor', 'operator')),
  reach text not null check (reach in ('own', 'below')),
  valid_from date not null,
  valid_to date check (valid_to >= valid_from),
  reason text not null,
  requested_by uuid not null,
  requested_at timestamptz not null,
  state text not null check (state in ('open', 'approved', 'refused')),
  decided_by uuid,
  decided_at timestamptz,
  of_operators text not null generated always as ('operate') stored,
  constraint role_requests_by_operator foreign key (requested_by, of_operators)
    references identity.officers (id, duty),
  constraint role_requests_decided_by_operator foreign key (decided_by, of_operators)
    references identity.officers (id, duty),
  constraint role_requests_four_eyes check (decided_by <> requested_by),
  constraint role_requests_not_for_oneself
    check (officer_id <> requested_by and officer_id is distinct from decided_by),
  check ((state = 'open') = (decided_by is null) and (state = 'open') = (decided_at is null))
);
create unique index role_requests_one_open on identity.role_requests (officer_id, role)
  where state = 'open';
create index role_requests_open on identity.role_requests (requested_at) where state = 'open';
create index role_requests_officer on identity.role_requests (officer_id, requested_at);
grant select, insert, update (state, decided_by, decided_at) on identity.role_requests to :"app";
create function identity.refuse_change() returns trigger language plpgsql as $$
begin
  raise exception 'A change of what was decided in identity.% is refused.', tg_table_name
    using errcode = 'restrict_violation';
end $$;
create trigger decided_is_final before update on identity.role_requests
  for each row when (old.state <> 'open') execute function identity.refuse_change();

-- 4. Grants. `below`: also for the organisations under the officer's own. The duty follows from the
-- role, and must be the account's.
alter table identity.role_grants
  add column reach text not null default 'own' check (reach in ('own', 'below')),
  add column valid_from date not null default '-infinity',
  add column valid_to date check (valid_to >= valid_from),
  add column request_id uuid unique references identity.role_requests,
  add column duty text not null generated always as (
    case role when 'auditor' then 'audit' when 'operator' then 'operate' else 'work' end) stored,
  add constraint role_grants_one_duty foreign key (officer_id, duty)
    references identity.officers (id, duty);

-- Once a city is set up, a role is granted by an approved request and by nothing else.
create table identity.set_up (
  id smallint primary key check (id = 1),
  at timestamptz not null
);
grant select, insert on identity.set_up to :"app";
create function identity.check_grant() returns trigger language plpgsql as $$
begin
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
create trigger granted_by_two before insert on identity.role_grants
  for each row execute function identity.check_grant();

-- 5. For which organisation an officer sits there in this session: her own unless she chose one below.
create table identity.session_posts (
  session_id uuid primary key references identity.sessions on delete cascade,
  organisation_id text not null references identity.organisations
);
grant select, insert, update, delete on identity.session_posts to :"app";

-- The organisation and the roles of an officer's session on a day. One below counts only while it is
-- below, and with the roles that reach there.
create function identity.standing(session uuid, officer uuid, today date)
  returns table (organisation_id text, roles text[]) language sql stable parallel safe as $$
  select post.organisation_id, array(
      select g.role from identity.role_grants g
      where g.officer_id = officer and g.valid_from <= today
        and (g.valid_to is null or g.valid_to >= today)
        and (post.organisation_id = o.organisation_id or (g.reach = 'below'
          and identity.is_within(post.organisation_id, o.organisation_id)))
      order by g.role)
  from identity.officers o, lateral (
    select coalesce((select p.organisation_id from identity.session_posts p
      where p.session_id = session), o.organisation_id) as organisation_id) as post
  where o.id = officer
$$;

-- 6. Who leaves is out at once, whatever still runs.
create function identity.end_sessions() returns trigger language plpgsql as $$
begin
  delete from identity.sessions where officer_id = new.id;
  return new;
end $$;
create trigger leaving_ends_sessions after update of left_at on identity.officers
  for each row when (new.left_at is not null) execute function identity.end_sessions();
create function identity.refuse_left() returns trigger language plpgsql as $$
begin
  -- Locked, so that one who leaves in the same moment leaves no session behind.
  if exists (select from identity.officers where id = new.officer_id and left_at is not null
    for share) then
    raise exception 'This officer has left.' using errcode = 'restrict_violation';
  end if;
  return new;
end $$;
create trigger none_for_who_left before insert on identity.sessions
  for each row when (new.officer_id is not null) execute function identity.refuse_left();

-- 7. Agreements: whoever proposed one does not approve it, its provider does, and where it takes four
-- eyes a second account too. One without a proposer was put in force by the operator's loader.
alter table exchange.agreements
  add column four_eyes boolean not null default false,
  add column proposed_by text,
  add column approved_by text,
  add column approved_for text,
  add column seconded_by text,
  add constraint agreements_provider_approves check (approved_for = provider_id),
  add constraint agreements_approver_named check ((approved_by is null) = (approved_for is null)),
  add constraint agreements_two_accounts check (approved_by <> proposed_by),
  add constraint agreements_four_eyes
    check (seconded_by <> approved_by and seconded_by <> proposed_by),
  add constraint agreements_approved check (
    proposed_by is null or state not in ('active', 'suspended')
    or (approved_by is not null and (not four_eyes or seconded_by is not null)));
grant update (approved_by, approved_for, seconded_by) on exchange.agreements to :"app";

-- 8. Questions at a desk: who asked does not answer.
alter table exchange.questions
  add column asked_by text,
  add constraint questions_two_accounts check (claimed_by <> asked_by);
