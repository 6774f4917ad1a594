// Signing in at the local identity provider, and what a session is.
import { createHash } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Credentials, Stretching } from '../../../identity/index.ts';
import { withDatabase } from '../../support/database.ts';
import { citizenId, HOUSING, makeIdentity, makeKeys } from './house.ts';

const { database, ownerSql, setClockOffset } = withDatabase();
const keys = makeKeys();
const identity = makeIdentity(database, { keys });
/** With what the house costs outside tests. */
const costly = makeIdentity(database, { keys, secretCost: undefined });
const request = { requestId: 'request-1' };

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

/** An account of its own for a test that locks or changes it. */
async function newPerson(sequence: number, stretching: Stretching = 'now') {
  const identifier = { scheme: 'cn-id' as const, value: citizenId('20010909', sequence) };
  const id = await identity.ensurePerson(database.db, identifier);
  await identity.putPersonSecret(database.db, id, '111222', stretching);
  return { ...identifier, pin: '111222', id };
}

describe('signing in', () => {
  it('makes a citizen’s actor, with any way of writing the ID', async () => {
    for (const form of [value, ` ${value.toLowerCase()}`]) {
      const { cookie, actor } = await identity.signIn({ ...me, value: form }, request);
      expect(cookie).toMatch(/^[\w-]{43}$/);
      expect(actor).toEqual({
        kind: 'citizen',
        requestId: 'request-1',
        sessionId: expect.any(String),
        organisationId: null,
        personId,
        roles: [],
        scopes: [],
      });
    }
  });

  it('makes an officer’s actor with the roles held now', async () => {
    const { cookie, actor } = await identity.signIn(clerk, request);
    expect(actor).toEqual({
      kind: 'officer',
      requestId: 'request-1',
      sessionId: expect.any(String),
      organisationId: 'housing',
      officerId,
      officerKey: 'housing-desk-1',
      roles: ['desk', 'provider'],
      scopes: [],
    });
    const { password: _, ...officer } = clerk;
    const change = { ...officer, key: 'housing-desk-1', organisationId: 'housing' };
    await identity.putOfficer(database.db, { ...change, roles: ['approver'] });
    expect((await identity.findSession(cookie, 'request-2'))?.roles).toEqual(['approver']);
    await identity.putOfficer(database.db, { ...change, roles: ['desk', 'provider'] });
  });

  it('stretches a sample secret at its first use, again when it has become too cheap', async () => {
    const account = await newPerson(40, 'first-use');
    const hash = async () => {
      const [row] = await ownerSql`select hash from identity.local_secrets
        where account_id = ${account.id}`;
      return row?.hash;
    };
    expect(await hash()).toMatch(/^\$hmac\$\$[\w-]{22}\$[\w-]{43}$/);
    await identity.signIn(account, request);
    const cheap = await hash();
    expect(cheap).toMatch(/^\$scrypt\$ln=10,r=8,p=1\$[\w-]{22}\$[\w-]{43}$/);
    await identity.signIn(account, request);
    expect(await hash()).toBe(cheap);
    await costly.signIn(account, request);
    expect(await hash()).toMatch(/^\$scrypt\$ln=15,r=8,p=3\$/);
    await costly.signIn(account, request);
  });

  it('keeps no token, only its digest', async () => {
    const { cookie } = await identity.signIn(me, request);
    const digest = createHash('sha256').update(cookie).digest();
    const rows = await ownerSql`select * from identity.sessions where token_digest = ${digest}`;
    expect(rows).toHaveLength(1);
    expect(JSON.stringify(rows)).not.toContain(cookie);
  });

  const strangers: Record<string, Credentials> = {
    'a wrong PIN': { ...me, pin: '480214' },
    'an empty PIN': { ...me, pin: '' },
    'another person’s PIN': { ...me, value: citizenId('19920229', 7) },
    'an ID that can’t be': { ...me, value: '990101199001010010' },
    'another scheme': { ...me, scheme: 'uscc' },
    'a wrong password': { ...clerk, password: 'correct horse' },
    'an unknown officer': { ...clerk, username: 'housing-desk-9' },
    'another case': { ...clerk, username: 'Housing-Desk-1' },
    'an SQL trick': { ...clerk, username: "' or true --" },
  };

  it.each(Object.entries(strangers))('is refused in the same words for %s', async (_, wrong) => {
    await expect(identity.signIn(wrong, request)).rejects.toMatchObject({
      kind: 'unauthenticated',
      code: 'identity.sign_in_failed',
      detail: 'The name or the secret is wrong. Check both.',
    });
  });

  it('costs as much for nobody as for somebody', async () => {
    const known = await newPerson(50, 'first-use');
    // CPU, not the clock: other processes don't count.
    const cost = async (credentials: Credentials) => {
      const before = process.cpuUsage();
      await costly.signIn(credentials, request).catch(() => undefined);
      const { user, system } = process.cpuUsage(before);
      return user + system;
    };
    const wrong = await cost({ ...known, pin: '999999' });
    const unknown = await cost({ ...known, value: citizenId('20010909', 51) });
    expect(unknown / wrong).toBeGreaterThan(0.5);
    expect(unknown / wrong).toBeLessThan(2);
  });

  it('is switched off as a whole where the local provider is', async () => {
    const production = makeIdentity(database, { keys, isLocalSignInAllowed: false });
    for (const credentials of [me, clerk, { ...me, pin: 'x' }]) {
      await expect(production.signIn(credentials, request)).rejects.toMatchObject({
        kind: 'forbidden',
        code: 'identity.sign_in_off',
      });
    }
  });
});

