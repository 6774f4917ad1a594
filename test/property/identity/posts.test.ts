// Who sits where in the sample city's tree, over all offices × roles × reaches × places to sit: what
// the store gives is what a walk over the parents says, and through the wall each place sees its own.
import { sql } from 'drizzle-orm';
import { beforeAll, describe, expect, it } from 'vitest';
import { reachOf, sampleOffices } from '../../../cli/sample/offices.ts';
import { readWorld } from '../../../cli/sample/world.ts';
import { type Actor, type Reach, ROLES, rowScopeOf } from '../../../identity/index.ts';
import { AppError, selectRows } from '../../../platform/index.ts';
import { makeIdentity, newPlace } from '../../integration/identity/house.ts';
import { withDatabase } from '../../support/database.ts';

const { database, ownerSql } = withDatabase();
const identity = makeIdentity(database);
const PASSWORD = 'a-password-of-the-test';
// An auditor's and an operator's account have one role and no place below theirs.
const WORKING = ROLES.filter((role) => role !== 'auditor' && role !== 'operator');
const departments = readWorld().departments.filter(({ id }) =>
  ['civil', 'housing', 'natres'].includes(id),
);
const above = new Map<string, string | null>([
  ...departments.map(({ id }) => [id, null] as const),
  ...sampleOffices.map(({ id, parentId }) => [id, parentId] as const),
]);
const places = [...above.keys()];

/** The model: a place is within another when going up leads to it. */
function isWithin(place: string, top: string): boolean {
  for (let at: string | null | undefined = place; at; at = above.get(at)) {
    if (at === top) return true;
  }
  return false;
}

const officers = new Map<string, { id: string; actor: Actor; cookie: string }>();

beforeAll(async () => {
  await database.transaction(async (tx) => {
    for (const { id, name_zh, name_en, short_zh, ...department } of departments) {
      const names = { nameZh: name_zh, nameEn: name_en, shortZh: short_zh };
      await identity.putOrganisation(tx, { ...department, ...names, id });
    }
    for (const office of sampleOffices) await identity.putOrganisation(tx, office);
    await identity.ensurePerson(tx, { scheme: 'cn-id', value: '990101199001010019' }, '李小明');
    for (const organisationId of places) {
      const account = { key: organisationId, username: organisationId, password: PASSWORD };
      await identity.putOfficer(tx, { ...account, organisationId, roles: [] });
    }
  });
  for (const place of places) {
    const session = await identity.signIn(
      { username: place, password: PASSWORD },
      newPlace(identity),
    );
    const id = session.actor.officerId ?? '';
    officers.set(place, { id, ...session });
  }
  await ownerSql`insert into registry.applications
      (id, type_id, organisation_id, holder_id, requester, requested_at, input_sealed, state)
    select gen_random_uuid(), 'LT-DIBAO', o.id, p.id, 'someone', now(), '\\x00', 'awaiting_approval'
      from identity.organisations o, identity.people p`;
});

/** Gives the officer of a place this role and no other. */
async function hold(officer: string, role: string, reach: Reach) {
  await ownerSql.begin(async (tx) => {
    await tx`delete from identity.role_grants where officer_id = ${officer}`;
    await tx`insert into identity.role_grants (officer_id, role, reach, granted_at)
      values (${officer}, ${role}, ${reach}, now())`;
  });
}

async function mayTake(actor: Actor, place: string): Promise<boolean> {
  try {
    await identity.takePost(actor, place);
    return true;
  } catch (error) {
    if (error instanceof AppError && error.kind === 'not_found') return false;
    throw error;
  }
}

/** Every row of a walled table that is in sight, with no condition of the store's. */
async function inSight(actor: Actor): Promise<string[]> {
  const rows = await database
    .as(rowScopeOf(actor))
    .transaction((tx) =>
      selectRows<{ id: string }>(
        tx,
        sql`select organisation_id as id from registry.applications order by 1`,
      ),
    );
  return rows.map(({ id }) => id);
}

describe('an officer of the tree', () => {
  it('has every level to sit on', () => {
    expect(new Set(sampleOffices.map(({ level }) => level))).toEqual(
      new Set(['district', 'street', 'community']),
    );
    expect(places.length).toBeGreaterThanOrEqual(14);
  });

  it.each(WORKING)(
    'as %s sits exactly where it reaches, and sees that place alone',
    async (role) => {
      for (const home of places) {
        const officer = officers.get(home);
        if (!officer) throw new TypeError('Each place has its officer.');
        for (const reach of ['own', 'below'] as const) {
          await hold(officer.id, role, reach);
          const expected = places.filter((place) =>
            reach === 'below' ? isWithin(place, home) : place === home,
          );
          const told = `${role} of ${home}, ${reach}`;
          const posts = (await identity.listPosts(officer.actor)).map(({ id }) => id);
          expect(posts.sort(), told).toEqual([...expected].sort());
          expect(posts.length === 0 || posts.includes(home), told).toBe(true);
          for (const place of places) {
            const isTaken = await mayTake(officer.actor, place);
            expect(isTaken, `${told}, to ${place}`).toBe(expected.includes(place));
            if (!isTaken) continue;
            const seated = await identity.findSession(officer.cookie, 'test');
            if (!seated) throw new TypeError('The session goes on.');
            expect([seated.organisationId, seated.roles], told).toEqual([place, [role]]);
            expect(await inSight(seated), told).toEqual([place]);
          }
          // Sitting below, with the reach taken back: no role is left there.
          const lowest = expected.find((place) => place !== home);
          if (lowest === undefined) continue;
          await identity.takePost(officer.actor, lowest);
          await hold(officer.id, role, 'own');
          expect(await identity.findSession(officer.cookie, 'test'), told).toMatchObject({
            organisationId: lowest,
            roles: [],
          });
          await identity.takePost(officer.actor, home);
        }
      }
    },
  );

  it('of the sample reaches below as a steward where something is below, and else nowhere', () => {
    for (const place of places) {
      const hasBelow = places.some((other) => other !== place && isWithin(other, place));
      for (const role of WORKING) {
        const expected = role === 'steward' && hasBelow ? 'below' : 'own';
        expect([place, role, reachOf(place, role)]).toEqual([place, role, expected]);
      }
    }
  });
});
