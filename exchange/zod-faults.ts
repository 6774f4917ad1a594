// What zod found wrong, as pointers into the caller's body (RFC 9457, errors[]).
import type { ZodError } from 'zod';
import type { FieldError } from '../platform/index.ts';

export function faultsOfIssues(error: ZodError): FieldError[] {
  return error.issues.map(({ path, message }) => ({
    pointer: path
      .map((step) => `/${String(step).replaceAll('~', '~0').replaceAll('/', '~1')}`)
      .join(''),
    detail: message,
  }));
}
