// Parameters and answers against their JSON Schemas (ajv), with pointers into the caller's body.
import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv';
import addFormats from 'ajv-formats';
import { CITIZEN_ID_PATTERN, isCitizenId, isUscc } from '../identity/index.ts';
import { boundedPattern, type FieldError, type JsonObject } from '../platform/index.ts';

/** A JSON Schema of an object, as services and licence types write it. */
export interface ObjectSchema extends JsonObject {
  type: 'object';
  properties: Record<string, JsonObject>;
  required?: string[];
}

/** What is wrong with a value: its identifiers apart, for they have codes of their own. */
export interface SchemaFaults {
  citizenIds: FieldError[];
  usccs: FieldError[];
  others: FieldError[];
}

export type SchemaCheck = (value: JsonObject, prefix: string) => SchemaFaults;

// Annotations of the sample's schemas; any other unknown word in a schema is a fault of the schema.
const annotations = ['title_zh', 'title_en', 'sensitivity', 'mask', 'code_list', 'unit'];

/** No service has as many; each member it doesn't ask for would be a fault of its own. */
const mostMembers = 500;

/**
 * Compiles a schema; throws what ajv says when the schema itself is wrong. A string that must match
 * the citizen-ID pattern must also hold by its check digit, whether or not the schema says so.
 */
export function compileSchema(schema: ObjectSchema): SchemaCheck {
  const ajv = new Ajv({
    allErrors: true,
    verbose: true,
    strictTypes: false,
    strictRequired: false,
    code: { regExp: boundedPattern },
  });
  addFormats.default(ajv);
  ajv.addFormat('citizen-id', isCitizenId);
  ajv.addFormat('uscc', isUscc);
  ajv.addFormat('project-code', true);
  ajv.addVocabulary(annotations);
  const validate = ajv.compile(withIdentifierFormats(schema));
  return (value, prefix) => {
    if (Object.keys(value).length <= mostMembers) return faultsOf(validate, value, prefix);
    const detail = `must not have more than ${mostMembers} members`;
    return { citizenIds: [], usccs: [], others: [{ pointer: prefix, detail }] };
  };
}

/** True when the value holds to the schema. */
export function hasNoFaults(faults: SchemaFaults): boolean {
  return faults.citizenIds.length + faults.usccs.length + faults.others.length === 0;
}

/** The schema with only these properties, required only where the whole one requires them. */
export function narrowSchema(schema: ObjectSchema, fields: readonly string[]): ObjectSchema {
  const kept = Object.entries(schema.properties).filter(([name]) => fields.includes(name));
  return {
    ...schema,
    properties: Object.fromEntries(kept),
    required: (schema.required ?? []).filter((name) => fields.includes(name)),
    additionalProperties: false,
  };
}

/** True for the schema of one citizen ID. */
export function isCitizenIdSchema(schema: JsonObject): boolean {
  return schema.format === 'citizen-id' || schema.pattern === CITIZEN_ID_PATTERN;
}

function withIdentifierFormats(schema: JsonObject): JsonObject {
  const marked: JsonObject = isCitizenIdSchema(schema)
    ? { ...schema, format: 'citizen-id' }
    : { ...schema };
  for (const [key, value] of Object.entries(marked)) {
    if (isObject(value)) marked[key] = withIdentifierFormats(value);
  }
  return marked;
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function faultsOf(validate: ValidateFunction, value: JsonObject, prefix: string): SchemaFaults {
  const faults: SchemaFaults = { citizenIds: [], usccs: [], others: [] };
  if (validate(value)) return faults;
  const seen = new Set<string>();
  for (const error of validate.errors ?? []) {
    const fault = { pointer: prefix + pointerOf(error), detail: detailOf(error) };
    if (seen.has(fault.pointer)) continue;
    seen.add(fault.pointer);
    kindOf(error, faults).push(fault);
  }
  return faults;
}

function kindOf(error: ErrorObject, faults: SchemaFaults): FieldError[] {
  if (error.keyword !== 'format' && error.keyword !== 'pattern') return faults.others;
  const format = error.parentSchema?.format;
  if (format === 'citizen-id') return faults.citizenIds;
  return format === 'uscc' ? faults.usccs : faults.others;
}

function pointerOf(error: ErrorObject): string {
  const own = error.params.missingProperty ?? error.params.additionalProperty;
  if (typeof own !== 'string') return error.instancePath;
  return `${error.instancePath}/${own.replaceAll('~', '~0').replaceAll('/', '~1')}`;
}

// The value itself is never repeated: it may be an identifier.
function detailOf(error: ErrorObject): string {
  switch (error.keyword) {
    case 'required':
      return 'is missing';
    case 'additionalProperties':
      return 'is not asked for';
    case 'enum':
      return `must be one of: ${JSON.stringify(error.params.allowedValues)}`;
    default:
      return error.message ?? 'is not valid';
  }
}
