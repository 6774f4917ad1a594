-- exchange: services, agreements, verifications with their answers, consents, questions at a desk.
-- What a request or an answer says of a person is sealed under the subject's data key.
create schema exchange;
grant usage on schema exchange to :"app";

-- The legal bases that services, agreements and questions cite.
create table exchange.legal_bases (
  id text primary key,
  cite_zh text not null,
  cite_en text not null
);
grant select, insert, update (cite_zh, cite_en) on exchange.legal_bases to :"app";

-- Every published version stays: a verification keeps the version it was asked under.
-- A service without a legal basis can't be published.
create table exchange.service_versions (
  code text not null check (code ~ '^[A-Z][A-Z0-9-]{1,63}$'),
  version integer not null check (version > 0),
  provider_id text not null references identity.organisations,
  legal_bases text[] not null check (cardinality(legal_bases) > 0),
  definition json not null,
  published_at timestamptz not null,
  published_by text not null,
  primary key (code, version)
);
grant select, insert on exchange.service_versions to :"app";

create table exchange.services (
  code text primary key,
  version integer not null,
  foreign key (code, version) references exchange.service_versions
);
grant select, insert, update (version) on exchange.services to :"app";

-- One department's right to ask another, or to use a licence type. The columns hold the version in
-- force; agreement_versions keeps each version's terms as they were hashed.
create table exchange.agreements (
  id uuid primary key,
  version integer not null check (version > 0),
  requester_id text not null references identity.organisations,
  provider_id text not null references identity.organisations,
  service_code text references exchange.services,
  licence_type text,
  state text not null check (state in ('proposed', 'active', 'refused', 'suspended', 'revoked')),
  legal_bases text[] not null check (cardinality(legal_bases) > 0),
  fields text[] not null check (cardinality(fields) > 0),
  purposes text[] not null,
  quota_per_day integer not null check (quota_per_day > 0),
  valid_from date not null,
  valid_to date not null check (valid_to >= valid_from),
  param_limits json,
  caches_answers boolean not null,
  signed_requests boolean not null,
  hash text not null,
  created_at timestamptz not null,
  check ((service_code is null) <> (licence_type is null)),
  check (requester_id <> provider_id)
);
create index agreements_of_service on exchange.agreements (requester_id, service_code)
  where service_code is not null;
create index agreements_of_type on exchange.agreements (requester_id, licence_type)
  where licence_type is not null;
create index agreements_of_provider on exchange.agreements (provider_id);
grant select, insert, update (state) on exchange.agreements to :"app";

create table exchange.agreement_versions (
  agreement_id uuid not null references exchange.agreements,
  version integer not null,
  terms json not null,
  hash text not null,
  primary key (agreement_id, version)
);
grant select, insert on exchange.agreement_versions to :"app";

-- Who did what to an agreement, and why.
create table exchange.agreement_events (
  agreement_id uuid not null references exchange.agreements,
  id uuid not null,
  act text not null,
  state text not null,
  organisation_id text,
  acted_by text not null,
  reason text,
  at timestamptz not null,
  primary key (agreement_id, id)
);
grant select, insert on exchange.agreement_events to :"app";

-- How often an agreement was used on a day, in shards so that its callers don't queue for one row.
create table exchange.agreement_usage (
  agreement_id uuid not null references exchange.agreements,
  day date not null,
  shard smallint not null,
  used integer not null check (used > 0),
  primary key (agreement_id, day, shard)
);
grant select, insert, update (used), delete on exchange.agreement_usage to :"app";

-- The departments the operator lets delay the disclosure of a question to its subject.
create table exchange.delay_allowances (
  organisation_id text primary key references identity.organisations
);
grant select, insert, delete on exchange.delay_allowances to :"app";

-- One question asked by one department of another. `route` says who answers: a rule or a desk.
-- lease_until: while a token stands, until when its holder may work; without one, when the sweep
-- wakes somebody. attempts: one element per run that did not finish. No foreign keys to service and
-- agreement versions: those rows can't be deleted, and every question would lock the same few.
create table exchange.verifications (
  id uuid not null,
  service_code text not null,
  service_version integer not null,
  agreement_id uuid not null,
  agreement_version integer not null,
  requester_id text not null,
  provider_id text not null,
  asked_by text not null,
  state text not null check (state in ('accepted', 'awaiting_consent', 'dispatched', 'answered',
    'refused', 'failed', 'expired', 'cancelled')),
  route text not null check (route in ('rule', 'desk')),
  subject_id uuid not null,
  legal_basis text not null,
  disclosed text[] not null,
  evidence text not null,
  request_sealed bytea not null,
  case_tag bytea not null check (octet_length(case_tag) = 32),
  disclose_at timestamptz,
  traceparent text,
  dispatch_no integer not null,
  lease_token uuid,
  lease_until timestamptz,
  attempts jsonb not null default '[]',
  question_stage uuid not null,
  answer_stage uuid,
  created_at timestamptz not null,
  deadline timestamptz not null,
  ended_at timestamptz,
  primary key (id),
  check ((ended_at is null) = (state in ('accepted', 'awaiting_consent', 'dispatched'))),
  check ((ended_at is null) = (answer_stage is null))
) partition by range (id);
create index on exchange.verifications (requester_id, id);
create index on exchange.verifications (requester_id, case_tag, id);
create index on exchange.verifications (deadline)
  where state in ('accepted', 'awaiting_consent', 'dispatched');
