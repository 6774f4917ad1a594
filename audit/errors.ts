// The refusals of the log.
import { errorCatalogue } from '../platform/index.ts';

export const auditErrors = errorCatalogue('audit', {
  /** The log can't take or sequence entries just now: nothing may be shown without its entry. */
  unavailable: 'unavailable',
  unknown_entry: 'not_found',
  /** The entry lies in an archive file; its hash is still in the tree. */
  archived: 'gone',
  /** What would be archived must still be kept at hand. */
  retention_runs: 'conflict',
  not_yet_checkpointed: 'conflict',
  /** The database is older than what was already published, or does not fit it. */
  head_mismatch: 'unavailable',
  note_invalid: 'malformed',
  proof_invalid: 'malformed',
  /** Nothing is lost: a new epoch has nothing to state. */
  epoch_not_needed: 'conflict',
  /** A process leads the log: it is to be stopped first. */
  log_is_led: 'conflict',
  /** A rotation of the log's key stands at another step. */
  rotation_state: 'conflict',
  policy_invalid: 'invalid',
});
