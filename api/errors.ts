// What the HTTP edge itself refuses, before or beside any room. Each code has its words in docs/problems.md.
import { errorCatalogue } from '../platform/index.ts';

export const apiErrors = errorCatalogue('api', {
  url_malformed: 'malformed',
  url_too_long: 'url_too_long',
  header_malformed: 'malformed',
  token_in_url: 'malformed',
  json_malformed: 'malformed',
  input_invalid: 'invalid',
  content_type: 'unsupported_type',
  content_coding: 'unsupported_type',
  form_unreadable: 'invalid',
  upload_too_costly: 'too_large',
  body_too_large: 'too_large',
  not_found: 'not_found',
  method_not_allowed: 'method_not_allowed',
  foreign_origin: 'forbidden',
  rate_limited: 'rate_limited',
  address_unusable: 'conflict',
});

/** The code of every fault that is ours: a 500 says no more. */
export const INTERNAL_CODE = 'api.internal';
