// The refusals of oversight.
import { errorCatalogue } from '../platform/index.ts';

export const oversightErrors = errorCatalogue('oversight', {
  /** Only a person sees who looked at her data, and only at her own. */
  not_the_subject: 'forbidden',
  /** Not in the log, not about this person, or not yet to be disclosed to her. */
  unknown_entry: 'not_found',
  /** A search by person needs a reason. */
  reason_required: 'invalid',
  /** A reason names no person. */
  identifier_in_text: 'invalid',
  cursor_invalid: 'malformed',
  time_invalid: 'malformed',
  unknown_subject: 'not_found',
  erasure_not_found: 'not_found',
  erasure_open: 'conflict',
  erasure_decided: 'conflict',
  other_subject: 'invalid',
  hold_not_found: 'not_found',
  hold_state: 'conflict',
  unmasking_not_found: 'not_found',
  unmasking_open: 'conflict',
  unmasking_decided: 'conflict',
  /** Nobody can be named: no officer acted, or her name was erased with the subject's data. */
  no_officer: 'conflict',
  search_not_found: 'not_found',
  name_invalid: 'invalid',
  export_not_found: 'not_found',
  export_decided: 'conflict',
  export_not_ready: 'conflict',
  export_gone: 'gone',
  /** Only a department that looked can be asked. */
  nobody_to_ask: 'conflict',
  ticket_exists: 'conflict',
  ticket_not_found: 'not_found',
  ticket_state: 'conflict',
  text_invalid: 'invalid',
  run_not_found: 'not_found',
  run_ended: 'conflict',
  range_invalid: 'invalid',
  no_checkpoint: 'unavailable',
  /** Theirs who asked and approved, or who saved it. */
  not_yours: 'forbidden',
  alert_not_found: 'not_found',
  alert_closed: 'conflict',
  /** Nobody decides on an alarm about herself. */
  own_alarm: 'forbidden',
  /** A system named no auditor. */
  officer_needed: 'forbidden',
  mark_not_found: 'not_found',
  mark_stands: 'conflict',
  rule_not_found: 'not_found',
  rule_invalid: 'invalid',
  rule_open: 'conflict',
  rule_decided: 'conflict',
  /** Four eyes: nobody publishes the rule she proposed. */
  own_rule: 'forbidden',
  period_invalid: 'invalid',
  replays_open: 'conflict',
  replay_not_found: 'not_found',
  /** Four eyes: two acts that answer each other are never one officer's. */
  own_act: 'forbidden',
});
