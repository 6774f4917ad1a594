// Citizen IDs inside licence fields and parameters: a value on the way in becomes a reference to that
// person, so that rules, rows and indexes never hold one, and erasing her erases it everywhere.
import type { FieldError, Json, JsonObject, Tx } from '../platform/index.ts';
import { identityErrors } from './errors.ts';
import { CITIZEN_ID_PATTERN, foldIdentifier, isCitizenId } from './identifiers.ts';
import type { People } from './people.ts';

const REFERENCE = '$person';

interface Place {
  pointer: string;
  value: Json;
}

/** References in and out of field objects. */
export function createReferences({ people }: { people: People }) {
  return {
    /**
     * Replaces every citizen ID the schema declares (format 'citizen-id' or its pattern, in properties
     * and array items, at any depth; not behind $ref or oneOf) by { $person: id }. Refuses an invalid one, and any
     * reference smuggled in from outside. `base` is the JSON pointer of `fields` in the caller's body.
     */
    async internReferences(
      tx: Tx,
      schema: JsonObject,
      fields: JsonObject,
      base = '/fields',
    ): Promise<JsonObject> {
      const places: Place[] = [];
      const faults: FieldError[] = [];
      walk(schema, fields, base, (pointer, value) => {
        places.push({ pointer, value });
        return value;
      });
      for (const { pointer, value } of places) {
        if (typeof value !== 'string' || !isCitizenId(foldIdentifier(value))) {
          faults.push({ pointer, detail: 'This is not a citizen ID: check its 18 characters.' });
        }
      }
      if (faults.length > 0) {
        throw identityErrors.citizen_id_invalid('A field is not a citizen ID.', { fields: faults });
      }
      const smuggled = findReference(fields, base);
      if (smuggled !== undefined) {
        throw identityErrors.reference_invalid('A field can not hold a reference; give the ID.', {
          fields: [{ pointer: smuggled, detail: `"${REFERENCE}" is reserved.` }],
        });
      }
      const named = places.map(({ value }) => ({ scheme: 'cn-id' as const, value: String(value) }));
      const ids = await people.ensurePeople(tx, named, (at) => places[at]?.pointer ?? base);
      let next = 0;
      return asObject(walk(schema, fields, base, () => ({ [REFERENCE]: ids[next++] })));
    },

    /** Puts the citizen IDs back where references stand; null where the person was erased. */
    async resolveReferences(tx: Tx, fields: JsonObject): Promise<JsonObject> {
      const wanted: string[] = [];
      replaceReferences(fields, (id) => {
        wanted.push(id);
        return null;
      });
      if (wanted.length === 0) return fields;
      const revealed = await people.revealPeople(tx, wanted);
      return asObject(replaceReferences(fields, (id) => revealed.get(id)?.value ?? null));
    },
  };
}

function isCitizenIdSchema(schema: JsonObject): boolean {
  return schema.format === 'citizen-id' || schema.pattern === CITIZEN_ID_PATTERN;
}

/** Rebuilds `value`, putting visit's result wherever the schema declares a citizen ID. */
function walk(
  schema: Json | undefined,
  value: Json,
  pointer: string,
  visit: (pointer: string, value: Json) => Json,
): Json {
  if (!isObject(schema)) return value;
  if (isCitizenIdSchema(schema)) return visit(pointer, value);
  if (Array.isArray(value)) {
    return value.map((item, at) => walk(schema.items, item, `${pointer}/${at}`, visit));
  }
  const { properties } = schema;
  if (!isObject(value) || !isObject(properties)) return value;
  return mapMembers(value, (name, member) =>
    walk(own(properties, name), member, `${pointer}/${escapePointer(name)}`, visit),
  );
}

/** The pointer of the first reference in a value, if there is one. */
function findReference(value: Json, pointer: string): string | undefined {
  if (Array.isArray(value)) {
    for (const [at, item] of value.entries()) {
      const found = findReference(item, `${pointer}/${at}`);
      if (found !== undefined) return found;
    }
    return undefined;
  }
  if (!isObject(value)) return undefined;
  if (Object.hasOwn(value, REFERENCE)) return pointer;
  for (const [name, member] of Object.entries(value)) {
    const found = findReference(member ?? null, `${pointer}/${escapePointer(name)}`);
    if (found !== undefined) return found;
  }
  return undefined;
}

function replaceReferences(value: Json, replace: (personId: string) => Json): Json {
  if (Array.isArray(value)) return value.map((item) => replaceReferences(item, replace));
  if (!isObject(value)) return value;
  const id = own(value, REFERENCE);
  if (typeof id === 'string') return replace(id);
  return mapMembers(value, (_, member) => replaceReferences(member, replace));
}

function mapMembers(object: JsonObject, change: (name: string, member: Json) => Json): JsonObject {
  return Object.fromEntries(
    Object.entries(object).map(([name, member]) => [
      name,
      member === undefined ? undefined : change(name, member),
    ]),
  );
}

function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function own(object: JsonObject, name: string): Json | undefined {
  return Object.hasOwn(object, name) ? object[name] : undefined;
}

function asObject(value: Json): JsonObject {
  if (!isObject(value)) throw new TypeError('Fields are an object.');
  return value;
}

function escapePointer(name: string): string {
  return name.replaceAll('~', '~0').replaceAll('/', '~1');
}
