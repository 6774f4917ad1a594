// People as references: ensured once, found by keyed index, sealed at rest, revealed here alone.
import { describe, expect, it } from 'vitest';
import { systemIds } from '../../../platform/index.ts';
import { withDatabase } from '../../support/database.ts';
import { citizenId, makeIdentity, makeKeys } from './house.ts';

const { database, ownerSql } = withDatabase();
const keys = makeKeys();
const identity = makeIdentity(database, { keys });
const other = makeIdentity(database, { keys });

const person = (sequence: number, name?: string) => ({
  scheme: 'cn-id' as const,
  value: citizenId('19850704', sequence),
  name,
});

describe('ensurePerson', () => {
  it('gives the same reference for every way of writing an ID', async () => {
    const value = '11010519491231002X';
    const fullWidth = [...value].map((c) => String.fromCodePoint((c.codePointAt(0) ?? 0) + 0xfee0));
    const ids = [];
    for (const form of [value, value.toLowerCase(), ` ${value} `, fullWidth.join('')]) {
      ids.push(await identity.ensurePerson(database.db, { scheme: 'cn-id', value: form }));
    }
    expect(new Set(ids).size).toBe(1);
    expect(await identity.revealPerson(database.db, String(ids[0]))).toEqual({
      scheme: 'cn-id',
      value,
      name: null,
    });
  });

  it('keeps the name given last, and forgets none when none is given', async () => {
    const { name: _, ...identifier } = person(1);
    const id = await identity.ensurePerson(database.db, identifier, '李一');
    const names = [];
    for (const name of [undefined, '李一一', null, ' ']) {
      expect(await identity.ensurePerson(database.db, identifier, name)).toBe(id);
      names.push((await other.revealPerson(database.db, id)).name);
    }
    expect(names).toEqual(['李一', '李一一', '李一一', '李一一']);
  });

  it('knows companies by their code', async () => {
    const company = { scheme: 'uscc' as const, value: '91350100M000100Y43' };
    const id = await identity.ensurePerson(database.db, company, '示例公司');
    expect(await identity.revealPerson(database.db, id)).toEqual({ ...company, name: '示例公司' });
    expect(await identity.findPerson(database.db, company)).toBe(id);
  });

  it('finds nobody without adding her', async () => {
    expect(await identity.findPerson(database.db, person(998))).toBeNull();
    expect(await identity.findPerson(database.db, person(998))).toBeNull();
  });

  it.each([
    ['cn-id', '990101199001010010', 'identity.citizen_id_invalid'],
    ['cn-id', citizenId('20990101'), 'identity.citizen_id_invalid'],
    ['cn-id', '91350100M000100Y43', 'identity.citizen_id_invalid'],
    ['uscc', '990101199001010019', 'identity.uscc_invalid'],
    ['uscc', '11440100007482532X', 'identity.uscc_invalid'],
  ] as const)('refuses the %s %s', async (scheme, value, code) => {
    const before = await ownerSql`select count(*)::int as n from identity.people`;
    await expect(identity.ensurePerson(database.db, { scheme, value })).rejects.toMatchObject({
      code,
      kind: 'invalid',
      fields: [{ pointer: '/value' }],
    });
    expect(await ownerSql`select count(*)::int as n from identity.people`).toEqual(before);
  });
});

describe('ensurePeople', () => {
  it('keeps the order, and takes the same person twice', async () => {
    const list = [person(10, '甲'), person(11), person(10), person(12, '丙')];
    const ids = await identity.ensurePeople(database.db, list);
    expect(ids[0]).toBe(ids[2]);
    expect(new Set(ids).size).toBe(3);
    const revealed = await identity.revealPeople(database.db, ids);
    expect(ids.map((id) => revealed.get(id)?.name)).toEqual(['甲', null, '甲', '丙']);
    expect(await identity.ensurePeople(database.db, [])).toEqual([]);
  });

  it('gives rivals who ensure the same people at once the same references', async () => {
    const forwards = Array.from({ length: 40 }, (_, at) => person(100 + at));
    const backwards = [...forwards].reverse();
    const answers = await Promise.all(
      Array.from({ length: 8 }, (_, at) =>
        database.transaction(async (tx) => {
          const house = at % 2 === 0 ? identity : other;
          const ids = await house.ensurePeople(tx, at % 2 === 0 ? forwards : backwards);
          return at % 2 === 0 ? ids : ids.reverse();
        }),
      ),
    );
    expect(new Set(answers.map((ids) => ids.join())).size).toBe(1);
    const [row] = await ownerSql`select count(*)::int as n from identity.data_keys k
      where not exists (select 1 from identity.people p where p.id = k.person_id)`;
    expect(row).toEqual({ n: 0 });
  });

  it('adds hundreds at once', async () => {
    const list = Array.from({ length: 500 }, (_, at) => person(200 + at, `人${at}`));
    const ids = await identity.ensurePeople(database.db, list);
    expect(new Set(ids).size).toBe(500);
    const revealed = await other.revealPeople(database.db, ids);
    expect(ids.map((id) => revealed.get(id))).toEqual(
      list.map(({ scheme, value, name }) => ({ scheme, value, name })),
    );
  });
});

