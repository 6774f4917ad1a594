-- In an emergency a department may also ask a question that no agreement lets it ask: what is opened is
-- either fields of a licence type, or a verification service (its fields as they were at the opening).
alter table exchange.emergencies
  alter column licence_type drop not null,
  add column service_code text references exchange.services,
  add constraint emergencies_one_thing check (num_nonnulls(licence_type, service_code) = 1);
drop index exchange.emergencies_one_unreviewed;
create unique index emergencies_one_unreviewed
  on exchange.emergencies (opened_by, subject_id, coalesce(licence_type, service_code))
  where reviewed_at is null;

-- A question stands on an agreement or on an emergency. No foreign key, as for the others: every
-- question would lock the same few rows.
alter table exchange.verifications
  alter column agreement_id drop not null,
  alter column agreement_version drop not null,
  add column emergency_id uuid,
  add constraint verifications_one_ground check (num_nonnulls(agreement_id, emergency_id) = 1),
  add constraint verifications_agreement_version
    check ((agreement_id is null) = (agreement_version is null));
