// The words of a refused question: one per code of the decision, pointers for what can be corrected.
import { identityErrors } from '../identity/index.ts';
import type { AppError } from '../platform/index.ts';
import type { DenialCode } from './decision.ts';
import { exchangeErrors } from './errors.ts';
import type { SchemaFaults } from './schema-check.ts';

/** The refusal of a denied question; `faults` are those of its parameters, where they were looked at. */
export function refusalOf(code: DenialCode, faults?: SchemaFaults): AppError {
  switch (code) {
    case 'params_invalid':
      return paramsRefusal(faults);
    case 'quota':
      return exchangeErrors.quota('The agreement’s questions of today are used up.', {
        retryAfterSeconds: 3600,
      });
    case 'probing':
      return exchangeErrors.probing(
        'This case has asked this question with other parameters before: two sets are allowed in 30 days.',
        { retryAfterSeconds: 86_400 },
      );
    case 'signature_required':
      return exchangeErrors.signature_required('The agreement asks for signed requests.', {
        headers: { 'WWW-Authenticate': 'Signature realm="yihao"' },
      });
    default:
      return exchangeErrors[code](plainWords[code]);
  }
}

const plainWords = {
  unknown_service: 'There is no such verification service.',
  subject_kind: 'This service is about the other kind of subject: a person or a company.',
  no_agreement: 'Your department has no agreement in force with the provider for this service.',
  legal_basis_not_allowed: 'Service and agreement do not both allow this legal basis.',
  purpose_not_allowed: 'The agreement does not list this purpose.',
  delay_not_allowed: 'Your department may not delay the disclosure of its questions.',
} as const;

function paramsRefusal(faults?: SchemaFaults): AppError {
  if (faults && faults.citizenIds.length > 0) {
    return identityErrors.citizen_id_invalid('A parameter is not a citizen ID.', {
      fields: faults.citizenIds,
    });
  }
  const fields = [...(faults?.others ?? []), ...(faults?.usccs ?? [])];
  return exchangeErrors.params_invalid('The parameters are not as the service asks for them.', {
    fields,
  });
}
