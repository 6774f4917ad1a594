// What a session is: how long it runs, what opens it, who ends it and where that holds.
import { createHash } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Credentials } from '../../../identity/index.ts';
import { withDatabase } from '../../support/database.ts';
import { citizenId, HOUSING, makeIdentity, makeKeys, newPlace } from './house.ts';

const { database, ownerSql, setClockOffset } = withDatabase();
const keys = makeKeys();
const identity = makeIdentity(database, { keys });
/** Another process of the same house. */
const otherProcess = makeIdentity(database, { keys });

const value = citizenId('19920229', 5);
const me: Credentials = { scheme: 'cn-id', value, pin: '480213' };
const clerk: Credentials = { username: 'housing-desk-1', password: 'correct horse battery' };
let personId: string;
let officerId: string;

beforeAll(async () => {
  await database.transaction(async (tx) => {
    await identity.putOrganisation(tx, HOUSING);
    personId = await identity.ensurePerson(tx, { scheme: 'cn-id', value }, '周五');
    await identity.putPersonSecret(tx, personId, me.pin, 'first-use');
    officerId = await identity.putOfficer(tx, {
      key: 'housing-desk-1',
      username: clerk.username,
      password: clerk.password,
      organisationId: 'housing',
      roles: ['desk', 'provider'],
    });
  });
});

describe('a session', () => {
  it('ends after half an hour of silence, but not while it is used', async () => {
    const { cookie } = await identity.signIn(me, newPlace(identity));
    for (const minutes of [29, 58, 87]) {
      await setClockOffset(minutes * 60_000);
      expect((await identity.findSession(cookie, 'r'))?.kind).toBe('citizen');
    }
    await setClockOffset((87 + 31) * 60_000);
    expect(await identity.findSession(cookie, 'r')).toBeNull();
    await setClockOffset(0);
  });

  it('ends after twelve hours in any case', async () => {
    const { cookie } = await identity.signIn(me, newPlace(identity));
    for (let minutes = 0; minutes < 12 * 60; minutes += 25) {
      await setClockOffset(minutes * 60_000);
      expect(await identity.findSession(cookie, 'r')).not.toBeNull();
    }
    await setClockOffset((12 * 60 + 1) * 60_000);
    expect(await identity.findSession(cookie, 'r')).toBeNull();
    await identity.purgeExpired();
    await setClockOffset(0);
    expect(await identity.findSession(cookie, 'r')).toBeNull();
  });

  it('keeps no token, only its digest', async () => {
    const { cookie } = await identity.signIn(me, newPlace(identity));
    const digest = createHash('sha256').update(cookie).digest();
    const rows = await ownerSql`select * from identity.sessions where token_digest = ${digest}`;
    expect(rows).toHaveLength(1);
    expect(JSON.stringify(rows)).not.toContain(cookie);
  });

  it('ends by signing out, alone', async () => {
    const here = await identity.signIn(me, newPlace(identity));
    const there = await identity.signIn(me, newPlace(identity));
    await identity.signOut(here.actor);
    expect(await identity.findSession(here.cookie, 'r')).toBeNull();
    expect((await identity.findSession(there.cookie, 'r'))?.personId).toBe(personId);
  });

  it('begins under a new cookie and ends the one before it on that browser', async () => {
    const first = await identity.signIn(me, newPlace(identity));
    const second = await identity.signIn(clerk, { ...newPlace(identity), before: first.actor });
    expect(second.cookie).not.toBe(first.cookie);
    expect(await identity.findSession(first.cookie, 'r')).toBeNull();
    expect((await identity.findSession(second.cookie, 'r'))?.officerId).toBe(officerId);
  });

  it.each(['', 'x', 'a'.repeat(43), "' or true --"])('is not opened by %j', async (cookie) => {
    expect(await identity.findSession(cookie, 'r')).toBeNull();
  });

  it('has forms of its own', async () => {
    const mine = await identity.signIn(me, newPlace(identity));
    const yours = await identity.signIn(clerk, newPlace(identity));
    identity.checkFormToken(mine.actor, identity.formToken(mine.actor));
    const wrong = [undefined, '', 'x', identity.formToken(yours.actor), mine.cookie];
    for (const token of wrong) {
      expect(() => identity.checkFormToken(mine.actor, token)).toThrow(
        expect.objectContaining({ kind: 'forbidden', code: 'identity.form_token_invalid' }),
      );
    }
    const { sessionId: _, ...nobody } = mine.actor;
    expect(() => identity.checkFormToken(nobody, identity.formToken(mine.actor))).toThrow();
  });
});

