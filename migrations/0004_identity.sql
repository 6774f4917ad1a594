-- identity: organisations, officers, people, machine clients, sessions.
-- Names and identifiers of people are stored only as keyed digests and ciphertext (docs: identity/README.md).
create schema identity;
grant usage on schema identity to :"app";

create table identity.organisations (
  id text primary key check (id ~ '^[a-z][a-z0-9-]{0,31}$'),
  name_zh text not null,
  name_en text not null,
  short_zh text not null,
  uscc text not null unique check (length(uscc) = 18),
  kind text not null,
  roles text[] not null,
  created_at timestamptz not null
);
grant select, insert, update on identity.organisations to :"app";

create table identity.officers (
  id uuid primary key,
  key text not null unique,
  username text not null unique,
  organisation_id text not null references identity.organisations,
  created_at timestamptz not null
);
create index officers_organisation on identity.officers (organisation_id);
grant select, insert, update on identity.officers to :"app";

create table identity.role_grants (
  officer_id uuid not null references identity.officers on delete cascade,
  role text not null check
    (role in ('desk', 'issuer', 'approver', 'provider', 'steward', 'auditor', 'operator')),
  granted_at timestamptz not null,
  primary key (officer_id, role)
);
grant select, insert, delete on identity.role_grants to :"app";

-- One row per person or company ever named, known or not. blind_index finds her, audit_tag finds
-- her entries in the log; without the keys neither tells who she is.
create table identity.people (
  id uuid primary key,
  scheme text not null check (scheme in ('cn-id', 'uscc')),
  index_version smallint not null,
  blind_index bytea not null check (length(blind_index) = 32),
  audit_tag bytea not null unique check (length(audit_tag) = 32),
  value_sealed bytea not null,
  name_sealed bytea,
  created_at timestamptz not null,
  unique (blind_index)
);
grant select, insert, update on identity.people to :"app";

-- The data key of each person, wrapped by the key-encryption key. Deleting a row erases whatever
-- was sealed under it, wherever it stands.
create table identity.data_keys (
  person_id uuid primary key references identity.people,
  kek_version smallint not null,
  wrapped bytea not null,
  created_at timestamptz not null
);
grant select, insert, update, delete on identity.data_keys to :"app";

-- Local sign-in: a stretched secret per account, its parameters inside the text.
create table identity.local_secrets (
  account_kind text not null check (account_kind in ('person', 'officer')),
  account_id uuid not null,
  hash text not null,
  changed_at timestamptz not null,
  primary key (account_kind, account_id)
);
grant select, insert, update on identity.local_secrets to :"app";

-- Counted by a keyed digest of the account's name, so that unknown accounts lock like known ones.
create table identity.sign_in_attempts (
  account_digest bytea primary key,
  failures integer not null,
  expires_at timestamptz not null
);
create index sign_in_attempts_expiry on identity.sign_in_attempts (expires_at);
grant select, insert, update, delete on identity.sign_in_attempts to :"app";

create table identity.sessions (
  id uuid primary key,
  token_digest bytea not null unique check (length(token_digest) = 32),
  person_id uuid references identity.people,
  officer_id uuid references identity.officers,
  created_at timestamptz not null,
  seen_at timestamptz not null,
  idle_expires_at timestamptz not null,
  expires_at timestamptz not null,
  check (num_nonnulls(person_id, officer_id) = 1)
);
create index sessions_expiry on identity.sessions (expires_at);
create index sessions_person on identity.sessions (person_id) where person_id is not null;
create index sessions_officer on identity.sessions (officer_id) where officer_id is not null;
grant select, insert, update, delete on identity.sessions to :"app";

create table identity.clients (
  id text primary key,
  organisation_id text not null references identity.organisations,
  name text not null,
  jwks jsonb not null,
  scopes text[] not null,
  state text not null default 'active' check (state in ('active', 'suspended')),
  created_at timestamptz not null,
  changed_at timestamptz not null
);
create index clients_organisation on identity.clients (organisation_id);
grant select, insert, update on identity.clients to :"app";

-- Client assertions and proofs seen at the token endpoint (RFC 7523 jti, once in all processes).
create table identity.assertion_jtis (
  id text primary key,
  expires_at timestamptz not null
);
create index assertion_jtis_expiry on identity.assertion_jtis (expires_at);
grant select, insert, delete on identity.assertion_jtis to :"app";

-- DPoP proofs seen at the resources. Unlogged: one row per request must not cost an fsync, and a row
-- matters for a minute. A crash empties both tables; proofs made before the new epoch are refused.
create unlogged table identity.dpop_jtis (
  digest bytea primary key,
  expires_at timestamptz not null
);
create index dpop_jtis_expiry on identity.dpop_jtis (expires_at);
create unlogged table identity.dpop_epochs (
  id smallint primary key check (id = 1),
  started_at timestamptz not null
);
grant select, insert, delete on identity.dpop_jtis to :"app";
grant select, insert on identity.dpop_epochs to :"app";

-- A new house has used no proof yet, so its memory has no gap.
insert into identity.dpop_epochs (id, started_at) values (1, platform.now() - interval '2 minutes');
