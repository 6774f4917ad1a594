// Passkeys: added by their officer, used once per challenge, refused when anything is not as it was.
import { generateKeyPairSync } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { type Actor, anonymousActor } from '../../../identity/index.ts';
import { type Ceremony, makePasskey } from '../../support/authenticator.ts';
import { withDatabase } from '../../support/database.ts';
import { HOUSING, makeIdentity, makeKeys, newPlace } from './house.ts';

const { database, ownerSql, setClockOffset } = withDatabase();
const RP = { rpId: 'localhost', origin: 'http://localhost:4100' };
const keys = makeKeys();
const identity = makeIdentity(database, { keys, publicUrl: RP.origin });
const MINUTE = 60_000;
let officers = 0;

beforeAll(() => database.transaction((tx) => identity.putOrganisation(tx, HOUSING)));

/** An officer signed in with her password. */
async function anOfficer() {
  officers += 1;
  const name = `housing-desk-${officers}`;
  await database.transaction((tx) =>
    identity.putOfficer(tx, {
      key: name,
      username: name,
      password: 'correct horse battery',
      organisationId: 'housing',
      roles: ['desk'],
      stretching: 'first-use',
    }),
  );
  const { actor } = await identity.signIn(
    { username: name, password: 'correct horse battery' },
    newPlace(identity),
  );
  return { name, actor };
}

/** An officer with a passkey, which has been used `counter` times. */
async function withPasskey(counter = 0) {
  const officer = await anOfficer();
  const passkey = makePasskey(RP);
  const { challenge, user } = await identity.startAddingPasskey(officer.actor);
  const { id } = await identity.addPasskey(
    officer.actor,
    passkey.create({ challenge, counter }),
    '办公室电脑',
  );
  return { ...officer, passkey, handle: user.id, id };
}

/** Starts and ends a sign-in on one browser. */
async function signIn(
  passkey: ReturnType<typeof makePasskey>,
  changes: Partial<Ceremony> = {},
  handle?: string,
) {
  const place = newPlace(identity);
  const { challenge } = await identity.startPasskeySignIn(place);
  return identity.signInWithPasskey(passkey.get({ challenge, ...changes }, handle), place);
}

const codeOf = (act: Promise<unknown>) =>
  act.then(
    () => 'no refusal',
    ({ code }: { code: string }) => code,
  );

/** What the refusal was really for; callers never see it. */
const causeOf = (act: Promise<unknown>) =>
  act.then(
    () => 'no refusal',
    ({ code, cause }: { code: string; cause?: Error }) => `${code}: ${cause?.message ?? ''}`,
  );

