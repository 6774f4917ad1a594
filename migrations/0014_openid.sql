-- OpenID Connect both ways: sign-ins under way at another identity provider, and what our own provider
-- remembers for the relying parties that let us sign people in.

-- One sign-in at a provider elsewhere: taken out once, by the browser that began it.
create table identity.provider_flows (
  state_digest bytea primary key check (length(state_digest) = 32),
  browser_digest bytea not null check (length(browser_digest) = 32),
  provider text not null,
  sealed bytea not null,
  expires_at timestamptz not null
);
create index provider_flows_expiry on identity.provider_flows (expires_at);
grant select, insert, delete on identity.provider_flows to :"app";

-- Who may have people signed in here: a terminal, a department's portal. Registered with public keys.
create table identity.relying_parties (
  id text primary key check (id ~ '^[a-z][a-z0-9-]{0,62}$'),
  organisation_id text not null references identity.organisations,
  name_zh text not null,
  name_en text not null,
  jwks jsonb not null,
  redirect_uris text[] not null check (cardinality(redirect_uris) > 0),
  post_logout_redirect_uris text[] not null,
  backchannel_logout_uri text,
  state text not null default 'active' check (state in ('active', 'suspended')),
  created_at timestamptz not null,
  changed_at timestamptz not null
);
create index relying_parties_organisation on identity.relying_parties (organisation_id);
grant select, insert, update on identity.relying_parties to :"app";

-- The models of our provider. Ids are digests, payloads are sealed, and whatever was made for a session
-- goes with it in the same transaction, wherever that session is ended.
create table identity.openid_records (
  model text not null,
  id_digest bytea not null check (length(id_digest) = 32),
  session_id uuid references identity.sessions on delete cascade,
  grant_digest bytea,
  uid_digest bytea,
  sealed bytea not null,
  consumed_at timestamptz,
  expires_at timestamptz not null,
  primary key (model, id_digest)
);
create index openid_records_session on identity.openid_records (session_id)
  where session_id is not null;
create index openid_records_grant on identity.openid_records (grant_digest)
  where grant_digest is not null;
create unique index openid_records_uid on identity.openid_records (model, uid_digest)
  where uid_digest is not null;
create index openid_records_expiry on identity.openid_records (expires_at);
grant select, insert, update, delete on identity.openid_records to :"app";
