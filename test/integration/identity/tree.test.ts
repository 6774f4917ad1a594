// Organisations in a tree, and where an officer may sit: her own, or one below it where a role reaches.
import { sql } from 'drizzle-orm';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Role } from '../../../identity/index.ts';
import { withDatabase } from '../../support/database.ts';
import { HOUSING, makeIdentity, newPlace } from './house.ts';

const { database, ownerSql } = withDatabase();
const identity = makeIdentity(database);
const { db } = database;
const PASSWORD = 'a-password-of-the-test';

const USCCS = {
  civil: '11990100009900013U',
  'civil-yuehua': '11990100009900021N',
  'civil-yuehua-1': '1199010000990003XE',
  'civil-yuehua-1a': '11990100009900048E',
  'civil-haiwan': '119901000099000569',
};
type Id = keyof typeof USCCS;

const organisation = (
  id: Id,
  level: 'city' | 'district' | 'street' | 'community',
  parentId: Id | null,
) => ({
  ...HOUSING,
  id,
  uscc: USCCS[id],
  level,
  parentId,
});

beforeAll(async () => {
  await identity.putOrganisation(db, HOUSING);
  await identity.putOrganisation(db, organisation('civil', 'city', null));
  await identity.putOrganisation(db, organisation('civil-yuehua', 'district', 'civil'));
  await identity.putOrganisation(db, organisation('civil-haiwan', 'district', 'civil'));
  await identity.putOrganisation(db, organisation('civil-yuehua-1', 'street', 'civil-yuehua'));
  await identity.putOrganisation(
    db,
    organisation('civil-yuehua-1a', 'community', 'civil-yuehua-1'),
  );
  for (const [key, organisationId, roles] of [
    ['chief', 'civil', ['approver', 'desk']],
    ['district', 'civil-yuehua', ['desk']],
  ] as const) {
    const officer = { key, username: key, password: PASSWORD, organisationId };
    const given: Role[] = [...roles];
    await database.transaction((tx) =>
      identity.putOfficer(tx, { ...officer, roles: given, stretching: 'first-use' }),
    );
  }
  await db.execute(sql`delete from identity.role_grants where role = 'approver'`);
  await db.execute(sql`insert into identity.role_grants (officer_id, role, reach, granted_at)
    select id, 'approver', 'below', now() from identity.officers where key = 'chief'`);
});

async function signedIn(key: string) {
  return identity.signIn({ username: key, password: PASSWORD }, newPlace(identity));
}

describe('the tree', () => {
  it('holds city, district, street and community, each below a higher level', async () => {
    for (const [id, level, parentId] of [
      ['civil', 'city', 'civil-haiwan'],
      ['civil-haiwan', 'district', null],
      ['civil-haiwan', 'district', 'civil-yuehua'],
      ['civil-yuehua', 'district', 'civil-yuehua-1a'],
      ['civil-yuehua-1', 'community', 'civil-yuehua-1a'],
      ['civil-haiwan', 'city', 'civil'],
    ] as const) {
      const put = identity.putOrganisation(db, organisation(id, level, parentId));
      await expect(put, `${id} ${level} ${parentId}`).rejects.toMatchObject({
        code: 'identity.organisation_invalid',
      });
    }
    expect(await identity.getOrganisation('civil-yuehua-1a')).toMatchObject({
      level: 'community',
      parentId: 'civil-yuehua-1',
    });
  });

  it('knows for each pair which is within which', async () => {
    const pairs = await ownerSql<{ id: string; above: string }[]>`
      select o.id, a.id as above from identity.organisations o, identity.organisations a
      where identity.is_within(o.id, a.id) and o.id <> a.id order by 1, 2`;
    expect(pairs.map(({ id, above }) => `${id} < ${above}`)).toEqual([
      'civil-haiwan < civil',
      'civil-yuehua < civil',
      'civil-yuehua-1 < civil',
      'civil-yuehua-1 < civil-yuehua',
      'civil-yuehua-1a < civil',
      'civil-yuehua-1a < civil-yuehua',
      'civil-yuehua-1a < civil-yuehua-1',
    ]);
  });
});

describe('an officer', () => {
  it('sits in her own organisation with all her roles, below with those that reach there', async () => {
    const { actor, cookie } = await signedIn('chief');
    const seen = async () => {
      const found = await identity.findSession(cookie, 'test');
      return [found?.organisationId, found?.roles];
    };
    expect((await identity.listPosts(actor)).map(({ id }) => id)).toEqual([
      'civil',
      'civil-haiwan',
      'civil-yuehua',
      'civil-yuehua-1',
      'civil-yuehua-1a',
    ]);
    expect(await seen()).toEqual(['civil', ['approver', 'desk']]);
    await identity.takePost(actor, 'civil-yuehua-1a');
    expect(await seen()).toEqual(['civil-yuehua-1a', ['approver']]);
    await identity.takePost(actor, 'civil');
    expect(await seen()).toEqual(['civil', ['approver', 'desk']]);
  });

  it('can not send a form of one place from another', async () => {
    const { actor, cookie } = await signedIn('chief');
    const token = identity.formToken(actor);
    await identity.takePost(actor, 'civil-yuehua');
    const moved = await identity.findSession(cookie, 'test');
    if (!moved) throw new TypeError('The session goes on.');
    expect(() => identity.checkFormToken(moved, token)).toThrow('identity.form_token_invalid');
    expect(() => identity.checkFormToken(moved, identity.formToken(moved))).not.toThrow();
  });

  it('finds no place beside, above, or below where nothing of hers reaches', async () => {
    const chief = (await signedIn('chief')).actor;
    const district = (await signedIn('district')).actor;
    for (const [actor, id] of [
      [chief, 'housing'],
      [chief, 'nowhere'],
      [district, 'civil'],
      [district, 'civil-haiwan'],
      [district, 'civil-yuehua-1'],
    ] as const) {
      await expect(identity.takePost(actor, id), id).rejects.toMatchObject({
        code: 'identity.organisation_not_found',
      });
    }
    expect(await identity.listPosts(district)).toMatchObject([{ id: 'civil-yuehua' }]);
  });

  it('has no role left at a place that is no longer below her, or that her role reached', async () => {
    const { actor, cookie } = await signedIn('chief');
    await identity.takePost(actor, 'civil-haiwan');
    await identity.putOrganisation(db, organisation('civil-haiwan', 'city', null));
    expect(await identity.findSession(cookie, 'test')).toMatchObject({ roles: [] });
    await identity.putOrganisation(db, organisation('civil-haiwan', 'district', 'civil'));
    expect(await identity.findSession(cookie, 'test')).toMatchObject({ roles: ['approver'] });
    await db.execute(sql`delete from identity.role_grants where role = 'approver'`);
    expect(await identity.findSession(cookie, 'test')).toMatchObject({ roles: [] });
  });
});
