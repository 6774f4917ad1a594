-- signing: every document that was sealed, by the digest of what the seal covers. The row comes before
-- the seal, so none is sealed that nobody recorded, and a checker tells one of ours from one that a
-- stolen key sealed. One row per licence and day it was asked for: partitioned by its own key.
create table signing.sealed_documents (
  digest bytea not null check (length(digest) = 32),
  number text not null,
  certificate text not null,
  sealed_at timestamptz not null,
  primary key (digest)
) partition by hash (digest);

-- registry: documents made today, sealed under the holder's key, by how the licence stood on the day
-- and by the fields shown (all: ''). A copy of what can be made again: a job forgets earlier days.
create table registry.documents (
  number text not null references registry.licence_keys,
  status text not null,
  day date not null,
  cut text not null,
  pdf_sealed bytea not null,
  primary key (number, status, day, cut)
) partition by hash (number);

do $$
begin
  for part in 0..15 loop
    execute format('create table signing.sealed_documents_%s partition of signing.sealed_documents
      for values with (modulus 16, remainder %s)', part, part);
    execute format('create table registry.documents_%s partition of registry.documents
      for values with (modulus 16, remainder %s)', part, part);
  end loop;
end $$;
create index documents_day on registry.documents (day);
grant select, insert on signing.sealed_documents to :"app";
grant select, insert, delete on registry.documents to :"app";

-- Seen and kept by whoever sees the licence; forgotten by the house.
alter table registry.documents enable row level security;
create policy with_licence on registry.documents for select using (
  platform.acts_as_system()
  or exists (select from registry.licences l where l.number = documents.number));
create policy written on registry.documents for insert with check (
  platform.acts_as_system()
  or exists (select from registry.licences l where l.number = documents.number));
create policy forgotten on registry.documents for delete using (platform.acts_as_system());

-- An erasure takes the documents too.
create or replace function registry.forget_holder(person uuid) returns void
  language plpgsql security definer set search_path = pg_catalog as $$
declare
  mine text[];
begin
  if not identity.is_erased(person) then
    raise exception 'Only an erased holder is forgotten.' using errcode = 'restrict_violation';
  end if;
  select coalesce(array_agg(number), '{}') into mine
    from registry.licence_keys where holder_id = person;
  delete from registry.documents where number = any (mine);
  delete from registry.credentials where number = any (mine);
  update registry.licences set body_sealed = '', code_sealed = ''
    where number = any (mine) and (body_sealed <> '' or code_sealed <> '');
  update registry.licence_events set reason_sealed = null
    where number = any (mine) and reason_sealed is not null;
  update registry.applications set input_sealed = '' where holder_id = person and input_sealed <> '';
  delete from registry.mentions where person_id = person or number = any (mine);
end $$;
