// Forms about clients, read into proposals; what is wrong leads back to its field.
import { type ClientChangeKind, ClientProposal, SCOPES } from '../identity/index.ts';
import { endOfCityDay, type FieldError } from '../platform/index.ts';
import { webErrors } from './errors.ts';
import type { Text } from './text/zh.ts';

/** What zod says of one fault; `keys` are members that should not be there. */
interface Issue {
  path: readonly PropertyKey[];
  keys?: readonly string[];
}

/** The form's name of a scope's box. */
export const scopeField = (scope: string): string => `scope-${scope.replace(':', '-')}`;

/** A proposal from a form's fields; web.form_invalid with pointers to them. */
export function proposalFrom(
  kind: ClientChangeKind | 'create',
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
  throw refusal(faultsOf(parsed.error.issues, words));

  function refusal(fields: FieldError[]) {
    return webErrors.form_invalid(words.form, { fields });
  }
}

/** One line for each field, and for each key one with the names of its wrong members. */
export function faultsOf(issues: readonly Issue[], words: Text['clients']): FieldError[] {
  const fields = new Map<string, Set<string>>();
  for (const issue of issues) {
    const [field, index, member] = issue.path.map(String);
    const place = field === 'keys' && index !== undefined ? `/keys/${index}` : `/${field}`;
    const names = fields.get(place) ?? new Set();
    for (const name of member === undefined ? (issue.keys ?? []) : [member]) names.add(name);
    fields.set(place, names);
  }
  return [...fields].map(([pointer, names]) => ({
    pointer,
    detail: names.size > 0 ? `${words.keyWrong}${[...names].join(', ')}` : words.fieldWrong,
  }));
}

/** A key set as departments send it: a JWKS, its list, or one key; null when it is no JSON of those. */
export function readKeys(text: string): unknown[] | null {
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
export function endOf(day: string, cityTz: string): string {
  if (day === '') return '1970-01-01T00:00:00Z';
  return /^\d{4}-\d{2}-\d{2}$/.test(day) && !Number.isNaN(Date.parse(day))
    ? endOfCityDay(day, cityTz).toISOString()
    : day;
}
