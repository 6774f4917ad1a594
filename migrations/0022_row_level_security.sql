-- Row-level security: the second wall (docs/adr/0011-row-level-security.md). A transaction that names
-- no scope sees and writes none of these rows. Settings, made in platform/row-scope.ts:
--   yihao.organisation   the department that acts
--   yihao.person         the citizen who acts
--   yihao.subjects       people whose licences this act was allowed to read
--   yihao.licences       numbers of licences this act was allowed to read
--   yihao.code           the keyed digest of a verification code, in hexadecimal
--   yihao.verifications  verifications this act was allowed to see
--   yihao.system         'on' for jobs, sweeps and the loader
-- A setting made for one transaction leaves an empty text behind, which stands for nothing.
-- Not forced upon the owner: it migrates and backs up, and no running process connects as it.

create function platform.acts_as_system() returns boolean language sql stable parallel safe
  return current_setting('yihao.system', true) = 'on';
create function platform.acting_organisation() returns text language sql stable parallel safe
  return nullif(current_setting('yihao.organisation', true), '');
create function platform.acting_person() returns uuid language sql stable parallel safe
  return nullif(current_setting('yihao.person', true), '')::uuid;
create function platform.opened_subjects() returns uuid[] language sql stable parallel safe
  return string_to_array(current_setting('yihao.subjects', true), ',')::uuid[];
create function platform.opened_licences() returns text[] language sql stable parallel safe
  return string_to_array(current_setting('yihao.licences', true), ',');
create function platform.presented_code() returns bytea language sql stable parallel safe
  return decode(current_setting('yihao.code', true), 'hex');

-- Who a licence names besides its holder is read with her as the subject, and written by departments.
alter table registry.mentions enable row level security;
create policy of_subject on registry.mentions for select
  using (person_id = any (platform.opened_subjects()) or platform.acts_as_system());
create policy written on registry.mentions for insert
  with check (platform.acting_organisation() is not null or platform.acts_as_system());

-- The keys of licences: a number, whose it is, a digest of its code. Departments issue and act with
-- them; what a licence says is behind the wall of registry.licences.
alter table registry.licence_keys enable row level security;
create policy in_scope on registry.licence_keys using (
  platform.acting_organisation() is not null
  or holder_id = platform.acting_person()
  or holder_id = any (platform.opened_subjects())
  or number = any (platform.opened_licences())
  or code_key = platform.presented_code()
  or platform.acts_as_system());

-- The issuer's, the holder's, of the people and numbers an act may read, of the code in hand.
alter table registry.licences enable row level security;
create policy in_scope on registry.licences using (
  issuer_id = platform.acting_organisation()
  or holder_id = platform.acting_person()
  or holder_id = any (platform.opened_subjects())
  or number = any (platform.opened_licences())
  or number = any (array(
    select m.number from registry.mentions m where m.person_id = any (platform.opened_subjects())))
  or number = any (array(
    select k.number from registry.licence_keys k where k.code_key = platform.presented_code()))
  or platform.acts_as_system());

-- Credential and history are seen by whoever sees the licence.
alter table registry.credentials enable row level security;
create policy with_licence on registry.credentials for select using (
  platform.acts_as_system()
  or exists (select from registry.licences l where l.number = credentials.number));
create policy written on registry.credentials for insert
  with check (platform.acting_organisation() is not null or platform.acts_as_system());

alter table registry.licence_events enable row level security;
create policy with_licence on registry.licence_events for select using (
  platform.acts_as_system()
  or exists (select from registry.licences l where l.number = licence_events.number));
create policy written on registry.licence_events for insert
  with check (platform.acting_organisation() is not null or platform.acts_as_system());

alter table registry.applications enable row level security;
create policy of_department on registry.applications
  using (organisation_id = platform.acting_organisation() or platform.acts_as_system());
