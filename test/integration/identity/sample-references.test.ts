// Every citizen ID that a type or a question of the sample can hold becomes a reference: no value of
// one is left in what would be stored.
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { readWorld } from '../../../cli/sample/world.ts';
import { CITIZEN_ID_PATTERN, containsCitizenId } from '../../../identity/index.ts';
import type { Json, JsonObject } from '../../../platform/index.ts';
import { withDatabase } from '../../support/database.ts';
import { citizenId, makeIdentity } from './house.ts';

const { database } = withDatabase();
const identity = makeIdentity(database);
const world = readWorld();
const Schema = z.record(z.string(), z.custom<Json>());

const declared: [string, JsonObject][] = [
  ...world.licence_types.map((type): [string, JsonObject] => [type.id, schemaIn(type, 'schema')]),
  ...world.verification_services.map((service): [string, JsonObject] => [
    service.id,
    schemaIn(service, 'params_schema'),
  ]),
];

function schemaIn(part: object, name: string): JsonObject {
  return Schema.parse(Object.entries(part).find(([key]) => key === name)?.[1]);
}

const isId = (schema: JsonObject): boolean =>
  schema.format === 'citizen-id' || schema.pattern === CITIZEN_ID_PATTERN;
const idPlaces = (schema: string): number =>
  ['"citizen-id"', JSON.stringify(CITIZEN_ID_PATTERN)].reduce(
    (sum, mark) => sum + schema.split(mark).length - 1,
    0,
  );

let serial = 0;

/** A value for a schema: an ID wherever a text without choices may stand, and in each array. */
function filled(schema: Json | undefined): Json {
  if (typeof schema !== 'object' || schema === null || Array.isArray(schema)) return null;
  const { properties, items, type, enum: choices } = schema;
  if (typeof properties === 'object' && properties !== null && !Array.isArray(properties)) {
    return Object.fromEntries(
      Object.entries(properties).map(([name, part]) => [name, filled(part)]),
    );
  }
  if (items !== undefined) return [filled(items)];
  if (!isId(schema)) return choices === undefined ? `text of a ${type}` : 'x';
  serial += 1;
  return citizenId('19730303', serial);
}

/** The names of properties that are called an identifier of a person. */
function idNames(schema: Json | undefined): string[] {
  if (typeof schema !== 'object' || schema === null) return [];
  return Object.entries(schema).flatMap(([name, part]) => [
    ...(/(^|_)(id|ids|id_no|id_number|citizen_id)$/.test(name) && typeof part === 'object'
      ? [`${name}: ${JSON.stringify(part)}`]
      : []),
    ...idNames(part),
  ]);
}

describe('the sample', () => {
  test('has all its types and questions here', () => {
    expect(declared.length).toBe(world.licence_types.length + world.verification_services.length);
    expect(declared.length).toBeGreaterThanOrEqual(72);
  });

  test('declares each field that is called a person’s ID as a citizen ID', () => {
    const undeclared = declared.flatMap(([id, schema]) =>
      idNames(schema)
        .filter((property) => idPlaces(property) === 0)
        .map((property) => `${id} ${property}`),
    );
    expect(undeclared).toEqual([]);
  });

  test.each(declared)('%s keeps no value of an ID', async (_, schema) => {
    const filledBefore = serial;
    const before = filled(schema);
    const places = serial - filledBefore;
    const fields = await identity.internReferences(database.db, schema, Schema.parse(before));
    const kept = JSON.stringify(fields);
    expect(containsCitizenId(kept)).toBe(false);
    expect(kept.split('"$person"').length - 1).toBe(places);
    expect(await identity.resolveReferences(database.db, fields)).toEqual(before);
  });
});
