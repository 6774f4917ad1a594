-- identity: passkeys of officers (WebAuthn level 3) and the challenges they answer.
create table identity.passkeys (
  id uuid primary key,
  officer_id uuid not null references identity.officers,
  -- WebAuthn 4: at most 1,023 bytes, chosen by the authenticator; one credential signs in one officer.
  credential_id bytea not null unique check (octet_length(credential_id) between 1 and 1023),
  -- A COSE key; nothing here is secret.
  public_key bytea not null check (octet_length(public_key) <= 2048),
  counter bigint not null check (counter >= 0),
  -- The relying party it was made for: a house that changes its address can't use it.
  rp_id text not null,
  label text not null check (char_length(label) between 1 and 60),
  is_synced boolean not null,
  created_at timestamptz not null,
  used_at timestamptz
);
create index passkeys_officer on identity.passkeys (officer_id);
grant select, insert, delete, update (counter, used_at) on identity.passkeys to :"app";

-- Each is answered once, by the session or browser it was made for, within five minutes.
create table identity.passkey_challenges (
  digest bytea primary key check (octet_length(digest) = 32),
  use text not null check (use in ('add', 'sign_in')),
  bound_to bytea not null check (octet_length(bound_to) = 32),
  expires_at timestamptz not null
);
create index passkey_challenges_expiry on identity.passkey_challenges (expires_at);
grant select, insert, delete on identity.passkey_challenges to :"app";
