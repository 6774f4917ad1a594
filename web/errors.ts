// What the pages refuse by themselves. Each code has its words in docs/problems.md.
import { errorCatalogue } from '../platform/index.ts';

export const webErrors = errorCatalogue('web', {
  sign_in_incomplete: 'invalid',
  json_malformed: 'malformed',
  form_unreadable: 'malformed',
  foreign_origin: 'forbidden',
  form_invalid: 'invalid',
  other_account_needed: 'forbidden',
});
