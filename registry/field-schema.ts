// The JSON Schema (2020-12) of a licence type's fields: what it may hold, and checking values by it.
import { Ajv2020, type ErrorObject, type ValidateFunction } from 'ajv/dist/2020.js';
import formats from 'ajv-formats';
import { isCitizenId, isUscc } from '../identity/index.ts';
import {
  boundedPattern,
  type FieldError,
  isExplosive,
  type Json,
  type JsonObject,
} from '../platform/index.ts';
import { isMask } from './masks.ts';

// 4 year, 6 area, 2 trade, 2 kind, 6 serial in the national form; older local codes are shorter.
const PROJECT_CODE = /^(?=.{8,32}$)[0-9A-Z]+(-[0-9A-Z]+)*$/;
const ownFormats: Record<string, (value: string) => boolean> = {
  'citizen-id': isCitizenId,
  uscc: isUscc,
  'project-code': (value) => PROJECT_CODE.test(value),
};
const standardFormats = ['date', 'time', 'date-time', 'uri', 'email', 'uuid'] as const;
const LONGEST_PATTERN = 200;

/** Checks the fields of one version of one type; an empty list when they hold. */
export type FieldCheck = (fields: JsonObject) => FieldError[];

// Made once: an instance with its formats costs 30 ms, a schema 3 ms.
const ajv = newAjv();

// An unknown keyword (title_zh, sensitivity, code_list, mask, unit …) is an annotation, not a fault.
function newAjv(): Ajv2020 {
  const made = new Ajv2020({
    allErrors: true,
    strict: false,
    logger: false,
    messages: true,
    code: { regExp: boundedPattern },
  });
  formats.default(made, [...standardFormats]);
  for (const [name, validate] of Object.entries(ownFormats)) made.addFormat(name, { validate });
  return made;
}

function compile(schema: JsonObject): ValidateFunction {
  try {
    return ajv.compile(schema);
  } finally {
    // The instance would keep every schema for ever, and refuse another one of the same $id.
    ajv.removeSchema(schema);
  }
}

/** What stops a schema from being a type's: empty when it can be published. */
export function schemaFaults(schema: JsonObject): string[] {
  const faults = [...formFaults(schema), ...nestedFaults(schema)];
  if (faults.length > 0) return faults;
  try {
    compile(schema);
    return [];
  } catch (error) {
    return [error instanceof Error ? error.message : 'does not compile'];
  }
}

/** No type has as many; each member that isn't the type's would be a fault of its own. */
const mostMembers = 500;

/** Compiles a published schema. */
export function compileFieldCheck(schema: JsonObject): FieldCheck {
  const validate = compile(schema);
  return (fields) => {
    if (Object.keys(fields).length > mostMembers) {
      return [{ pointer: '/fields', detail: `must not have more than ${mostMembers} members` }];
    }
    return validate(fields) ? [] : (validate.errors ?? []).map(toFieldError);
  };
}

/** A property of a schema with what the registry reads from it. */
export interface FieldProperty {
  name: string;
  schema: JsonObject;
}

/** The fields a schema names, in its order. */
export function propertiesOf(schema: JsonObject): FieldProperty[] {
  return Object.entries(objectOf(schema.properties)).map(([name, property]) => ({
    name,
    schema: objectOf(property),
  }));
}

/** The value as an object; an empty one when it is none. */
export function objectOf(value: Json | undefined): JsonObject {
  return value !== null && typeof value === 'object' && !Array.isArray(value) ? value : {};
}

function formFaults(schema: JsonObject): string[] {
  const faults: string[] = [];
  if (schema.type !== 'object') faults.push('type must be "object"');
  if (propertiesOf(schema).length === 0) faults.push('properties must name at least one field');
  // A field the schema doesn't name would have no title, no sensitivity and no place in a credential.
  if (schema.additionalProperties !== false) faults.push('additionalProperties must be false');
  return faults;
}

function nestedFaults(value: Json | undefined): string[] {
  if (Array.isArray(value)) return value.flatMap(nestedFaults);
  if (value === null || typeof value !== 'object') return [];
  const { format, pattern, mask, $ref: reference } = value;
  const faults: string[] = [];
  if (typeof format === 'string' && !isKnownFormat(format)) faults.push(`unknown format ${format}`);
  if (typeof pattern === 'string' && pattern.length > LONGEST_PATTERN)
    faults.push(`a pattern has at most ${LONGEST_PATTERN} characters`);
  else if (typeof pattern === 'string' && isExplosive(pattern))
    faults.push(
      `the pattern ${pattern} repeats what repeats or chooses: it would never end on some text`,
    );
  if (typeof mask === 'string' && !isMask(mask)) faults.push(`unknown mask ${mask}`);
  if (typeof reference === 'string' && !reference.startsWith('#'))
    faults.push('a reference must stay inside the schema');
  return [...faults, ...Object.values(value).flatMap(nestedFaults)];
}

function isKnownFormat(format: string): boolean {
  return format in ownFormats || standardFormats.some((known) => known === format);
}

// Ajv names the object that lacks or has too much; the pointer should name the member itself.
function toFieldError({ instancePath, keyword, params, message }: ErrorObject): FieldError {
  const member: unknown =
    keyword === 'required'
      ? params.missingProperty
      : keyword === 'additionalProperties'
        ? params.additionalProperty
        : undefined;
  const tail =
    typeof member === 'string' ? `/${member.replaceAll('~', '~0').replaceAll('/', '~1')}` : '';
  return { pointer: `/fields${instancePath}${tail}`, detail: detailOf(keyword, params, message) };
}

function detailOf(
  keyword: string,
  params: ErrorObject['params'],
  message: string | undefined,
): string {
  if (keyword === 'required') return 'is required';
  if (keyword === 'additionalProperties') return 'is not a field of this type';
  const allowed: unknown = params.allowedValues;
  if (keyword === 'enum' && Array.isArray(allowed)) return `must be one of ${allowed.join(', ')}`;
  return message ?? 'is not as the type asks';
}
