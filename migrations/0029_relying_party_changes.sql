-- Relying parties under four eyes: their changes are proposed and decided beside those of clients, and
-- their keys may overlap like those. An id names a client or a relying party, never both.
alter table identity.client_changes
  drop constraint client_changes_kind_check,
  add constraint client_changes_kind_check check (kind in (
    'create', 'suspend', 'resume', 'rotate_keys', 'change_scopes', 'hold',
    'register_party', 'suspend_party', 'resume_party', 'change_party_keys', 'change_party_addresses'
  ));

-- As identity.client_keys: a kid names one key of a relying party for ever.
create table identity.relying_party_keys (
  client_id text not null references identity.relying_parties,
  kid text not null check (length(kid) between 1 and 128),
  jwk jsonb not null check (not jwk ?| array['d', 'jku', 'x5u', 'k', 'p', 'q']),
  added_at timestamptz not null,
  ends_at timestamptz,
  primary key (client_id, kid)
);
grant select, insert on identity.relying_party_keys to :"app";
grant update (ends_at) on identity.relying_party_keys to :"app";

insert into identity.relying_party_keys (client_id, kid, jwk, added_at)
  select p.id, key ->> 'kid', key, p.created_at
  from identity.relying_parties p, jsonb_array_elements(p.jwks -> 'keys') as key;
alter table identity.relying_parties drop column jwks;

revoke update on identity.relying_parties from :"app";
grant update
  (redirect_uris, post_logout_redirect_uris, backchannel_logout_uri, state, changed_at)
  on identity.relying_parties to :"app";

-- For whom a record was made, so that it ends with a suspension.
alter table identity.openid_records add column client_id text;
create index openid_records_client on identity.openid_records (client_id) where client_id is not null;
