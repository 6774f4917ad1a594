-- Row-level security, second part: the exchange, and sessions and secrets of identity. Settings are
-- explained in 0022.

-- Who sees a licence, as one call instead of a list of conditions: copied into 16 partitions the list
-- cost a look-up 0.16 ms of PostgreSQL's time, the call costs 0.09, and no wall at all 0.07.
create function registry.sees_licence(its_number text, its_issuer text, its_holder uuid)
  returns boolean language plpgsql stable parallel safe as $$
begin
  if its_issuer = platform.acting_organisation()
    or platform.acts_as_system()
    or its_holder = platform.acting_person()
    or its_holder = any (platform.opened_subjects())
    or its_number = any (platform.opened_licences())
  then
    return true;
  end if;
  if cardinality(platform.opened_subjects()) > 0 and exists (
    select from registry.mentions m
    where m.person_id = any (platform.opened_subjects()) and m.number = its_number)
  then
    return true;
  end if;
  return length(platform.presented_code()) > 0 and exists (
    select from registry.licence_keys k
    where k.code_key = platform.presented_code() and k.number = its_number);
end $$;
alter policy in_scope on registry.licences
  using (registry.sees_licence(number, issuer_id, holder_id));

-- The licence of the code in hand, in the statement that asks for it: a transaction of its own would
-- hold the row of the look's count for three round trips. The code opens nothing beyond this call.
-- Planned for any code, so that only the partition of the number found is opened.
create function registry.licence_of_code(wanted bytea) returns setof registry.licences
  language plpgsql set plan_cache_mode = force_generic_plan as $$
declare
  found_number text;
begin
  perform set_config('yihao.code', encode(wanted, 'hex'), true);
  select k.number into found_number from registry.licence_keys k where k.code_key = wanted;
  return query select l.* from registry.licences l where l.number = found_number;
  perform set_config('yihao.code', '', true);
end $$;

create function platform.opened_verifications() returns uuid[] language sql stable parallel safe
  return string_to_array(current_setting('yihao.verifications', true), ',')::uuid[];

-- The two departments, and whoever decides about it by consent.
create function exchange.sees_verification(its_id uuid, its_requester text, its_provider text)
  returns boolean language plpgsql stable parallel safe as $$
begin
  return coalesce(platform.acting_organisation() in (its_requester, its_provider), false)
    or platform.acts_as_system()
    or coalesce(its_id = any (platform.opened_verifications()), false);
end $$;
alter table exchange.verifications enable row level security;
create policy seen on exchange.verifications for select
  using (exchange.sees_verification(id, requester_id, provider_id));
create policy ended on exchange.verifications for update
  using (exchange.sees_verification(id, requester_id, provider_id));
create policy asked on exchange.verifications for insert
  with check (requester_id = platform.acting_organisation() or platform.acts_as_system());

-- An answer is seen by whoever sees its verification. It may be stored in the statement that stores
-- the verification, which that statement's own policies can't see yet: so anybody in a scope may.
alter table exchange.answers enable row level security;
create policy with_verification on exchange.answers for select using (
  platform.acts_as_system()
  or exists (select from exchange.verifications v where v.id = answers.verification_id));
create policy receipted on exchange.answers for update using (
  platform.acts_as_system()
  or exists (select from exchange.verifications v where v.id = answers.verification_id));
create policy stored on exchange.answers for insert with check (
  platform.acts_as_system() or platform.acting_organisation() is not null
  or platform.acting_person() is not null);

alter table exchange.questions enable row level security;
create policy of_departments on exchange.questions using (
  platform.acting_organisation() in (provider_id, requester_id)
  or verification_id = any (platform.opened_verifications())
  or platform.acts_as_system());

alter table exchange.consents enable row level security;
create policy in_scope on exchange.consents using (
  person_id = platform.acting_person()
  or platform.acts_as_system()
  or exists (select from exchange.verifications v where v.id = consents.verification_id));

alter table exchange.agreements enable row level security;
create policy of_parties on exchange.agreements using (
  platform.acting_organisation() in (requester_id, provider_id) or platform.acts_as_system());
alter table exchange.agreement_versions enable row level security;
create policy with_agreement on exchange.agreement_versions using (
  exists (select from exchange.agreements a where a.id = agreement_versions.agreement_id));
alter table exchange.agreement_events enable row level security;
create policy with_agreement on exchange.agreement_events using (
  exists (select from exchange.agreements a where a.id = agreement_events.agreement_id));

-- What the signer signed for another process (docs/adr/0012-signer.md): one row per place in a status
-- list, written before the signature leaves, so that no credential is signed unseen or irrevocable.
create table signing.credential_signatures (
  status_uri text not null,
  status_idx int not null check (status_idx >= 0),
  licence text not null,
  vct text not null,
  content_digest bytea not null check (length(content_digest) = 32),
  signed_at timestamptz not null,
  primary key (status_uri, status_idx)
);
grant select, insert on signing.credential_signatures to :"app";
