-- Row-level security, fourth part: what signs an account in, and who acts for whom. Settings, besides 0022's:
--   yihao.account     the account in hand: a person, a company or an officer
--   yihao.credential  the passkey in hand by its credential id, in hexadecimal
--   yihao.under       licences under which delegations are moved or ended
create function platform.acting_account() returns uuid language sql stable parallel safe
  return nullif(current_setting('yihao.account', true), '')::uuid;
create function platform.presented_credential() returns bytea language sql stable parallel safe
  return decode(nullif(current_setting('yihao.credential', true), ''), 'hex');
create function platform.opened_grounds() returns text[] language sql stable parallel safe
  return string_to_array(current_setting('yihao.under', true), ',');

alter table identity.local_secrets enable row level security;
create policy of_account on identity.local_secrets
  using (account_id = platform.acting_account() or platform.acts_as_system());

alter table identity.passkeys enable row level security;
create policy of_account on identity.passkeys using (
  officer_id = platform.acting_account()
  or credential_id = platform.presented_credential()
  or platform.acts_as_system());

alter table identity.delegations enable row level security;
create policy of_sides on identity.delegations using (
  platform.acting_account() in (principal_id, agent_id)
  or under_licence = any (platform.opened_grounds())
  or platform.acts_as_system());

-- For whom a session acts, in the statement that finds the session: as the owner, because nobody is
-- known before it.
create function identity.acting_by(session uuid, agent uuid) returns setof identity.delegations
  language sql stable strict security definer set search_path = pg_catalog as $$
  select d.* from identity.acting_sessions a
    join identity.delegations d on d.id = a.delegation_id and d.agent_id = agent
  where a.session_id = session $$;

-- Whether an officer has a way in: asked before a link is made for who has none, where a row out of
-- sight must not pass for one that isn't there.
create function identity.has_passkey(officer uuid) returns boolean
  language sql stable strict security definer set search_path = pg_catalog as $$
  select exists (select from identity.passkeys where officer_id = officer) $$;
create function identity.has_secret(officer uuid) returns boolean
  language sql stable strict security definer set search_path = pg_catalog as $$
  select exists (select from identity.local_secrets
    where account_kind = 'officer' and account_id = officer) $$;
revoke execute on function identity.acting_by(uuid, uuid), identity.has_passkey(uuid),
  identity.has_secret(uuid) from public;
grant execute on function identity.acting_by(uuid, uuid), identity.has_passkey(uuid),
  identity.has_secret(uuid) to :"app";
