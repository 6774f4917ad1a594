-- Relying parties hear of the end of a session however it ends, and may be held by one operator. What is
-- made at the moment of a stop is worth nothing after it.

-- Under which name a session is known at a relying party since an authorization code was made for it.
create table identity.party_logins (
  session_id uuid not null references identity.sessions on delete cascade,
  client_id text not null references identity.relying_parties,
  sid text not null check (length(sid) between 1 and 128),
  primary key (session_id, client_id, sid)
);
grant select, insert on identity.party_logins to :"app";

-- A row that goes tells, whoever deletes it: signing out, an operator, an erasure, the sweep.
-- In the same transaction, so that no session ends untold.
create function identity.tell_parties() returns trigger
  language plpgsql security definer set search_path = pg_catalog as $$
begin
  insert into platform.outbox (id, topic, key, payload, occurred_at)
    select gen_random_uuid(), 'identity.session_ended', l.client_id || '/' || l.sid,
      jsonb_build_object('client', l.client_id, 'sid', l.sid,
        'kind', case when old.person_id is null then 'officer' else 'person' end,
        'account', coalesce(old.person_id, old.officer_id)),
      platform.now()
    from identity.party_logins l where l.session_id = old.id;
  return old;
end $$;
create trigger ending_tells_parties before delete on identity.sessions
  for each row execute function identity.tell_parties();

-- A hold of a relying party, like one of a client; the database's clock decides.
alter table identity.relying_parties add column held_until timestamptz;
grant update (held_until) on identity.relying_parties to :"app";

alter table identity.client_changes
  drop constraint client_changes_kind_check,
  add constraint client_changes_kind_check check (kind in (
    'create', 'suspend', 'resume', 'rotate_keys', 'change_scopes', 'hold', 'register_party',
    'suspend_party', 'resume_party', 'change_party_keys', 'change_party_addresses', 'hold_party'
  )),
  drop constraint client_changes_check,
  add constraint client_changes_hold_ends
    check ((kind in ('hold', 'hold_party')) = (holds_until is not null)),
  drop constraint client_changes_check1,
  add constraint client_changes_hold_lapses check (state <> 'lapsed' or kind in ('hold', 'hold_party'));
drop index identity.client_changes_open;
create unique index client_changes_open
  on identity.client_changes (client_id, (kind in ('hold', 'hold_party'))) where state = 'proposed';

-- How often a client was stopped. A token says how often that was when it was made, so that one from
-- before a stop, or made at the very moment, is worth nothing after it either.
alter table identity.clients add column stops integer not null default 0;
grant update (stops) on identity.clients to :"app";
