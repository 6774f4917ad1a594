// The conditions of a search as a form has them: an empty field is none.
import { isUscc, type PersonIdentifier } from '../identity/index.ts';

export const CONDITION_FIELDS = [
  'department',
  'service',
  'caseId',
  'outcome',
  'type',
  'actor',
  'purpose',
  'from',
  'to',
  'subject',
] as const;

export type ConditionField = (typeof CONDITION_FIELDS)[number];

/** What the services take. */
export function queryOf(form: Record<string, string>): {
  [name in Exclude<ConditionField, 'subject'>]?: string;
} & { subject?: PersonIdentifier } {
  const given = CONDITION_FIELDS.flatMap((name): [ConditionField, string][] => {
    const value = form[name]?.trim();
    return value && name !== 'subject' ? [[name, value]] : [];
  });
  const value = form.subject?.trim();
  return {
    ...Object.fromEntries(given),
    ...(value ? { subject: { scheme: isUscc(value) ? 'uscc' : 'cn-id', value } } : {}),
  };
}