describe('at rest', () => {
  it('holds no identifier and no name in plain bytes, in no table of the room', async () => {
    const value = citizenId('19770519', 7);
    const id = await identity.ensurePerson(database.db, { scheme: 'cn-id', value }, '司马相如');
    await database.transaction((tx) => identity.putPersonSecret(tx, id, '739162', 'first-use'));
    const tables = await ownerSql<{ name: string }[]>`
      select tablename as name from pg_tables where schemaname = 'identity'`;
    expect(tables.length).toBeGreaterThan(10);
    for (const { name } of tables) {
      const rows = await ownerSql.unsafe(`select * from identity.${name}`);
      const bytes = rows
        .flatMap((row) => Object.values(row))
        .map((cell) => (Buffer.isBuffer(cell) ? cell.toString('latin1') : JSON.stringify(cell)));
      const plain = [
        '739162',
        value,
        Buffer.from('司马相如', 'utf8').toString('latin1'),
        '司马相如',
      ];
      expect(bytes.filter((cell) => plain.some((secret) => cell?.includes(secret)))).toEqual([]);
    }
  });

  it('tells nothing under other keys', async () => {
    const value = citizenId('19770519', 8);
    const id = await identity.ensurePerson(database.db, { scheme: 'cn-id', value });
    const stranger = makeIdentity(database);
    expect(await stranger.findPerson(database.db, { scheme: 'cn-id', value })).toBeNull();
    await expect(stranger.revealPerson(database.db, id)).rejects.toThrow('authenticate');
  });

  it('refuses a value moved to another row or column', async () => {
    const [a, b] = await identity.ensurePeople(database.db, [person(20, '甲'), person(21, '乙')]);
    const house = () => makeIdentity(database, { keys });
    await ownerSql`update identity.people p set name_sealed = q.value_sealed
      from identity.people q where p.id = ${a ?? ''} and q.id = p.id`;
    await expect(house().revealPerson(database.db, a ?? '')).rejects.toThrow('authenticate');
    await ownerSql`update identity.people p set value_sealed = q.value_sealed
      from identity.people q where p.id = ${b ?? ''} and q.id = ${a ?? ''}`;
    await expect(house().revealPerson(database.db, b ?? '')).rejects.toThrow('authenticate');
  });
});

describe('erased people', () => {
  it('are gone for whoever opens, everywhere at once', async () => {
    const identifier = { scheme: 'cn-id' as const, value: citizenId('19660101', 3) };
    const id = await identity.ensurePerson(database.db, identifier, '丁');
    const sealed = await identity.sealFor(
      database.db,
      id,
      Buffer.from('secret'),
      'registry|1|fields',
    );
    await ownerSql`delete from identity.data_keys where person_id = ${id}`;
    const house = makeIdentity(database, { keys });
    const gone = { code: 'identity.erased', kind: 'gone' };
    await expect(house.revealPerson(database.db, id)).rejects.toMatchObject(gone);
    await expect(house.openFor(database.db, id, sealed, 'registry|1|fields')).rejects.toMatchObject(
      gone,
    );
    await expect(
      house.sealFor(database.db, id, Buffer.from('more'), 'registry|1|fields'),
    ).rejects.toMatchObject(gone);
    expect(
      await house.openMany(database.db, [{ personId: id, sealed, context: 'registry|1|fields' }]),
    ).toEqual([null]);
  });

  it('and people who never were look the same', async () => {
    await expect(identity.revealPerson(database.db, systemIds.uuid())).rejects.toMatchObject({
      code: 'identity.erased',
    });
  });
});
