// What signing refuses.
import { errorCatalogue } from '../platform/index.ts';

export const signingErrors = errorCatalogue('signing', {
  keys_missing: 'unavailable',
  status_list_unknown: 'not_found',
  status_index_invalid: 'invalid',
  crl_unavailable: 'unavailable',
});
