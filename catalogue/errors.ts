// The catalogue's refusals; each code has its paragraph in docs/problems.md.
import { errorCatalogue } from '../platform/index.ts';

export const catalogueErrors = errorCatalogue('catalogue', {
  dataset_not_found: 'not_found',
  resource_not_found: 'not_found',
  organisation_not_found: 'not_found',
  group_not_found: 'not_found',
  action_not_found: 'malformed',
  rows_not_open: 'forbidden',
  parameters_invalid: 'invalid',
  search_invalid: 'malformed',
  dataset_invalid: 'invalid',
  name_taken: 'conflict',
  table_invalid: 'invalid',
  source_unreadable: 'invalid',
  source_too_large: 'too_large',
  harvest_running: 'conflict',
});
