-- identity: what a principal lets an agent do for her, and for whom a session acts.
create table identity.delegations (
  id uuid primary key,
  principal_id uuid not null references identity.people,
  agent_id uuid not null references identity.people,
  items text[] not null check (
    cardinality(items) between 1 and 4
    and items <@ array['licences.view', 'licences.copy', 'access_log.view', 'consents.answer']
  ),
  valid_from date not null,
  valid_to date not null,
  state text not null default 'proposed'
    check (state in ('proposed', 'accepted', 'refused', 'revoked', 'expired')),
  -- The company's licence that named its representative, where she gave it in the company's name.
  under_licence text,
  proposed_at timestamptz not null,
  accepted_at timestamptz,
  ended_at timestamptz,
  check (principal_id <> agent_id),
  -- At most a year of days, both ends counted.
  check (valid_to - valid_from between 0 and 365),
  check (state <> 'proposed' or (accepted_at is null and ended_at is null)),
  check (state <> 'accepted' or (accepted_at is not null and ended_at is null)),
  check (state <> 'refused' or accepted_at is null),
  check (state in ('proposed', 'accepted') or ended_at is not null)
);
-- One at a time: what an agent may do for a principal stands in one place.
create unique index delegations_open on identity.delegations (principal_id, agent_id)
  where state in ('proposed', 'accepted');
create index delegations_principal on identity.delegations (principal_id, id);
create index delegations_agent on identity.delegations (agent_id, id);
create index delegations_licence on identity.delegations (under_licence)
  where under_licence is not null and state in ('proposed', 'accepted');
-- What was agreed stays as it was agreed; only where it stands in its life changes.
grant select, insert, update (state, accepted_at, ended_at, under_licence) on identity.delegations to :"app";

-- A session that acts for another does so until it says otherwise: when the delegation has ended it
-- may do nothing, rather than fall back unnoticed to acting for itself.
create table identity.acting_sessions (
  session_id uuid primary key references identity.sessions on delete cascade,
  delegation_id uuid not null references identity.delegations,
  since timestamptz not null
);
create index acting_sessions_delegation on identity.acting_sessions (delegation_id);
grant select, insert, update, delete on identity.acting_sessions to :"app";