describe('a passkey', () => {
  it('is asked for with the officer’s name, a handle, and her gesture', async () => {
    const { actor, name } = await anOfficer();
    const options = await identity.startAddingPasskey(actor);
    expect(options).toMatchObject({
      rp: { id: 'localhost', name: '一号 Yihao' },
      user: { name, displayName: name },
      attestation: 'none',
      excludeCredentials: [],
      authenticatorSelection: { residentKey: 'required', userVerification: 'required' },
    });
    expect(Buffer.from(options.user.id, 'base64url').toString('hex')).toBe(
      actor.officerId?.replaceAll('-', ''),
    );
  });

  it('is listed, signs in with assurance high, and is removed', async () => {
    const { actor, passkey, handle, id } = await withPasskey();
    const shown = { id, label: '办公室电脑', isSynced: false, createdAt: expect.any(String) };
    expect(await identity.listPasskeys(actor)).toEqual([{ ...shown, usedAt: null }]);
    const { cookie, actor: sure } = await signIn(passkey, {}, handle);
    expect(sure).toMatchObject({ kind: 'officer', officerId: actor.officerId, assurance: 'high' });
    expect(await identity.findSession(cookie, 'r')).toMatchObject({ assurance: 'high' });
    expect((await identity.listSessions(sure))[0]).toMatchObject({ method: 'passkey' });
    expect(await identity.listPasskeys(sure)).toEqual([{ ...shown, usedAt: expect.any(String) }]);
    await identity.removePasskey(sure, id);
    expect(await identity.listPasskeys(sure)).toEqual([]);
    expect(await codeOf(signIn(passkey, {}, handle))).toBe('identity.passkey_refused');
  });

  it('is changed only by who signed in with one, once she has one', async () => {
    const { actor, id, passkey } = await withPasskey();
    for (const act of [
      () => identity.startAddingPasskey(actor),
      () => identity.addPasskey(actor, {}, 'x'),
      () => identity.removePasskey(actor, id),
    ]) {
      expect(await codeOf(act())).toBe('identity.assurance_needed');
    }
    const { actor: sure } = await signIn(passkey);
    const { challenge, excludeCredentials } = await identity.startAddingPasskey(sure);
    expect(excludeCredentials).toEqual([expect.objectContaining({ id: passkey.id })]);
    await identity.addPasskey(sure, makePasskey(RP).create({ challenge }), '手机');
    expect((await identity.listPasskeys(sure)).map(({ label }) => label)).toEqual([
      '办公室电脑',
      '手机',
    ]);
  });

  it('is for officers', async () => {
    const citizen: Actor = { ...anonymousActor('r'), kind: 'citizen', personId: 'x' };
    for (const actor of [citizen, anonymousActor('r')]) {
      expect(await codeOf(identity.listPasskeys(actor))).toBe('identity.other_caller_needed');
      expect(await codeOf(identity.startAddingPasskey(actor))).toBe('identity.other_caller_needed');
    }
  });

  it('of another officer is not found', async () => {
    const [one, other] = [await withPasskey(), await withPasskey()];
    const { actor } = await signIn(one.passkey);
    for (const id of [other.id, 'x', '']) {
      expect(await codeOf(identity.removePasskey(actor, id))).toBe('identity.passkey_not_found');
    }
    expect(await identity.listPasskeys(other.actor)).toHaveLength(1);
  });

  it('is one of ten at most, also when they are added at the same moment', async () => {
    const { passkey } = await withPasskey();
    const { actor } = await signIn(passkey);
    const started = await Promise.all(
      Array.from({ length: 11 }, () => identity.startAddingPasskey(actor)),
    );
    const added = await Promise.all(
      started.map(({ challenge }, at) =>
        codeOf(identity.addPasskey(actor, makePasskey(RP).create({ challenge }), `第 ${at}`)),
      ),
    );
    expect(added.sort()).toEqual([
      ...Array(2).fill('identity.passkeys_too_many'),
      ...Array(9).fill('no refusal'),
    ]);
    expect(await codeOf(identity.startAddingPasskey(actor))).toBe('identity.passkeys_too_many');
  });
});

