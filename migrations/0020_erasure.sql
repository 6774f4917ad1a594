-- Erasure of a person: what each room gives up of her, by functions that do nothing while her data
-- key stands, so that the app role needs no right to change what was signed or logged.

-- What is left of an erased person is a reference with nothing behind it. Her tag goes last, when the
-- log's look-up rows have lost theirs.
alter table identity.people
  alter column blind_index drop not null,
  alter column audit_tag drop not null,
  alter column value_sealed drop not null,
  add column erased_at timestamptz,
  add constraint people_erased check (case
    when erased_at is null then num_nonnulls(blind_index, audit_tag, value_sealed) = 3
    else num_nonnulls(blind_index, value_sealed, name_sealed) = 0 end);

-- The planner would keep samples of these columns elsewhere.
alter table identity.people
  alter column blind_index set statistics 0,
  alter column audit_tag set statistics 0,
  alter column value_sealed set statistics 0,
  alter column name_sealed set statistics 0;
alter table audit.stage alter column subject_tag set statistics 0;
alter table audit.lookups alter column subject_tag set statistics 0, alter column sealed set statistics 0;
create or replace function audit.ensure_partitions(at_size bigint) returns void
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
      if parent = 'lookups' then
        execute format('alter table audit.%I alter column subject_tag set statistics 0,
          alter column sealed set statistics 0', part);
      end if;
      execute format('alter table audit.%I attach partition audit.%I for values from (%s) to (%s)',
        parent, part, k * span, (k + 1) * span);
      if parent = 'entries' then
        execute format('create trigger only_grows_whole before truncate on audit.%I
          for each statement execute function audit.refuse_change()', part);
      end if;
    end loop;
  end loop;
end $$;

-- Everything of a person in identity but her tag. False when she was erased before.
create function identity.erase_person(person uuid) returns boolean
  language plpgsql security definer set search_path = pg_catalog as $$
begin
  update identity.people
    set blind_index = null, value_sealed = null, name_sealed = null, erased_at = platform.now()
    where id = person and erased_at is null;
  if not found then
    return false;
  end if;
  delete from identity.data_keys where person_id = person;
  delete from identity.local_secrets where account_kind = 'person' and account_id = person;
  delete from identity.acting_sessions where delegation_id in
    (select id from identity.delegations where person in (principal_id, agent_id));
  delete from identity.sessions where person_id = person;
  delete from identity.delegations where person in (principal_id, agent_id);
  return true;
end $$;

create function identity.is_erased(person uuid) returns boolean
  language sql stable security definer set search_path = pg_catalog as $$
  select exists (select from identity.people where id = person and erased_at is not null) $$;

-- Up to `most` entries lose the way to a person and their words. No hash covers either. Returns how
-- many there are to come: those found, or still in the stage.
create function audit.forget_subject(tag bytea, most integer) returns bigint
  language plpgsql security definer set search_path = pg_catalog as $$
declare
  forgotten bigint;
  staged bigint;
begin
  update audit.lookups set subject_tag = null, case_tag = null, sealed = null
    where idx in (select idx from audit.lookups where subject_tag = tag limit most);
  get diagnostics forgotten = row_count;
  select count(*) into staged from audit.stage where subject_tag = tag;
  return forgotten + staged;
end $$;

-- A holder's licences stay as numbers with a life; what they say, codes and credentials go.
create function registry.forget_holder(person uuid) returns void
  language plpgsql security definer set search_path = pg_catalog as $$
declare
  mine text[];
begin
  if not identity.is_erased(person) then
    raise exception 'Only an erased holder is forgotten.' using errcode = 'restrict_violation';
  end if;
  select coalesce(array_agg(number), '{}') into mine
    from registry.licence_keys where holder_id = person;
  delete from registry.credentials where number = any (mine);
  update registry.licences set body_sealed = '', code_sealed = ''
    where number = any (mine) and (body_sealed <> '' or code_sealed <> '');
  update registry.licence_events set reason_sealed = null
    where number = any (mine) and reason_sealed is not null;
  update registry.applications set input_sealed = '' where holder_id = person and input_sealed <> '';
  delete from registry.mentions where person_id = person or number = any (mine);
end $$;
create index applications_holder on registry.applications (holder_id);

-- Requests and answers about a subject lose what was sealed; what has ended stays ended.
create index on exchange.verifications (subject_id);
create or replace function exchange.refuse_change() returns trigger language plpgsql as $$
begin
  if tg_op = 'UPDATE' and tg_table_name like 'verifications%' then
    if new.request_sealed = '' and to_jsonb(new) - 'request_sealed' = to_jsonb(old) - 'request_sealed'
    then
      return new;
    end if;
  end if;
  raise exception 'A change of what has ended in exchange.% is refused.', tg_table_name
    using errcode = 'restrict_violation';
end $$;
create function exchange.forget_subject(person uuid) returns void
  language plpgsql security definer set search_path = pg_catalog as $$
begin
  if not identity.is_erased(person) then
    raise exception 'Only an erased subject is forgotten.' using errcode = 'restrict_violation';
  end if;
  update exchange.answers set content_sealed = null, erased_at = platform.now()
    where content_sealed is not null and verification_id in
      (select id from exchange.verifications where subject_id = person);
  update exchange.verifications set request_sealed = ''
    where subject_id = person and ended_at is not null and request_sealed <> '';
end $$;

revoke execute on function identity.erase_person(uuid), identity.is_erased(uuid),
  audit.forget_subject(bytea, integer), registry.forget_holder(uuid), exchange.forget_subject(uuid)
  from public;
grant execute on function identity.erase_person(uuid), audit.forget_subject(bytea, integer),
  registry.forget_holder(uuid), exchange.forget_subject(uuid) to :"app";

-- Kept responses are bound to their row instead of to the caller's own key, so that an erasure can open
-- them; those kept by the old rule can't be read any more, and a repeat of their request runs again.
delete from platform.idempotency_keys;

-- oversight: erasures and legal holds, each act by one officer and its confirmation by another.
create schema oversight;
grant usage on schema oversight to :"app";

-- A hold works from the moment it is placed; it ends when two officers lift it.
create table oversight.legal_holds (
  id uuid primary key,
  person_id uuid not null references identity.people,
  reason_sealed bytea,
  placed_by uuid not null references identity.officers,
  placed_at timestamptz not null,
  confirmed_by uuid references identity.officers,
  confirmed_at timestamptz,
  lift_asked_by uuid references identity.officers,
  lift_asked_at timestamptz,
  lifted_by uuid references identity.officers,
  lifted_at timestamptz,
  constraint legal_holds_placed_four_eyes check (confirmed_by <> placed_by),
  constraint legal_holds_lifted_four_eyes check (lifted_by <> lift_asked_by),
  check ((confirmed_by is null) = (confirmed_at is null)),
  check ((lift_asked_by is null) = (lift_asked_at is null)),
  check ((lifted_by is null) = (lifted_at is null)),
  check (lifted_by is null or lift_asked_by is not null)
);
create index legal_holds_standing on oversight.legal_holds (person_id) where lifted_at is null;
grant select, insert on oversight.legal_holds to :"app";
grant update (reason_sealed, confirmed_by, confirmed_at, lift_asked_by, lift_asked_at, lifted_by,
  lifted_at) on oversight.legal_holds to :"app";

create table oversight.erasures (
  id uuid primary key,
  person_id uuid not null references identity.people,
  state text not null default 'requested' check (state in ('requested', 'refused', 'destroyed', 'done')),
  reason_sealed bytea,
  requested_by uuid not null references identity.officers,
  requested_at timestamptz not null,
  decided_by uuid references identity.officers,
  decided_at timestamptz,
  -- How many entries of the log lost their words, and the salt of the commitment to which they were.
  entries integer check (entries >= 0),
  salt bytea check (length(salt) = 32),
  done_at timestamptz,
  constraint erasures_four_eyes check (decided_by <> requested_by),
  check ((state = 'requested') = (decided_by is null)),
  check ((decided_by is null) = (decided_at is null)),
  check ((state in ('destroyed', 'done')) = (entries is not null)),
  check ((state = 'done') = (done_at is not null)),
  check (state <> 'done' or reason_sealed is null)
);
create unique index erasures_open on oversight.erasures (person_id)
  where state in ('requested', 'destroyed');
create index erasures_unfinished on oversight.erasures (id) where state = 'destroyed';
grant select, insert on oversight.erasures to :"app";
grant update (state, reason_sealed, decided_by, decided_at, entries, salt, done_at)
  on oversight.erasures to :"app";
