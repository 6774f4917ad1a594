// What signing refuses.
import { errorCatalogue } from '../platform/index.ts';

export const signingErrors = errorCatalogue('signing', {
  keys_missing: 'unavailable',
  status_unknown: 'not_found',
  crl_unavailable: 'unavailable',
  signer_unavailable: 'unavailable',
  signature_refused: 'conflict',
  credential_too_costly: 'too_large',
  document_not_drawn: 'unavailable',
  document_too_costly: 'too_large',
});