describe('a new passkey is refused', () => {
  const cases: [string, Partial<Ceremony>, RegExp][] = [
    ['made at another site', { origin: 'https://yihao.example' }, /origin/],
    ['made at another port of this host', { origin: 'http://localhost:4101' }, /origin/],
    ['made for another relying party', { rpId: 'yihao.example' }, /RP ID/],
    ['made without its holder’s gesture', { isVerified: false }, /could not be verified/],
    ['made with nobody there', { isPresent: false }, /present/],
    ['that is a sign-in', { type: 'webauthn.get' }, /type/],
    ['answering a challenge of the attacker’s', { challenge: 'AAAA' }, /challenge/],
  ];
  for (const [title, changes, reason] of cases) {
    it(title, async () => {
      const { actor } = await anOfficer();
      const { challenge } = await identity.startAddingPasskey(actor);
      const made = makePasskey(RP).create({ challenge, ...changes });
      const refusal = await causeOf(identity.addPasskey(actor, made, 'x'));
      expect(refusal).toMatch(/^identity\.passkey_invalid/);
      expect(refusal).toMatch(reason);
      expect(await identity.listPasskeys(actor)).toEqual([]);
    });
  }

  it('a second time, from another session, for another use, or too late', async () => {
    const [one, other] = [await anOfficer(), await anOfficer()];
    const first = await identity.startAddingPasskey(one.actor);
    const answer = () => makePasskey(RP).create(first);
    expect(await causeOf(identity.addPasskey(other.actor, answer(), 'x'))).toMatch(/challenge/);
    const forSignIn = await identity.startPasskeySignIn(newPlace(identity));
    expect(
      await causeOf(identity.addPasskey(one.actor, makePasskey(RP).create(forSignIn), 'x')),
    ).toMatch(/challenge/);
    await identity.addPasskey(one.actor, answer(), 'x');
    const late = await identity.startAddingPasskey(other.actor);
    await setClockOffset(5 * MINUTE + 1000);
    try {
      expect(
        await causeOf(identity.addPasskey(other.actor, makePasskey(RP).create(late), 'x')),
      ).toMatch(/challenge/);
    } finally {
      await setClockOffset(0);
    }
  });

  it('when it is somebody’s already, has no name, or is not of the form', async () => {
    const { passkey } = await withPasskey();
    const other = await anOfficer();
    const { challenge } = await identity.startAddingPasskey(other.actor);
    const made = passkey.create({ challenge });
    for (const label of ['', '  ', 'x'.repeat(61)]) {
      expect(await codeOf(identity.addPasskey(other.actor, made, label))).toBe(
        'identity.passkey_label_invalid',
      );
    }
    for (const wrong of [
      null,
      'x',
      {},
      { ...made, type: 'password' },
      { ...made, id: '!' },
      { ...made, response: { ...made.response, attestationObject: 'AAAA' } },
      { ...made, response: { ...made.response, attestationObject: 'A'.repeat(100_000) } },
    ]) {
      expect(await codeOf(identity.addPasskey(other.actor, wrong, 'x'))).toBe(
        'identity.passkey_invalid',
      );
    }
    const again = await identity.startAddingPasskey(other.actor);
    expect(await codeOf(identity.addPasskey(other.actor, passkey.create(again), 'x'))).toBe(
      'identity.passkey_taken',
    );
  });
});

