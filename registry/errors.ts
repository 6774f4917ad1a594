// The refusals of the registry. Each code has its paragraph in docs/problems.md.

import type { z } from 'zod';
import { AppError, errorCatalogue, type FieldError } from '../platform/index.ts';

export const registryErrors = errorCatalogue('registry', {
  input_invalid: 'invalid',
  scope: 'forbidden',
  not_issuer: 'forbidden',
  unknown_type: 'invalid',
  type_not_found: 'not_found',
  type_invalid: 'invalid',
  type_code_taken: 'conflict',
  use_exchange_instead: 'invalid',
  holder_kind: 'invalid',
  fields_invalid: 'invalid',
  character_missing: 'invalid',
  validity_invalid: 'invalid',
  unknown_authority: 'invalid',
  act_not_allowed: 'conflict',
  changed_meanwhile: 'precondition_failed',
  licence_not_found: 'not_found',
  licence_erased: 'gone',
  application_not_found: 'not_found',
  application_decided: 'conflict',
  own_application: 'forbidden',
  not_the_representative: 'forbidden',
  not_comparable: 'invalid',
  compare_limit: 'rate_limited',
  credential_unreadable: 'invalid',
  document_unreadable: 'invalid',
});

/** What was sealed for a person is gone with her key. */
export function licenceErased(): AppError {
  return registryErrors.licence_erased('The data of this licence has been erased.');
}

/** Who is neither issuer nor holder reads by way of an agreement (contract section 4.1). */
export function purposeRequired(): AppError {
  return new AppError(
    'forbidden',
    'exchange.purpose_required',
    'Only the issuer and the holder read a licence here. Use POST /v1/licences/{number}/read with a purpose and a legal basis.',
  );
}

/** A free text must not carry a person's number (contract section 3). */
export function identifierInText(pointer: string): AppError {
  return new AppError(
    'invalid',
    'exchange.identifier_in_text',
    'This text holds a citizen ID. Name the case or the reason without it.',
    { fields: [{ pointer, detail: 'must not hold a citizen ID' }] },
  );
}

/** The value `schema` makes of `input`; throws registry.input_invalid with a pointer per fault. */
export function parseInput<Schema extends z.ZodType>(
  schema: Schema,
  input: unknown,
): z.output<Schema> {
  const parsed = schema.safeParse(input);
  if (parsed.success) return parsed.data;
  throw registryErrors.input_invalid('The request is not as it should be; see errors.', {
    fields: parsed.error.issues.map(fieldError),
  });
}

/** A zod issue as a pointer into the body and a sentence. */
export function fieldError(issue: z.core.$ZodIssue): FieldError {
  return { pointer: pointerOf(issue.path), detail: issue.message };
}

/** A path as a JSON pointer (RFC 6901). */
export function pointerOf(path: readonly PropertyKey[]): string {
  return path
    .map((step) => `/${String(step).replaceAll('~', '~0').replaceAll('/', '~1')}`)
    .join('');
}
