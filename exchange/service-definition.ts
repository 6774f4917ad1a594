// A verification service as data (contract section 4.2): who answers which question, on what legal
// basis, and how little of the answer leaves.
import { z } from 'zod';
import { type FieldError, isExplosive, type Json, type JsonObject } from '../platform/index.ts';
import { AnswerRule } from './answer-rule.ts';
import { compileSchema, type ObjectSchema } from './schema-check.ts';

const code = z.string().regex(/^[A-Z][A-Z0-9-]{1,63}$/, 'is capital letters, digits and hyphens');
const word = z.string().min(1).max(200);
const line = z.string().min(1).max(1000);

const Schema = z.custom<ObjectSchema>(
  (value) => isObject(value) && value.type === 'object' && isObject(value.properties),
  'is not the JSON Schema of an object',
);

export const ServiceDefinition = z.strictObject({
  code,
  nameZh: line,
  nameEn: line,
  provider: word,
  /** Departments the service is meant for; each still needs an agreement. */
  requesters: z.array(word).default([]),
  subjectKind: z.enum(['person', 'legal_person']),
  questionZh: line,
  questionEn: line,
  paramsSchema: Schema,
  answerSchema: Schema,
  minimalDisclosure: z.strictObject({
    kind: z.enum(['match', 'boolean', 'threshold', 'enum']),
    textZh: line,
    textEn: line,
    fields: z.array(word).min(1),
  }),
  legalBasis: z.array(word).min(1),
  sourceLicenceTypes: z.array(word).default([]),
  shareClass: z.enum(['unconditional', 'conditional']).default('conditional'),
  consent: z.enum(['none', 'notice', 'required']),
  mode: z.enum(['auto', 'auto_then_manual', 'manual']),
  sla: z.strictObject({
    kind: z.enum(['seconds', 'working_days']),
    value: z.int().min(1).max(3600),
  }),
  answerSensitivity: z.enum(['public', 'personal', 'sensitive']).default('personal'),
  citizenVisibility: z.enum(['immediate', 'delayed']).default('immediate'),
  /** Two officers of the provider must approve an agreement over it. */
  fourEyes: z.boolean().default(false),
  /** An answer given by hand takes two officers: one proposes it, another approves. */
  answerFourEyes: z.boolean().default(false),
  answerRetentionDays: z.int().min(1).max(3650),
  replacesPaperZh: line.optional(),
  rule: AnswerRule.optional(),
});
export type ServiceDefinition = z.infer<typeof ServiceDefinition>;

/** A published version: the definition, and what the rule may name, as it was checked. */
export interface PublishedService extends ServiceDefinition {
  version: number;
  /** Field names of the source licence types when it was published. */
  licenceFields: Record<string, string[]>;
}

/**
 * A definition as it may be written: keys in camelCase, or as in the sample city's file (`id`,
 * `params_schema`, `legal_basis`). Schemas and the rule are taken as they stand.
 */
export function readServiceDefinition(written: unknown): z.ZodSafeParseResult<ServiceDefinition> {
  if (!isObject(written)) return ServiceDefinition.safeParse(written);
  const { minimalDisclosure, ...rest } = camelKeys(written);
  return ServiceDefinition.safeParse({
    ...rest,
    ...(isObject(minimalDisclosure) && { minimalDisclosure: camelKeys(minimalDisclosure) }),
  });
}

function camelKeys(object: JsonObject): JsonObject {
  const camel = (key: string) =>
    key === 'id' ? 'code' : key.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
  return Object.fromEntries(Object.entries(object).map(([key, value]) => [camel(key), value]));
}

/** What stops a well-formed definition from going live, each fault with its pointer. */
export function definitionFaults(definition: ServiceDefinition): FieldError[] {
  const faults: FieldError[] = [];
  const fault = (pointer: string, detail: string) => faults.push({ pointer, detail });
  for (const name of ['paramsSchema', 'answerSchema'] as const) {
    const schema = definition[name];
    const combined = findCombined(schema);
    // An identifier behind these would be stored as it came instead of as a reference.
    if (combined) fault(`/${name}`, `${combined} can not be used here`);
    for (const pattern of patternsIn(schema)) {
      if (isExplosive(pattern))
        fault(`/${name}`, `the pattern ${pattern} would never end on some text`);
    }
    if (schema.additionalProperties !== false) {
      fault(`/${name}`, 'additionalProperties must be false');
    }
    try {
      compileSchema(schema);
    } catch (error) {
      fault(`/${name}`, error instanceof Error ? error.message : 'does not compile');
    }
  }
  for (const [at, name] of definition.minimalDisclosure.fields.entries()) {
    if (!Object.hasOwn(definition.answerSchema.properties, name)) {
      fault(`/minimalDisclosure/fields/${at}`, 'is not a field of the answer');
    }
  }
  const isByRule = definition.mode !== 'manual';
  if (isByRule && !definition.rule) fault('/rule', 'is missing: this mode answers by rule');
  if (!isByRule && definition.rule) fault('/rule', 'is not used: this mode answers by hand');
  return faults;
}

const combining = [
  '$ref',
  '$dynamicRef',
  'oneOf',
  'anyOf',
  'allOf',
  'not',
  'if',
  'patternProperties',
];

function findCombined(schema: JsonObject): string | undefined {
  for (const [key, value] of Object.entries(schema)) {
    if (combining.includes(key)) return key;
    const nested = key === 'properties' || key === 'items' ? childrenOf(value) : [];
    for (const child of nested) {
      const found = findCombined(child);
      if (found) return found;
    }
  }
  return undefined;
}

function patternsIn(schema: Json | undefined): string[] {
  if (Array.isArray(schema)) return schema.flatMap(patternsIn);
  if (!isObject(schema)) return [];
  const own = typeof schema.pattern === 'string' ? [schema.pattern] : [];
  return [...own, ...Object.values(schema).flatMap(patternsIn)];
}

function childrenOf(value: Json | undefined): JsonObject[] {
  if (!isObject(value)) return [];
  return [value, ...Object.values(value).filter(isObject)];
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