describe('a sign-in is refused', () => {
  const cases: [string, Partial<Ceremony>, RegExp][] = [
    ['made at another site', { origin: 'https://yihao.example' }, /origin/],
    ['made for another relying party', { rpId: 'yihao.example' }, /RP ID/],
    ['made without its holder’s gesture', { isVerified: false }, /could not be verified/],
    ['made with nobody there', { isPresent: false }, /not present/],
    ['that is a registration', { type: 'webauthn.create' }, /type/],
    ['answering a challenge of the attacker’s', { challenge: 'AAAA' }, /challenge/],
    ['by a copy, whose count lags behind', { counter: 6 }, /counter/],
    ['by a copy, whose count stands still', { counter: 7 }, /counter/],
  ];
  for (const [title, changes, reason] of cases) {
    it(title, async () => {
      const { passkey } = await withPasskey(7);
      const refusal = await causeOf(signIn(passkey, changes));
      expect(refusal).toMatch(/^identity\.passkey_refused/);
      expect(refusal).toMatch(reason);
      // And nothing of it stays: the passkey itself still works.
      expect((await signIn(passkey, { counter: 8 })).actor.assurance).toBe('high');
    });
  }

  it('with a challenge answered before, on another browser, for another use, or too late', async () => {
    const { passkey, actor } = await withPasskey();
    const [place, elsewhere] = [newPlace(identity), newPlace(identity)];
    const { challenge } = await identity.startPasskeySignIn(place);
    expect(
      await causeOf(identity.signInWithPasskey(passkey.get({ challenge }), elsewhere)),
    ).toMatch(/challenge/);
    const used = passkey.get({ challenge });
    await identity.signInWithPasskey(used, place);
    expect(await causeOf(identity.signInWithPasskey(used, place))).toMatch(/challenge/);
    const fresh = passkey.get({ challenge });
    expect(await causeOf(identity.signInWithPasskey(fresh, place))).toMatch(/challenge/);
    const other = await anOfficer();
    const forAdding = await identity.startAddingPasskey(other.actor);
    expect(await causeOf(signIn(passkey, { challenge: forAdding.challenge }))).toMatch(/challenge/);
    const late = await identity.startPasskeySignIn(place);
    await setClockOffset(5 * MINUTE + 1000);
    try {
      expect(await causeOf(identity.signInWithPasskey(passkey.get(late), place))).toMatch(
        /challenge/,
      );
      await identity.purgeExpired();
      expect(await ownerSql`select 1 from identity.passkey_challenges`).toEqual([]);
    } finally {
      await setClockOffset(0);
    }
    expect(actor.assurance).toBe('low');
  });

  it('when a failed try has used its challenge up', async () => {
    const { passkey } = await withPasskey();
    const place = newPlace(identity);
    const { challenge } = await identity.startPasskeySignIn(place);
    const wrong = passkey.get({ challenge, isVerified: false });
    expect(await codeOf(identity.signInWithPasskey(wrong, place))).toBe('identity.passkey_refused');
    expect(await causeOf(identity.signInWithPasskey(passkey.get({ challenge }), place))).toMatch(
      /challenge/,
    );
  });

  it('with another officer’s handle, key or credential', async () => {
    const [one, other] = [await withPasskey(), await withPasskey()];
    expect(await codeOf(signIn(one.passkey, {}, other.handle))).toBe('identity.passkey_refused');
    const place = newPlace(identity);
    const { challenge } = await identity.startPasskeySignIn(place);
    const theirs = {
      ...other.passkey.get({ challenge }),
      id: one.passkey.id,
      rawId: one.passkey.id,
    };
    expect(await codeOf(identity.signInWithPasskey(theirs, place))).toBe(
      'identity.passkey_refused',
    );
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const again = await identity.startPasskeySignIn(place);
    const forged = one.passkey.get(again, one.handle, privateKey);
    expect(await codeOf(identity.signInWithPasskey(forged, place))).toBe(
      'identity.passkey_refused',
    );
    expect(await codeOf(signIn(makePasskey(RP)))).toBe('identity.passkey_refused');
    for (const wrong of [null, {}, { ...theirs, response: {} }]) {
      expect(await codeOf(identity.signInWithPasskey(wrong, place))).toBe(
        'identity.passkey_refused',
      );
    }
  });

  it('for one of two that come with the same count at the same moment', async () => {
    const { passkey } = await withPasskey();
    const tries = await Promise.all(
      Array.from({ length: 4 }, () => codeOf(signIn(passkey, { counter: 1 }))),
    );
    expect(tries.sort()).toEqual([...Array(3).fill('identity.passkey_refused'), 'no refusal']);
  });
});

describe('a house whose address is', () => {
  const addresses: [string, boolean][] = [
    ['http://127.0.0.1:4100', false],
    ['https://10.0.0.7', false],
    ['https://[::1]:4100', false],
    ['http://yihao.example', false],
    ['http://localhost:4100', true],
    ['https://yihao.example', true],
  ];
  for (const [publicUrl, hasPasskeys] of addresses) {
    it(`${publicUrl} ${hasPasskeys ? 'has' : 'has no'} passkeys`, async () => {
      const house = makeIdentity(database, { keys, publicUrl });
      expect(house.hasPasskeys).toBe(hasPasskeys);
      const start = house.startPasskeySignIn(newPlace(house));
      expect(await codeOf(start)).toBe(
        hasPasskeys ? 'no refusal' : 'identity.passkeys_unavailable',
      );
    });
  }

  it('another than the passkey was made for refuses it', async () => {
    const { passkey } = await withPasskey();
    const moved = makeIdentity(database, { keys, publicUrl: 'https://yihao.example' });
    const place = newPlace(moved);
    const { challenge } = await moved.startPasskeySignIn(place);
    const answer = passkey.get({
      challenge,
      origin: 'https://yihao.example',
      rpId: 'yihao.example',
    });
    expect(await codeOf(moved.signInWithPasskey(answer, place))).toBe('identity.passkey_refused');
  });
});
