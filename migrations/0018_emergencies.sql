-- Break-glass: one officer of a department without an agreement reads one licence type of one person, for
-- at most four hours, with a reason; another account of her department reviews it. The reason, the case
-- and the review's words are sealed under the subject's data key.
create table exchange.emergency_allowances (
  organisation_id text primary key references identity.organisations
);
grant select, insert, delete on exchange.emergency_allowances to :"app";

create table exchange.emergencies (
  id uuid primary key,
  organisation_id text not null references identity.organisations,
  licence_type text not null,
  fields text[] not null check (cardinality(fields) > 0),
  subject_id uuid not null references identity.people,
  legal_basis text not null,
  request_sealed bytea not null,
  opened_by text not null,
  opened_at timestamptz not null,
  ends_at timestamptz not null,
  review_due timestamptz not null,
  disclose_at timestamptz not null,
  looks integer not null default 0 check (looks >= 0),
  overdue_told boolean not null default false,
  verdict text check (verdict in ('justified', 'not_justified')),
  reviewed_by text,
  reviewed_at timestamptz,
  note_sealed bytea,
  constraint emergencies_time_box check (ends_at > opened_at and ends_at <= opened_at + interval '4 hours'),
  constraint emergencies_reviewed_soon check (review_due <= opened_at + interval '72 hours'),
  constraint emergencies_told_soon check (disclose_at <= opened_at + interval '7 days'),
  constraint emergencies_two_accounts check (reviewed_by <> opened_by),
  check (num_nonnulls(verdict, reviewed_by, reviewed_at) in (0, 3))
);
-- Nobody goes on by opening the same again: first another has to review what she did.
create unique index emergencies_one_unreviewed
  on exchange.emergencies (opened_by, subject_id, licence_type) where reviewed_at is null;
create index emergencies_of_department on exchange.emergencies (organisation_id, id);
create index emergencies_overdue on exchange.emergencies (review_due)
  where reviewed_at is null and not overdue_told;
-- Neither its end nor its subject can be moved.
grant select, insert, update (looks, overdue_told, verdict, reviewed_by, reviewed_at, note_sealed)
  on exchange.emergencies to :"app";
create trigger review_is_final before update on exchange.emergencies
  for each row when (old.reviewed_at is not null
    and (old.verdict, old.reviewed_by, old.reviewed_at)
      is distinct from (new.verdict, new.reviewed_by, new.reviewed_at))
  execute function exchange.refuse_change();

alter table exchange.emergencies enable row level security;
-- The settings are explained in 0022, which comes after this one and names them by functions.
create policy of_department on exchange.emergencies using (
  organisation_id = nullif(current_setting('yihao.organisation', true), '')
  or current_setting('yihao.system', true) = 'on');