describe('five wrong tries', () => {
  it.each([
    ['somebody', true],
    ['nobody', false],
  ])('lock the account of %s for a quarter of an hour', async (_, exists) => {
    const credentials: Credentials = exists
      ? await newPerson(60)
      : { scheme: 'cn-id', value: citizenId('20010909', 61), pin: '111222' };
    const codes: unknown[] = [];
    for (let attempt = 0; attempt < 7; attempt += 1) {
      // From the sixth on even the right PIN is refused.
      const pin = attempt < 5 ? '000000' : '111222';
      const error = await identity
        .signIn({ ...credentials, pin }, request)
        .catch((reason: unknown) => reason);
      codes.push(error instanceof Error && 'code' in error ? error.code : error);
    }
    expect(codes).toEqual([
      ...Array.from({ length: 5 }, () => 'identity.sign_in_failed'),
      'identity.sign_in_locked',
      'identity.sign_in_locked',
    ]);
    const locked = await identity.signIn(credentials, request).catch((reason: unknown) => reason);
    expect(locked).toMatchObject({ kind: 'rate_limited' });
    const seconds = Object(locked).retryAfterSeconds;
    expect(seconds).toBeGreaterThan(800);
    expect(seconds).toBeLessThanOrEqual(900);

    await setClockOffset(901_000);
    const later = identity.signIn(credentials, request);
    if (exists) expect((await later).actor.kind).toBe('citizen');
    else await expect(later).rejects.toMatchObject({ code: 'identity.sign_in_failed' });
    await setClockOffset(0);
  });

  it('made at once don’t slip past the limit', async () => {
    const credentials = await newPerson(62);
    const answers = await Promise.allSettled(
      Array.from({ length: 9 }, () => identity.signIn({ ...credentials, pin: '000000' }, request)),
    );
    const codes = answers.map((answer) =>
      answer.status === 'rejected' ? answer.reason.code : 'let in',
    );
    expect(codes.filter((code) => code === 'identity.sign_in_failed')).toHaveLength(5);
    expect(codes.filter((code) => code === 'identity.sign_in_locked')).toHaveLength(4);
  });

  it('don’t count when a right one comes between', async () => {
    const credentials = await newPerson(63);
    for (let round = 0; round < 2; round += 1) {
      for (let attempt = 0; attempt < 4; attempt += 1) {
        await expect(
          identity.signIn({ ...credentials, pin: '000000' }, request),
        ).rejects.toMatchObject({ code: 'identity.sign_in_failed' });
      }
      await identity.signIn(credentials, request);
    }
  });
});

describe('a session', () => {
  it('ends after half an hour of silence, but not while it is used', async () => {
    const { cookie } = await identity.signIn(me, request);
    for (const minutes of [29, 58, 87]) {
      await setClockOffset(minutes * 60_000);
      expect((await identity.findSession(cookie, 'r'))?.kind).toBe('citizen');
    }
    await setClockOffset((87 + 31) * 60_000);
    expect(await identity.findSession(cookie, 'r')).toBeNull();
    await setClockOffset(0);
  });

  it('ends after twelve hours in any case', async () => {
    const { cookie } = await identity.signIn(me, request);
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

  it('ends by signing out, alone', async () => {
    const here = await identity.signIn(me, request);
    const there = await identity.signIn(me, request);
    await identity.signOut(here.actor);
    expect(await identity.findSession(here.cookie, 'r')).toBeNull();
    expect((await identity.findSession(there.cookie, 'r'))?.personId).toBe(personId);
  });

  it.each(['', 'x', 'a'.repeat(43), "' or true --"])('is not opened by %j', async (cookie) => {
    expect(await identity.findSession(cookie, 'r')).toBeNull();
  });

  it('has forms of its own', async () => {
    const mine = await identity.signIn(me, request);
    const yours = await identity.signIn(clerk, request);
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

describe('what an actor is told of itself', () => {
  it('is the name and no whole number', async () => {
    const { actor } = await identity.signIn(me, request);
    expect(await identity.describeActor(actor)).toEqual({
      kind: 'citizen',
      name: '周五',
      identifier: { scheme: 'cn-id', masked: `990101********${value.slice(14)}` },
      roles: [],
      scopes: [],
    });
  });

  it('is the department and the roles', async () => {
    const { actor } = await identity.signIn(clerk, request);
    expect(await identity.describeActor(actor)).toEqual({
      kind: 'officer',
      organisation: { id: 'housing', nameZh: HOUSING.nameZh, nameEn: HOUSING.nameEn },
      officer: 'housing-desk-1',
      roles: ['desk', 'provider'],
      scopes: [],
    });
  });
});
