-- A look whose disclosure is delayed is told to its subject when the department closes the case, or at its
-- date, whichever comes first (docs/adr/0019).

-- The cases in which a department has delayed disclosure. Whoever delays another look in one holds the row
-- in share, so that closing waits for it; a case is closed once.
create table exchange.covert_cases (
  id uuid primary key,
  requester_id text not null references identity.organisations,
  case_tag bytea not null check (octet_length(case_tag) = 32),
  opened_at timestamptz not null,
  closed_at timestamptz,
  closed_by text,
  -- When the last entry on its way at the closing had been disclosed.
  settled_at timestamptz,
  unique (requester_id, case_tag),
  check ((closed_at is null) = (closed_by is null)),
  check (settled_at is null or closed_at is not null)
);
create index covert_cases_of_department on exchange.covert_cases (requester_id, id);
create index covert_cases_to_settle on exchange.covert_cases (closed_at)
  where closed_at is not null and settled_at is null;
grant select, insert, update (closed_at, closed_by, settled_at) on exchange.covert_cases to :"app";
alter table exchange.covert_cases enable row level security;
create policy of_department on exchange.covert_cases using (
  requester_id = platform.acting_organisation() or platform.acts_as_system());
create trigger closed_once before update on exchange.covert_cases
  for each row when (old.closed_at is not null
    and (old.closed_at, old.closed_by) is distinct from (new.closed_at, new.closed_by))
  execute function exchange.refuse_change();

-- For whoever writes an entry about one of its questions: the provider too.
create function exchange.case_closed_at(requester text, tag bytea) returns timestamptz
  language sql stable security definer set search_path = pg_catalog as $$
  select c.closed_at from exchange.covert_cases c
    where c.requester_id = requester and c.case_tag = tag
$$;

-- Entries disclosed before their date, with that date: what editions of the map until `at` were made with.
create table audit.early_disclosures (
  idx bigint primary key,
  was timestamptz(3) not null,
  at timestamptz(3) not null,
  check (at < was)
);
grant select on audit.early_disclosures to :"app", :"log";
alter table audit.early_disclosures enable row level security;
create policy of_auditors on audit.early_disclosures for select to :"app" using (
  (select platform.reads_log()));
create policy mapped on audit.early_disclosures for select to :"log" using (true);
create trigger only_grows before update or delete on audit.early_disclosures
  for each row execute function audit.refuse_change();
create trigger only_grows_whole before truncate on audit.early_disclosures
  for each statement execute function audit.refuse_change();

-- Discloses from now on what a case holds of these verifications. Returns how many entries it found, with
-- those of the case that still wait for the sequencer. Harmless twice.
create function audit.disclose_case(tag bytea, asked uuid[]) returns bigint
  language plpgsql security definer set search_path = pg_catalog as $$
declare
  waiting bigint;
  moved bigint;
  moment timestamptz(3);
begin
  -- First: what leaves the stage after this is among the look-ups that are read next.
  select count(*) into waiting from audit.stage where case_tag = tag and disclose_at > platform.now();
  -- Later than what any edition of the map has taken in as due, and held until this is committed: so the next
  -- edition finds it among what has become due since.
  select greatest(date_trunc('milliseconds', platform.now()), due + interval '1 millisecond') into moment
    from audit.map_state where id = 1 for share;
  with found as (
    select l.idx, l.disclose_at as was
    from audit.lookups l join audit.entries e on e.idx = l.idx
    where l.case_tag = tag and l.disclose_at > moment
      and (convert_from(e.leaf, 'UTF8')::jsonb->>'verification')::uuid = any (asked)
  ), kept as (
    insert into audit.early_disclosures (idx, was, at) select idx, was, moment from found
    on conflict do nothing
  )
  update audit.lookups l set disclose_at = moment from found where l.idx = found.idx;
  get diagnostics moved = row_count;
  return moved + waiting;
end $$;
revoke execute on function audit.disclose_case(bytea, uuid[]),
  exchange.case_closed_at(text, bytea) from public;
grant execute on function audit.disclose_case(bytea, uuid[]),
  exchange.case_closed_at(text, bytea) to :"app";
