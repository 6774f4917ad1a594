// Forms about clients, read into proposals; what is wrong leads back to its field.
import { ClientProposal, SCOPES } from '../identity/index.ts';
import { endOfCityDay, type FieldError } from '../platform/index.ts';
import { webErrors } from './errors.ts';
import type { Text } from './text/zh.ts';

/** The form's name of a scope's box. */
export const scopeField = (scope: string): string => `scope-${scope.replace(':', '-')}`;

/** A proposal from a form's fields; web.form_invalid with pointers to them. */
export function proposalFrom(
  kind: ClientProposal['kind'],
  form: Record<string, string>,
  { words, cityTz }: { words: Text['clients']; cityTz: string },
): ClientProposal {
  const { client, reason, organisation, name, method, oldKeysUntil = '' } = form;
  const keys = kind === 'create' || kind === 'rotate_keys' ? readKeys(form.keys ?? '') : undefined;
  if (keys === null) throw refusal([{ pointer: '/keys', detail: words.keysUnreadable }]);
  const scopes = SCOPES.filter((scope) => form[scopeField(scope)] !== undefined);
  const members = {
    create: { organisation, name, method, keys, scopes },
    suspend: {},
    resume: {},
    rotate_keys: { keys, oldKeysUntil: endOf(oldKeysUntil, cityTz) },
    change_scopes: { scopes },
    hold: {},
  }[kind];
  const parsed = ClientProposal.safeParse({ kind, client, reason, ...members });
  if (parsed.success) return parsed.data;
  throw refusal(
    parsed.error.issues.map(({ path, message }) => ({
      pointer: `/${path.join('/')}`,
      detail: message,
    })),
  );

  function refusal(fields: FieldError[]) {
    return webErrors.form_invalid(words.form, { fields });
  }
}

/** A key set as departments send it: a JWKS, its list, or one key; null when it is no JSON of those. */
function readKeys(text: string): unknown[] | null {
  try {
    const value: unknown = JSON.parse(text);
    if (Array.isArray(value)) return value;
    if (typeof value !== 'object' || value === null) return null;
    return 'keys' in value && Array.isArray(value.keys) ? value.keys : [value];
  } catch {
    return null;
  }
}

/** The end of a day of the city; without a day, the beginning of time: at once. */
function endOf(day: string, cityTz: string): string {
  if (day === '') return '1970-01-01T00:00:00Z';
  return /^\d{4}-\d{2}-\d{2}$/.test(day) && !Number.isNaN(Date.parse(day))
    ? endOfCityDay(day, cityTz).toISOString()
    : day;
}