describe('the list of sessions', () => {
  const EDGE =
    'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) ' +
    'Chrome/140.0.0.0 Safari/537.36 Edg/140.0.0.0';
  const PHONE =
    'Mozilla/5.0 (Linux; Android 14; V2309A) AppleWebKit/537.36 (KHTML, like Gecko) ' +
    'Chrome/116.0 Mobile Safari/537.36 MicroMessenger/8.0.49';

  it('says of each how and since when, marks this one and tells no more of the browser', async () => {
    const desk = await identity.signIn(clerk, { ...newPlace(identity), userAgent: EDGE });
    await setClockOffset(61_000);
    const phone = await identity.signIn(clerk, { ...newPlace(identity), userAgent: PHONE });
    const sessions = await identity.listSessions(desk.actor);
    const iso = expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
    const how = { since: iso, lastSeen: iso, assurance: 'low', method: 'secret' };
    expect(sessions.slice(0, 2)).toEqual([
      {
        ...how,
        id: phone.actor.sessionId,
        device: { browser: 'wechat', system: 'android' },
        isCurrent: false,
      },
      {
        ...how,
        id: desk.actor.sessionId,
        device: { browser: 'edge', system: 'windows' },
        isCurrent: true,
      },
    ]);
    const rows = JSON.stringify(await ownerSql`select * from identity.sessions`);
    expect(rows).not.toContain('Mozilla');
    expect(rows).not.toContain('V2309A');
    await setClockOffset(0);
  });

  it('holds no session that has run out', async () => {
    const old = await identity.signIn(me, newPlace(identity));
    await setClockOffset(31 * 60_000);
    const { actor } = await identity.signIn(me, newPlace(identity));
    const ids = (await identity.listSessions(actor)).map(({ id }) => id);
    expect(ids).toContain(actor.sessionId);
    expect(ids).not.toContain(old.actor.sessionId);
    await setClockOffset(0);
  });

  it('ends one at once, in another process too, and leaves the others', async () => {
    const here = await identity.signIn(me, newPlace(identity));
    const there = await identity.signIn(me, newPlace(identity));
    expect(await otherProcess.findSession(there.cookie, 'r')).not.toBeNull();
    await identity.endSession(here.actor, there.actor.sessionId ?? '');
    expect(await otherProcess.findSession(there.cookie, 'r')).toBeNull();
    expect(await otherProcess.findSession(here.cookie, 'r')).not.toBeNull();
  });

  it('ends nobody else’s', async () => {
    const mine = await identity.signIn(me, newPlace(identity));
    const theirs = await identity.signIn(clerk, newPlace(identity));
    const gone = await identity.signIn(me, newPlace(identity));
    await identity.signOut(gone.actor);
    const ids = [theirs.actor.sessionId, gone.actor.sessionId, '', 'x', '../me', 'null'];
    for (const id of ids) {
      await expect(identity.endSession(mine.actor, id ?? '')).rejects.toMatchObject({
        kind: 'not_found',
        code: 'identity.session_not_found',
      });
    }
    expect(await identity.findSession(theirs.cookie, 'r')).not.toBeNull();
  });

  it('ends elsewhere or everywhere, of this account alone', async () => {
    const here = await identity.signIn(me, newPlace(identity));
    const there = await identity.signIn(me, newPlace(identity));
    const theirs = await identity.signIn(clerk, newPlace(identity));
    await identity.endSessions(here.actor, 'elsewhere');
    expect(await identity.findSession(there.cookie, 'r')).toBeNull();
    expect(await identity.listSessions(here.actor)).toHaveLength(1);
    await otherProcess.endSessions(here.actor, 'everywhere');
    expect(await identity.findSession(here.cookie, 'r')).toBeNull();
    expect(await identity.findSession(theirs.cookie, 'r')).not.toBeNull();
  });

  it('is nothing that a system has', async () => {
    const system = {
      kind: 'client',
      requestId: 'r',
      organisationId: 'housing',
      clientId: 'housing',
      roles: [],
      scopes: [],
    } as const;
    await expect(identity.listSessions(system)).rejects.toMatchObject({
      kind: 'forbidden',
      code: 'identity.session_needed',
    });
    await expect(identity.endSessions(system, 'everywhere')).rejects.toMatchObject({
      code: 'identity.session_needed',
    });
  });
});

describe('what an actor is told of itself', () => {
  it('is the name and no whole number', async () => {
    const { actor } = await identity.signIn(me, newPlace(identity));
    expect(await identity.describeActor(actor)).toEqual({
      kind: 'citizen',
      name: '周五',
      identifier: { scheme: 'cn-id', masked: `990101********${value.slice(14)}` },
      roles: [],
      scopes: [],
    });
  });

  it('is the department and the roles', async () => {
    const { actor } = await identity.signIn(clerk, newPlace(identity));
    expect(await identity.describeActor(actor)).toEqual({
      kind: 'officer',
      organisation: { id: 'housing', nameZh: HOUSING.nameZh, nameEn: HOUSING.nameEn },
      officer: 'housing-desk-1',
      roles: ['desk', 'provider'],
      scopes: [],
    });
  });
});
