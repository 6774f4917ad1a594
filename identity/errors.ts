// What identity refuses, and as what kind (docs/problems.md says when and what to do).
import { errorCatalogue } from '../platform/index.ts';

export const identityErrors = errorCatalogue('identity', {
  citizen_id_invalid: 'invalid',
  uscc_invalid: 'invalid',
  reference_invalid: 'invalid',
  organisation_invalid: 'invalid',
  organisation_not_found: 'not_found',
  client_invalid: 'invalid',
  client_not_found: 'not_found',
  person_not_found: 'not_found',
  erased: 'gone',
  unauthenticated: 'unauthenticated',
  token_invalid: 'unauthenticated',
  proof_invalid: 'unauthenticated',
  scope_missing: 'forbidden',
  role_missing: 'forbidden',
  other_caller_needed: 'forbidden',
  sign_in_failed: 'unauthenticated',
  sign_in_locked: 'rate_limited',
  sign_in_off: 'forbidden',
  form_token_invalid: 'forbidden',
  rotation_running: 'conflict',
});
