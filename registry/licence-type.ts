// A licence type as data: its definition, what publication checks, and which of its fields may be
// shown to anyone or compared by anyone (contract section 6).
import { z } from 'zod';
import { isUscc } from '../identity/index.ts';
import type { JsonObject } from '../platform/index.ts';
import { DocumentTemplate } from '../signing/index.ts';
import { objectOf, propertiesOf, schemaFaults } from './field-schema.ts';
import { ValidityRule } from './validity.ts';

const id = z.string().regex(/^[A-Z][A-Z0-9-]{1,63}$/, 'is written like LT-IDCARD');
const fieldNames = z.array(z.string().min(1).max(64)).max(200).default([]);
const GB_TYPE_CODE = /^([0-9A-HJ-NPQRTUWXY]{18})\d{3,6}$/;

/** Issued only for the purposes the law leaves; everyone else asks the exchange. */
export const IssueRule = z.strictObject({
  kind: z.literal('purpose_limited'),
  allowedPurposes: z.array(z.string().min(1).max(64)).min(1).max(100),
  refuseCode: z.literal('use_exchange_instead'),
  legalBasis: z.array(z.string().min(1).max(64)).default([]),
  textZh: z.string().max(1000).optional(),
  textEn: z.string().max(1000).optional(),
});
export type IssueRule = z.infer<typeof IssueRule>;

/** A JSON object whose inside the field schema rules judge. */
const JsonSchemaObject = z.record(z.string(), z.json());

export const TypeDefinition = z.strictObject({
  id,
  code: z
    .string()
    .refine(
      (code) => isUscc(GB_TYPE_CODE.exec(code)?.[1] ?? ''),
      'is the USCC of the defining authority and three digits (GB/T 36904)',
    ),
  nameZh: z.string().min(1).max(200),
  nameEn: z.string().min(1).max(200),
  category: z.string().min(1).max(64).default('personal'),
  holderKind: z.enum(['person', 'legal_person']),
  issuer: z.string().min(1).max(64),
  validity: ValidityRule,
  schema: JsonSchemaObject,
  faceFields: fieldNames,
  faceRevealFields: fieldNames,
  publicFields: fieldNames,
  shareClass: z.enum(['unconditional', 'conditional', 'never']).default('conditional'),
  terminalPrintable: z.boolean().default(false),
  fourEyes: z.boolean().default(false),
  issueRule: IssueRule.optional(),
  /** How its documents look; absent: plain. */
  template: DocumentTemplate.optional(),
});
export type TypeDefinition = z.infer<typeof TypeDefinition>;

/** One published version of a type. */
export interface LicenceType extends TypeDefinition {
  version: number;
}

// The form of data/sample-world.json, which is also what other registers exchange.
const otherNames: Record<string, string> = { type_code: 'code', qr_public_fields: 'publicFields' };

/**
 * A definition as it may be written: keys in camelCase, or as in the sample city's file
 * (`type_code`, `name_zh`, `qr_public_fields`). What a field schema holds is left as it is; one
 * that doesn't speak of further fields means that there are none.
 */
export function readTypeDefinition(written: unknown): z.ZodSafeParseResult<TypeDefinition> {
  const { schema, issueRule, ...rest } = camelKeys(written);
  return TypeDefinition.safeParse({
    ...rest,
    ...(issueRule === undefined ? {} : { issueRule: camelKeys(issueRule) }),
    schema: isRecord(schema) ? { additionalProperties: false, ...schema } : schema,
  });
}

function camelKeys(written: unknown): Record<string, unknown> {
  if (!isRecord(written)) return {};
  const camel = (key: string) =>
    otherNames[key] ?? key.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
  return Object.fromEntries(Object.entries(written).map(([key, value]) => [camel(key), value]));
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** What stops a well-formed definition from going live, each fault with its pointer. */
export function definitionFaults(
  definition: TypeDefinition,
): { pointer: string; detail: string }[] {
  const faults = schemaFaults(definition.schema).map((detail) => ({ pointer: '/schema', detail }));
  const known = new Map(propertiesOf(definition.schema).map(({ name, schema }) => [name, schema]));
  for (const list of ['faceFields', 'faceRevealFields', 'publicFields'] as const) {
    definition[list].forEach((name, at) => {
      const property = known.get(name);
      const pointer = `/${list}/${at}`;
      if (!property) faults.push({ pointer, detail: 'is not a field of the schema' });
      else if (list === 'publicFields' && !isPublishable(property))
        faults.push({ pointer, detail: 'is sensitive or names a person: never public' });
    });
  }
  return faults;
}

function isPublishable(property: JsonObject): boolean {
  return property.sensitivity !== 'sensitive' && property.format !== 'citizen-id';
}

/**
 * The fields anyone may compare besides holderName, holderId and validTo: free text on the face. A
 * field of few values (an enum, a date, an amount, a coded or patterned text) would be guessed, and
 * a sensitive one must not be confirmed.
 */
export function comparableFields(type: TypeDefinition): string[] {
  return propertiesOf(type.schema)
    .filter(({ name, schema }) => type.faceFields.includes(name) && isFreeText(schema))
    .map(({ name }) => name);
}

const narrowing = ['enum', 'const', 'code_list', 'format', 'pattern', 'anyOf', 'oneOf', '$ref'];

function isFreeText(property: JsonObject): boolean {
  return (
    property.type === 'string' &&
    property.sensitivity !== 'sensitive' &&
    narrowing.every((keyword) => property[keyword] === undefined)
  );
}

/** Text as two people would call it the same: width, case and blanks folded. */
export function foldForComparison(text: string): string {
  return text.normalize('NFKC').toUpperCase().replace(/\s+/g, '');
}

/** The title of a field in a language, its name where it has none. */
export function fieldTitle(type: TypeDefinition, name: string, language: 'zh' | 'en'): string {
  const title = objectOf(objectOf(type.schema.properties)[name])[`title_${language}`];
  return typeof title === 'string' ? title : name;
}
