// The refusals of the log.
import { errorCatalogue } from '../platform/index.ts';

export const auditErrors = errorCatalogue('audit', {
  /** The log can't take or sequence entries just now: nothing may be shown without its entry. */
  unavailable: 'unavailable',
  unknown_entry: 'not_found',
  not_yet_checkpointed: 'conflict',
  /** The database is older than what was already published, or does not fit it. */
  head_mismatch: 'unavailable',
  note_invalid: 'malformed',
  proof_invalid: 'malformed',
  policy_invalid: 'invalid',
});