create index on exchange.verifications (lease_until)
  where state in ('accepted', 'dispatched') and route = 'rule';
grant select, insert, update (state, route, dispatch_no, lease_token, lease_until, attempts,
  answer_stage, deadline, ended_at) on exchange.verifications to :"app";

-- What a verification ended with: the answer or the refusal, sealed; at most one. The receipt is
-- signed once both log entries have their index.
create table exchange.answers (
  verification_id uuid not null,
  subject_id uuid not null,
  kind text not null check (kind in ('answer', 'refusal')),
  content_sealed bytea,
  as_of date,
  receipt text,
  answered_at timestamptz not null,
  erase_after timestamptz not null,
  erased_at timestamptz,
  primary key (verification_id),
  check ((content_sealed is null) = (erased_at is not null))
) partition by range (verification_id);
create index on exchange.answers (erase_after) where content_sealed is not null;
grant select, insert, update (content_sealed, receipt, erased_at) on exchange.answers to :"app";

-- Partitions follow the time inside the UUIDv7 (RFC 9562): its first 48 bits are Unix milliseconds.
create function exchange.first_id_of(moment timestamptz) returns uuid
  language sql immutable as $$
  select (substr(h, 1, 8) || '-' || substr(h, 9, 4) || '-0000-0000-000000000000')::uuid
  from (select lpad(to_hex((extract(epoch from moment) * 1000)::bigint), 12, '0') as h) as hex
$$;
do $$
declare
  parent text;
begin
  foreach parent in array array['verifications', 'answers'] loop
    for year in 2026..2029 loop
      execute format('create table exchange.%I partition of exchange.%I for values from (%L) to (%L)',
        parent || '_' || year, parent,
        exchange.first_id_of(make_timestamptz(year, 1, 1, 0, 0, 0, 'UTC')),
        exchange.first_id_of(make_timestamptz(year + 1, 1, 1, 0, 0, 0, 'UTC')));
    end loop;
    execute format('create table exchange.%I partition of exchange.%I default',
      parent || '_other', parent);
  end loop;
end $$;

-- Refused for every role: what has ended stays as it ended, and an answer is only ever erased.
create function exchange.refuse_change() returns trigger language plpgsql as $$
begin
  raise exception 'A change of what has ended in exchange.% is refused.', tg_table_name
    using errcode = 'restrict_violation';
end $$;
create trigger ended_is_final before update or delete on exchange.verifications
  for each row when (old.ended_at is not null)
  execute function exchange.refuse_change();
create trigger answer_is_final before update on exchange.answers
  for each row when (
    (old.verification_id, old.kind, old.as_of, old.answered_at)
      is distinct from (new.verification_id, new.kind, new.as_of, new.answered_at)
    or (old.receipt is not null and new.receipt is distinct from old.receipt)
    or (new.content_sealed is not null and new.content_sealed is distinct from old.content_sealed))
  execute function exchange.refuse_change();
create trigger answer_stays before delete on exchange.answers
  for each row execute function exchange.refuse_change();

-- An idempotency key that came with a question, so that a retry finds what a crash cut off.
create table exchange.request_keys (
  owner text not null,
  key_hash bytea not null check (octet_length(key_hash) = 32),
  verification_id uuid not null,
  created_at timestamptz not null,
  primary key (owner, key_hash)
);
create index request_keys_age on exchange.request_keys (created_at);
grant select, insert, delete on exchange.request_keys to :"app";

-- The guard against guessing: per subject, service and case, the distinct parameter sets of late, as
-- keyed tags with the milliseconds of their first asking. One row, so that rivals wait for each other.
create table exchange.probes (
  scope_tag bytea primary key check (octet_length(scope_tag) = 32),
  param_sets jsonb not null,
  changed_at timestamptz not null
);
create index probes_age on exchange.probes (changed_at);
grant select, insert, update (param_sets, changed_at), delete on exchange.probes to :"app";

-- Questions that wait at a provider's desk; the row goes when the verification ends.
create table exchange.questions (
  verification_id uuid primary key,
  provider_id text not null,
  service_code text not null,
  requester_id text not null,
  created_at timestamptz not null,
  deadline timestamptz not null,
  claimed_by text,
  claimed_at timestamptz,
  check ((claimed_by is null) = (claimed_at is null))
);
create index questions_of_provider on exchange.questions (provider_id, deadline);
grant select, insert, update (claimed_by, claimed_at), delete on exchange.questions to :"app";

create table exchange.consents (
  id uuid primary key,
  verification_id uuid not null,
  person_id uuid not null references identity.people,
  state text not null check (state in ('pending', 'granted', 'refused', 'withdrawn', 'expired')),
  created_at timestamptz not null,
  expires_at timestamptz not null,
  decided_at timestamptz,
  unique (verification_id, person_id)
);
create index consents_of_person on exchange.consents (person_id, id);
grant select, insert, update (state, decided_at) on exchange.consents to :"app";
