// Citizen IDs in fields: references inside, values outside.
import { describe, expect, it } from 'vitest';
import { CITIZEN_ID_PATTERN } from '../../../identity/index.ts';
import type { JsonObject } from '../../../platform/index.ts';
import { withDatabase } from '../../support/database.ts';
import { citizenId, makeIdentity, makeKeys } from './house.ts';

const { database, ownerSql } = withDatabase();
const keys = makeKeys();
const identity = makeIdentity(database, { keys });

const schema: JsonObject = {
  type: 'object',
  properties: {
    spouse_id: { type: 'string', format: 'citizen-id' },
    child_id: { type: 'string', pattern: CITIZEN_ID_PATTERN },
    family_ids: { type: 'array', items: { type: 'string', pattern: CITIZEN_ID_PATTERN } },
    household: {
      type: 'object',
      properties: { head_id: { type: 'string', format: 'citizen-id' }, floor: { type: 'integer' } },
    },
    members: {
      type: 'array',
      items: { type: 'object', properties: { id: { format: 'citizen-id' } } },
    },
    employer_uscc: { type: 'string', format: 'uscc' },
    note: { type: 'string' },
  },
};

const [a, b, c] = [1, 2, 3].map((sequence) => citizenId('19930303', sequence)) as [
  string,
  string,
  string,
]; // three in, three out

const fields: JsonObject = {
  spouse_id: a,
  child_id: b.toLowerCase(),
  family_ids: [a, c],
  household: { head_id: c, floor: 3 },
  members: [{ id: b }, {}],
  employer_uscc: '91350100M000100Y43',
  note: 'nothing',
  unknown: [1, null, { deep: true }],
};

describe('references', () => {
  it('replace every citizen ID the schema declares, and nothing else', async () => {
    const interned = await identity.internReferences(database.db, schema, fields);
    const ids = new Map(
      await Promise.all(
        [a, b, c].map(
          async (value): Promise<[string, string | null]> => [
            value,
            await identity.findPerson(database.db, { scheme: 'cn-id', value }),
          ],
        ),
      ),
    );
    const to = (value: string) => ({ $person: ids.get(value) });
    expect(interned).toEqual({
      ...fields,
      spouse_id: to(a),
      child_id: to(b),
      family_ids: [to(a), to(c)],
      household: { head_id: to(c), floor: 3 },
      members: [{ id: to(b) }, {}],
    });
    expect(JSON.stringify(interned)).not.toContain('19930303');
  });

  it('turn back into the values, in their folded form', async () => {
    const interned = await identity.internReferences(database.db, schema, fields);
    expect(await identity.resolveReferences(database.db, interned)).toEqual({
      ...fields,
      child_id: b,
    });
    expect(await identity.resolveReferences(database.db, { note: 'x' })).toEqual({ note: 'x' });
  });

  it('turn into null when the person was erased', async () => {
    const value = citizenId('19930304', 9);
    const interned = await identity.internReferences(database.db, schema, {
      spouse_id: value,
      child_id: a,
    });
    const id = await identity.findPerson(database.db, { scheme: 'cn-id', value });
    await ownerSql`delete from identity.data_keys where person_id = ${id}`;
    expect(await makeIdentity(database, { keys }).resolveReferences(database.db, interned)).toEqual(
      {
        spouse_id: null,
        child_id: a,
      },
    );
  });

  it.each<[string, JsonObject, string[]]>([
    ['a wrong check digit', { spouse_id: '990101199001010010' }, ['/fields/spouse_id']],
    [
      'two wrong ones',
      { spouse_id: 'x', family_ids: [a, ''] },
      ['/fields/spouse_id', '/fields/family_ids/1'],
    ],
    ['a number', { household: { head_id: 7 } }, ['/fields/household/head_id']],
    ['a birth day to come', { child_id: citizenId('20990101') }, ['/fields/child_id']],
    ['a reference', { spouse_id: { $person: 'x' } }, ['/fields/spouse_id']],
  ])('refuse %s, saying where', async (_, wrong, pointers) => {
    const error = await identity
      .internReferences(database.db, schema, wrong)
      .catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: 'identity.citizen_id_invalid', kind: 'invalid' });
    expect(error).toMatchObject({ fields: pointers.map((pointer) => ({ pointer })) });
  });

  it.each<[JsonObject, string]>([
    [{ note: { $person: 'x' } }, '/params/note'],
    [{ unknown: [{ deep: { $person: 'x' } }] }, '/params/unknown/0/deep'],
  ])('can not be smuggled in: %j', async (wrong, pointer) => {
    await expect(
      identity.internReferences(database.db, schema, wrong, '/params'),
    ).rejects.toMatchObject({ code: 'identity.reference_invalid', fields: [{ pointer }] });
  });
});
