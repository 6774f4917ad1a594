-- Where a service says so, an answer given by hand takes two accounts: who takes the question proposes it,
-- another approves it or sends it back. Proposal and reason are sealed under the subject's data key.
alter table exchange.questions
  add column proposal_id uuid,
  add column proposal_sealed bytea,
  add column proposed_by text,
  add column approved_by text,
  add column sent_back_sealed bytea,
  add constraint questions_proposal_whole
    check (num_nonnulls(proposal_id, proposal_sealed, proposed_by) in (0, 3)),
  add constraint questions_proposer check (proposed_by <> asked_by and proposed_by = claimed_by),
  add constraint questions_approver
    check (approved_by <> proposed_by and approved_by <> claimed_by and approved_by <> asked_by),
  add constraint questions_approved_proposal check (approved_by is null or proposal_id is not null);
grant update (proposal_id, proposal_sealed, proposed_by, approved_by, sent_back_sealed)
  on exchange.questions to :"app";

-- Who answered by hand and who approved it stays with the answer.
alter table exchange.answers
  add column answered_by text,
  add column approved_by text,
  add column four_eyes boolean not null default false,
  add constraint answers_two_accounts check (approved_by <> answered_by),
  add constraint answers_four_eyes check (
    not four_eyes or (answered_by is not null and approved_by is not null));
