// Codes as people read them: refusals, values and the log's words. What has no words yet reads as it is.
import type { AppError, FieldError } from '../platform/index.ts';
import { fieldId, type PageContext } from './page.tsx';
import { kindsZh, refusalsZh } from './text/refusals-zh.ts';
import { valuesZh } from './text/values-zh.ts';

/** A refusal as a page tells it. */
export interface Told {
  detail: string;
  fields?: FieldError[] | undefined;
}

/** The number that was asked about is at fault, though no pointer says so. */
const aboutTheNumber = new Set([
  'identity.citizen_id_invalid',
  'identity.uscc_invalid',
  'exchange.subject_kind',
  'identity.person_not_found',
  'oversight.unknown_subject',
  'oversight.other_subject',
]);

/** A refusal in the page's language; `numberField` is the form's field for a person's number. */
export function told(c: PageContext, error: AppError, numberField?: string): Told {
  const detail = refusalWords(c, error);
  // The pages' own refusals were written in the page's language.
  if (error.code === 'web.form_invalid') return { detail: error.detail, fields: error.fields };
  const { fieldFaults } = c.get('text');
  const isChinese = c.get('lang') === 'zh';
  const fields = error.fields?.map(({ pointer, detail: why }) => ({
    pointer,
    detail: fieldFaults[fieldId(pointer)] ?? (isChinese ? fieldFaults.other : why) ?? why,
  }));
  const isUnnamed = !fields?.length && numberField && aboutTheNumber.has(error.code);
  return { detail, fields: isUnnamed ? [{ pointer: `/${numberField}`, detail }] : fields };
}

/** One sentence on what was refused and what to do. */
export function refusalWords(c: PageContext, error: AppError): string {
  const ownWords = refusalsZh[error.code];
  // Most of what isn't found has no words of its own: whether it exists is nobody's business.
  if (error.kind === 'not_found' && ownWords === undefined) return c.get('text').error.notFound;
  if (c.get('lang') === 'en') return error.detail;
  return ownWords ?? kindsZh[error.kind];
}

/** A value of an answer or a licence field. */
export function valueWords(c: PageContext, value: unknown): string {
  const text = c.get('text');
  if (typeof value === 'boolean') return value ? text.yes : text.no;
  if (Array.isArray(value)) return value.map((one) => valueWords(c, one)).join(text.comma);
  const word = String(value ?? '—');
  if (c.get('lang') === 'zh') return valuesZh[word] ?? word;
  return /^[a-z]+(_[a-z]+)+$/.test(word) ? word.replaceAll('_', ' ') : word;
}

/** A property of a JSON Schema, as far as pages read it. */
export interface PropertySchema {
  type?: string;
  enum?: string[];
  title_zh?: string;
  title_en?: string;
}

/** The schema's properties; services' and licence types' schemas are object schemas by publication. */
export function propertiesOf(schema: unknown): Record<string, PropertySchema> {
  const { properties = {} } = (schema ?? {}) as { properties?: Record<string, PropertySchema> }; // checked when published
  return properties;
}

/** The title a JSON Schema's property has in the page's language. */
export function titleWords(c: PageContext, name: string, schema: PropertySchema = {}): string {
  return (c.get('lang') === 'en' ? schema.title_en : schema.title_zh) ?? name;
}

/** What an entry of the log records. */
export function eventWords(c: PageContext, type: string): string {
  const events: Record<string, string | undefined> = c.get('text').events;
  return events[type] ?? type;
}

/** In which role somebody looked; the kinds without a department say it by their name already. */
export function roleWords(c: PageContext, role: string | null | undefined): string {
  const roles: Record<string, string | undefined> = c.get('text').roles;
  return role ? (roles[role] ?? role) : '';
}

/** A verification code as it is read out and typed: QRTH-QEVM-AA2F-TH84. The check folds the hyphens away. */
export function inFours(code: string): string {
  return code.match(/.{1,4}/g)?.join('-') ?? code;
}
