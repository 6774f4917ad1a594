-- registry: licence types, licences with their versions, credentials and events, public counters.
-- What a licence says, its code and its credential are stored sealed under the holder's data key.
create schema registry;
grant usage on schema registry to :"app";

-- Every published version stays: a licence keeps the version it was issued under. `definition` is
-- json, not jsonb: the order of a schema's fields is the order they are shown in.
create table registry.licence_types (
  id text not null check (id ~ '^[A-Z][A-Z0-9-]{1,63}$'),
  version integer not null check (version > 0),
  code text not null,
  issuer_id text not null references identity.organisations,
  definition json not null,
  published_at timestamptz not null,
  primary key (id, version)
);
-- A GB/T 36904 type code names one type for ever.
create table registry.type_codes (
  code text primary key,
  type_id text not null unique
);
grant select, insert on registry.licence_types, registry.type_codes to :"app";

-- What must be unique over all licences, narrow and in one piece, since a unique constraint on the
-- partitioned table must hold its key. A lineage is one licence through its versions; at most one of
-- them is live (valid or suspended).
create table registry.licence_keys (
  number text primary key,
  code_key bytea not null unique check (length(code_key) = 32),
  lineage uuid not null,
  version smallint not null check (version between 1 and 999),
  holder_id uuid not null references identity.people,
  type_id text not null,
  is_live boolean not null,
  unique (lineage, version)
);
create unique index licence_keys_one_live on registry.licence_keys (lineage) where is_live;
create index licence_keys_holder on registry.licence_keys (holder_id, type_id);
grant select, insert, update (is_live) on registry.licence_keys to :"app";

create table registry.licences (
  number text not null references registry.licence_keys,
  lineage uuid not null,
  version smallint not null,
  type_id text not null,
  type_version integer not null,
  issuer_id text not null references identity.organisations,
  holder_id uuid not null,
  status text not null check (status in ('valid', 'suspended', 'superseded', 'expired',
    'cancelled', 'rescinded', 'revoked', 'transferred')),
  valid_from date not null,
  valid_to date check (valid_to >= valid_from),
  issued_at timestamptz not null,
  changed_at timestamptz not null,
  revision integer not null,
  status_list_uri text not null,
  status_list_index integer not null,
  supersedes text,
  superseded_by text,
  body_sealed bytea not null,
  code_sealed bytea not null,
  primary key (number),
  foreign key (type_id, type_version) references registry.licence_types
) partition by hash (number);
create index licences_due on registry.licences (valid_to) where status in ('valid', 'suspended');
-- What was signed can't be changed afterwards, only how it stands.
grant select, insert, update (status, changed_at, revision, superseded_by)
  on registry.licences to :"app";

-- Whom a licence names besides its holder: a spouse, a child's parents, a legal representative.
create table registry.mentions (
  person_id uuid not null references identity.people,
  type_id text not null,
  number text not null references registry.licence_keys,
  primary key (person_id, type_id, number)
);
grant select, insert on registry.mentions to :"app";

create table registry.credentials (
  number text not null,
  credential_sealed bytea not null,
  primary key (number)
) partition by hash (number);
grant select, insert on registry.credentials to :"app";

create table registry.licence_events (
  number text not null,
  id uuid not null,
  act text not null,
  status text not null,
  at timestamptz not null,
  organisation_id text,
  legal_basis text,
  related text,
  reason_sealed bytea,
  primary key (number, id)
) partition by hash (number);
grant select, insert on registry.licence_events to :"app";

do $$
begin
  for part in 0..15 loop
    execute format('create table registry.licences_%s partition of registry.licences
      for values with (modulus 16, remainder %s)', part, part);
    execute format('create table registry.credentials_%s partition of registry.credentials
      for values with (modulus 16, remainder %s)', part, part);
    execute format('create table registry.licence_events_%s partition of registry.licence_events
      for values with (modulus 16, remainder %s)', part, part);
  end loop;
end $$;

-- Four eyes: who approves is never who asked.
create table registry.applications (
  id uuid primary key,
  type_id text not null,
  organisation_id text not null references identity.organisations,
  holder_id uuid not null references identity.people,
  requester text not null,
  requested_at timestamptz not null,
  input_sealed bytea not null,
  state text not null check (state in ('awaiting_approval', 'approved', 'refused')),
  approver text,
  decided_at timestamptz,
  number text,
  constraint applications_four_eyes check (approver <> requester),
  check ((state = 'awaiting_approval') = (approver is null)),
  check ((state = 'approved') = (number is not null))
);
create index applications_open on registry.applications (organisation_id, requested_at)
  where state = 'awaiting_approval';
grant select, insert, update (state, approver, decided_at, number) on registry.applications to :"app";

-- Public looks by licence and hour; a job turns each finished hour into one log entry.
create table registry.lookup_counts (
  number text not null,
  hour timestamptz not null,
  looks integer not null check (looks > 0),
  primary key (hour, number)
);
grant select, insert, update, delete on registry.lookup_counts to :"app";

create table registry.compare_tries (
  number text not null,
  day date not null,
  tries integer not null check (tries > 0),
  primary key (day, number)
);
grant select, insert, update, delete on registry.compare_tries to :"app";

-- The holder's own reads are logged once per session.
create table registry.session_reads (
  session_id text primary key,
  at timestamptz not null
);
create index session_reads_age on registry.session_reads (at);
grant select, insert, delete on registry.session_reads to :"app";
