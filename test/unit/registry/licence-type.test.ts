import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { compileFieldCheck, propertiesOf } from '../../../registry/field-schema.ts';
import {
  comparableFields,
  definitionFaults,
  readTypeDefinition,
  type TypeDefinition,
} from '../../../registry/licence-type.ts';
import { maskText } from '../../../registry/masks.ts';

const world: { licence_types: Record<string, unknown>[] } = JSON.parse(
  readFileSync(new URL('../../../data/sample-world.json', import.meta.url), 'utf8'),
);

function definitionOf(id: string, changes: Record<string, unknown> = {}): TypeDefinition {
  const written = world.licence_types.find((type) => type.id === id);
  const read = readTypeDefinition({ ...written, ...changes });
  if (!read.success) throw read.error;
  return read.data;
}

test('all 40 types of the sample city can be published as they are written', () => {
  const faults = world.licence_types.map((written) => {
    const read = readTypeDefinition(written);
    return read.success ? definitionFaults(read.data) : read.error.issues;
  });
  expect(faults).toEqual(Array.from({ length: 40 }, () => []));
});

test('a definition is read the same in camelCase', () => {
  const definition = definitionOf('LT-NOMARRIAGE');
  expect(readTypeDefinition(definition)).toEqual({ success: true, data: definition });
  expect(definition.issueRule).toMatchObject({ allowedPurposes: ['PUR-NOTARY-ABROAD'] });
});

test('a schema that is silent about further fields allows none', () => {
  const schema = { type: 'object', properties: { a: { type: 'string' } } };
  expect(definitionOf('LT-HUKOU', { schema, face_fields: [] }).schema).toEqual({
    ...schema,
    additionalProperties: false,
  });
});

describe('a definition that can not be read', () => {
  const cases: [string, Record<string, unknown>, string][] = [
    ['an id in another form', { id: 'lt idcard' }, 'id'],
    ['a code whose USCC is wrong', { type_code: '11990100009900022N001' }, 'code'],
    ['a code without an ordinal', { type_code: '11990100009900021N' }, 'code'],
    ['an unknown validity', { validity: { kind: 'forever' } }, 'validity'],
    ['a key nobody knows', { colour: 'red' }, ''],
    ['a holder of no kind', { holder_kind: 'dog' }, 'holderKind'],
  ];
  for (const [title, changes, path] of cases) {
    test(title, () => {
      const written = world.licence_types[0];
      const read = readTypeDefinition({ ...written, ...changes });
      expect(read.error?.issues.map((issue) => String(issue.path[0] ?? ''))).toEqual([path]);
    });
  }
});

describe('a definition that can not go live', () => {
  const string = { type: 'string' };
  const cases: [string, Record<string, unknown>, string][] = [
    ['a face field outside the schema', { face_fields: ['shoe_size'] }, '/faceFields/0'],
    ['a sensitive public field', { qr_public_fields: ['photo_ref'] }, '/publicFields/0'],
    [
      'a schema of an array',
      { schema: { type: 'array', properties: { a: string } }, face_fields: [] },
      '/schema',
    ],
    [
      'a schema without fields',
      { schema: { type: 'object', properties: {} }, face_fields: [] },
      '/schema',
    ],
    [
      'open-ended fields',
      {
        schema: { type: 'object', properties: { a: string }, additionalProperties: true },
        face_fields: [],
      },
      '/schema',
    ],
    [
      'an unknown format',
      {
        schema: { type: 'object', properties: { a: { type: 'string', format: 'shoe' } } },
        face_fields: [],
      },
      '/schema',
    ],
    [
      'an unknown mask',
      {
        schema: { type: 'object', properties: { a: { type: 'string', mask: 'keep:all' } } },
        face_fields: [],
      },
      '/schema',
    ],
    [
      'a pattern that would never end',
      {
        schema: { type: 'object', properties: { a: { type: 'string', pattern: '^(a+)+$' } } },
        face_fields: [],
      },
      '/schema',
    ],
    [
      'a reference to elsewhere',
      {
        schema: { type: 'object', properties: { a: { $ref: 'https://example.com/a' } } },
        face_fields: [],
      },
      '/schema',
    ],
    [
      'a pattern that is none',
      {
        schema: { type: 'object', properties: { a: { type: 'string', pattern: '(' } } },
        face_fields: [],
      },
      '/schema',
    ],
  ];
  for (const [title, changes, pointer] of cases) {
    test(title, () => {
      const faults = definitionFaults(definitionOf('LT-IDCARD', changes));
      expect(faults.map((fault) => fault.pointer)).toEqual([pointer]);
    });
  }
});

describe('fields are checked with a pointer to each fault', () => {
  const check = compileFieldCheck(definitionOf('LT-MARRIAGE').schema);
  const good = {
    certificate_no: 'J990101-2020-000001',
    spouse_name: '李四',
    spouse_id: '990102198512120027',
    registered_on: '2020-05-20',
    registry: '越华区民政局',
  };
  test('good fields have none', () => expect(check(good)).toEqual([]));
  const cases: [string, Record<string, unknown>, string[]][] = [
    ['a wrong check digit', { spouse_id: '990102198512120020' }, ['/fields/spouse_id']],
    ['a day that is none', { registered_on: '2020-02-30' }, ['/fields/registered_on']],
    ['a missing field', { registry: undefined }, ['/fields/registry']],
    ['a field too many', { 'shoe/size': 43 }, ['/fields/shoe~1size']],
    ['a wrong kind', { certificate_no: 7 }, ['/fields/certificate_no']],
    [
      'two faults',
      { registry: undefined, spouse_name: null },
      ['/fields/registry', '/fields/spouse_name'],
    ],
  ];
  for (const [title, changes, pointers] of cases) {
    test(title, () => {
      const fields = JSON.parse(JSON.stringify({ ...good, ...changes }));
      expect(check(fields).map((fault) => fault.pointer)).toEqual(pointers);
    });
  }
});

test('only free text on the face can be compared', () => {
  const comparable = (id: string) => comparableFields(definitionOf(id));
  expect(comparable('LT-IDCARD')).toEqual(['address']);
  expect(comparable('LT-MARRIAGE')).toEqual(['certificate_no', 'spouse_name']);
  expect(comparable('LT-DISABILITY')).toEqual(['certificate_no', 'guardian_name']);
  expect(comparable('LT-DRIVER')).toEqual(['file_no']);
  expect(comparable('LT-SSCARD')).toEqual(['bank_name']);
  expect(comparable('LT-TAXREC')).toEqual([]);
  expect(comparable('LT-ADOPTION')).toEqual([]);
});

test('the fields of a schema keep their order', () => {
  expect(propertiesOf(definitionOf('LT-IDCARD').schema).map(({ name }) => name)).toEqual([
    'gender',
    'ethnicity',
    'birth_date',
    'address',
    'signing_authority',
    'photo_ref',
  ]);
});

test('masks leave what they say and cover what is too short', () => {
  expect(maskText('keep:1,1', '990102198512120027')).toBe('9●●●●●●●●●●●●●●●●7');
  expect(maskText('keep:0,4', '6222021234')).toBe('●●●●●●1234');
  expect(maskText('keep:0,4', '1234')).toBe('●●●●');
  expect(maskText('name', '欧阳小明')).toBe('欧阳＊＊');
});
