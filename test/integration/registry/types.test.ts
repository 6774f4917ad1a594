// Licence types as data: published live, by id or code, old versions kept.
import { describe, expect, test } from 'vitest';
import { department, issued, LI, officer, platformActor, withRegistry } from './house.ts';

const house = withRegistry();
const operator = department('govsvc', ['types:manage']);

const library = (changes: object = {}) => ({
  id: 'LT-LIBRARY',
  code: '11990100009900080R901',
  nameZh: '借阅证',
  nameEn: 'Library card',
  holderKind: 'person',
  issuer: 'edu',
  validity: { kind: 'years', value: 1 },
  schema: {
    type: 'object',
    properties: { card_no: { type: 'string', title_zh: '证号', title_en: 'Card number' } },
    required: ['card_no'],
  },
  faceFields: ['card_no'],
  publicFields: ['card_no'],
  ...changes,
});

test('the sample’s 40 types are there, each under its id and its GB code', async () => {
  const types = await house.registry.listTypes();
  expect(types.filter(({ id }) => id !== 'LT-LIBRARY')).toHaveLength(40);
  for (const { id, code } of types) {
    expect((await house.registry.getType(id)).code).toBe(code);
    expect((await house.registry.getType(code)).id).toBe(id);
  }
});

test('a new type and its next version are live at once; licences keep theirs', async () => {
  const first = await house.registry.publishType(operator, library());
  expect(first).toMatchObject({
    id: 'LT-LIBRARY',
    version: 1,
    category: 'personal',
    fourEyes: false,
  });
  const input = { type: 'LT-LIBRARY', holder: LI, fields: { card_no: 'A1' } };
  const old = await issued(house, department('edu'), input);

  expect(await house.registry.publishType(operator, library())).toEqual(first);
  const schema = { ...library().schema, required: ['card_no', 'branch'] };
  const properties = { ...library().schema.properties, branch: { type: 'string' } };
  const second = await house.registry.publishType(
    operator,
    library({ schema: { ...schema, properties } }),
  );
  expect(second.version).toBe(2);
  await expect(issued(house, department('edu'), input)).rejects.toMatchObject({
    fields: [{ pointer: '/fields/branch', detail: 'is required' }],
  });
  expect(await house.registry.get(department('edu'), old.number)).toMatchObject({ typeVersion: 1 });
  expect((await house.registry.getType('LT-LIBRARY', 1)).schema.required).toEqual(['card_no']);
  expect((await house.registry.lookup(old.verificationCode)).result).toBe('genuine');
});

test('of one type published by many at once each version exists once', async () => {
  const names = Array.from({ length: 8 }, (_, at) => `Reader's pass ${at}`);
  const id = { id: 'LT-PASS', code: '11990100009900080R902' };
  const published = await Promise.all(
    names.map((nameEn) => house.registry.publishType(operator, library({ ...id, nameEn }))),
  );
  expect(published.map(({ version }) => version).sort()).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
});

test('the metadata of a type explains its credential', async () => {
  const metadata = await house.registry.typeMetadata('11990100009900013U001', 1);
  expect(metadata).toMatchObject({
    vct: 'http://127.0.0.1:4100/vct/11990100009900013U001/1',
    name: 'Marriage certificate',
    display: [
      { locale: 'zh-CN', name: '结婚证' },
      { locale: 'en', name: 'Marriage certificate' },
    ],
  });
  expect(JSON.stringify(metadata)).toContain('"path":["spouse_id"]');
});

describe('refused', () => {
  const cases: [string, Parameters<typeof house.registry.publishType>, string, string?][] = [
    ['without the scope', [department('edu'), library()], 'identity.scope_missing'],
    [
      'an officer who issues',
      [officer('edu-issuer-1', 'issuer'), library()],
      'identity.scope_missing',
    ],
    [
      'the code of another type',
      [operator, library({ id: 'LT-OTHER', code: '11990100009900021N001' })],
      'registry.type_code_taken',
      '/code',
    ],
    [
      'another code for a type',
      [operator, { ...library(), id: 'LT-IDCARD' }],
      'registry.type_code_taken',
      '/code',
    ],
    [
      'an issuer nobody knows',
      [operator, library({ issuer: 'nobody' })],
      'registry.type_invalid',
      '/issuer',
    ],
    [
      'a sensitive public field',
      [
        operator,
        library({
          schema: {
            type: 'object',
            properties: { card_no: { type: 'string', sensitivity: 'sensitive' } },
          },
        }),
      ],
      'registry.type_invalid',
      '/publicFields/0',
    ],
    [
      'an unknown validity',
      [operator, library({ validity: { kind: 'forever' } })],
      'registry.type_invalid',
      '/validity/kind',
    ],
    ['no definition at all', [operator, 'LT-LIBRARY'], 'registry.type_invalid'],
  ];
  for (const [title, call, code, pointer] of cases) {
    test(title, async () => {
      const refusal = await house.registry.publishType(...call).catch((error: unknown) => error);
      expect(refusal).toMatchObject({ code });
      if (pointer) expect(refusal).toMatchObject({ fields: [{ pointer }] });
    });
  }

  test('reading what is not there', async () => {
    for (const read of [
      () => house.registry.getType('LT-NONE'),
      () => house.registry.getType('LT-IDCARD', 99),
      () => house.registry.getType('LT-IDCARD', 0.5),
      () => house.registry.typeMetadata('LT-IDCARD', Number.NaN),
    ]) {
      await expect(read()).rejects.toMatchObject({ code: 'registry.type_not_found' });
    }
  });
});

test('the platform publishes its own sample', async () => {
  const type = await house.registry.getType('LT-LIBRARY', 1);
  const { version: _, ...definition } = type;
  const again = { ...definition, id: 'LT-SAMPLE', code: '11990100009900080R903' };
  expect(await house.registry.publishType(platformActor, again)).toMatchObject({ version: 1 });
});
