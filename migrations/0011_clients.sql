-- Departments' systems under four eyes: keys with overlap, proposed changes, emergency holds.

-- A system authenticates by a signed assertion and binds its tokens to a DPoP key, or does both with
-- a certificate of its own (RFC 8705). held_until is the end of a hold; the database's clock decides.
alter table identity.clients
  add column method text not null default 'private_key_jwt'
    check (method in ('private_key_jwt', 'self_signed_tls_client_auth')),
  add column held_until timestamptz;

-- A kid names one key of a client for ever. Public members only; ends_at is when it stops to serve.
create table identity.client_keys (
  client_id text not null references identity.clients,
  kid text not null check (length(kid) between 1 and 128),
  jwk jsonb not null check (not jwk ?| array['d', 'jku', 'x5u', 'k', 'p', 'q']),
  added_at timestamptz not null,
  ends_at timestamptz,
  primary key (client_id, kid)
);
grant select, insert on identity.client_keys to :"app";
grant update (ends_at) on identity.client_keys to :"app";

insert into identity.client_keys (client_id, kid, jwk, added_at)
  select c.id, key ->> 'kid', key, c.created_at
  from identity.clients c, jsonb_array_elements(c.jwks -> 'keys') as key;
alter table identity.clients drop column jwks;

-- What becomes of a registered system is decided by rows of client_changes.
revoke update on identity.clients from :"app";
grant update (scopes, state, held_until, changed_at) on identity.clients to :"app";

-- One officer proposes, another decides: two accounts, held apart here whatever the code forgets.
-- What was proposed, by whom and when can't be rewritten by the app role.
create table identity.client_changes (
  id uuid primary key,
  client_id text not null,
  organisation_id text not null references identity.organisations,
  kind text not null check
    (kind in ('create', 'suspend', 'resume', 'rotate_keys', 'change_scopes', 'hold')),
  content jsonb not null,
  reason text not null check (length(reason) between 1 and 500),
  state text not null default 'proposed' check (state in ('proposed', 'applied', 'refused', 'lapsed')),
  -- A hold works from the moment it is proposed, until then unless another officer confirms it.
  holds_until timestamptz,
  proposed_by uuid not null references identity.officers,
  proposed_at timestamptz not null,
  decided_by uuid references identity.officers,
  decided_at timestamptz,
  decision_reason text check (length(decision_reason) between 1 and 500),
  constraint client_changes_four_eyes check (decided_by <> proposed_by),
  constraint client_changes_decided check (
    (state in ('applied', 'refused')) = (num_nonnulls(decided_by, decided_at, decision_reason) = 3)
    and num_nonnulls(decided_by, decided_at, decision_reason) in (0, 3)
  ),
  check ((kind = 'hold') = (holds_until is not null)),
  check (state <> 'lapsed' or kind = 'hold')
);
-- At most one open proposal for a client, and beside it one hold.
create unique index client_changes_open on identity.client_changes (client_id, (kind = 'hold'))
  where state = 'proposed';
create index client_changes_client on identity.client_changes (client_id, id);
create index client_changes_waiting on identity.client_changes (id) where state = 'proposed';
grant select, insert on identity.client_changes to :"app";
grant update (state, decided_by, decided_at, decision_reason) on identity.client_changes to :"app";
