-- oversight: what a person asks about a look at her data, of the department that looked. One question an
-- entry. All words are sealed under her data key, so that they go with her.
create table oversight.tickets (
  id uuid primary key,
  entry_index bigint not null,
  person_id uuid not null references identity.people,
  organisation_id text not null references identity.organisations,
  state text not null default 'open'
    check (state in ('open', 'overdue', 'answered', 'escalated', 'concluded', 'closed')),
  question_sealed bytea,
  answer_sealed bytea,
  complaint_sealed bytea,
  conclusion_sealed bytea,
  asked_at timestamptz not null,
  -- Until when the department answers, and when the auditors get what it did not answer.
  due_at timestamptz not null,
  escalate_at timestamptz not null,
  answered_by text,
  answered_at timestamptz,
  complained_at timestamptz,
  escalated_at timestamptz,
  concluded_by text,
  concluded_at timestamptz,
  constraint tickets_one_an_entry unique (entry_index),
  check (due_at > asked_at and escalate_at > due_at),
  check ((answered_by is null) = (answered_at is null)),
  check ((concluded_by is null) = (concluded_at is null)),
  check (state not in ('open', 'overdue') or answered_at is null),
  check (state <> 'answered' or answered_at is not null),
  check (complained_at is null or answered_at is not null),
  check (state not in ('escalated', 'concluded') or escalated_at is not null),
  check ((state = 'concluded') <= (concluded_at is not null))
);
create index tickets_of_person on oversight.tickets (person_id, id);
create index tickets_of_department on oversight.tickets (organisation_id, id);
create index tickets_escalated on oversight.tickets (id) where escalated_at is not null;
create index tickets_due on oversight.tickets (due_at) where state = 'open';
create index tickets_to_escalate on oversight.tickets (escalate_at) where state = 'overdue';
grant select, insert, update (state, question_sealed, answer_sealed, complaint_sealed,
  conclusion_sealed, answered_by, answered_at, complained_at, escalated_at, concluded_by, concluded_at)
  on oversight.tickets to :"app";
alter table oversight.tickets enable row level security;
create policy in_scope on oversight.tickets to :"app" using (
  person_id = (select platform.acting_person())
  or organisation_id = (select platform.acting_organisation())
  or (select platform.reads_log()));

-- An answer is given once, and so is the wish that auditors look at it.
create trigger said_once before update on oversight.tickets
  for each row when (
    (old.answered_at is not null and new.answered_at is distinct from old.answered_at)
    or (old.complained_at is not null and new.complained_at is distinct from old.complained_at)
    or old.state in ('concluded', 'closed') and new.state not in ('concluded', 'closed'))
  execute function oversight.refuse_change();
