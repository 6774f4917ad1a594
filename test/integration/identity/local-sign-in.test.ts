// Signing in at the local identity provider with a PIN or a password: who gets in, who is refused.
import { beforeAll, describe, expect, it } from 'vitest';
import type { Credentials, Stretching } from '../../../identity/index.ts';
import { withDatabase } from '../../support/database.ts';
import { citizenId, HOUSING, makeIdentity, makeKeys, newPlace, outcomeOf } from './house.ts';

const { database, ownerSql, setClockOffset } = withDatabase();
const keys = makeKeys();
const identity = makeIdentity(database, { keys });
/** Another process of the same house. */
const otherProcess = makeIdentity(database, { keys });
/** With what the house costs outside tests. */
const costly = makeIdentity(database, { keys, secretCost: undefined });

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
  await database.transaction((tx) => identity.putPersonSecret(tx, id, '111222', stretching));
  return { ...identifier, pin: '111222', id };
}

describe('signing in', () => {
  it('makes a citizen’s actor, with any way of writing the ID', async () => {
    for (const form of [value, ` ${value.toLowerCase()}`]) {
      const { cookie, actor } = await identity.signIn({ ...me, value: form }, newPlace(identity));
      expect(cookie).toMatch(/^[\w-]{43}$/);
      expect(actor).toEqual({
        kind: 'citizen',
        requestId: 'request-1',
        sessionId: expect.any(String),
        assurance: 'low',
        organisationId: null,
        personId,
        roles: [],
        scopes: [],
      });
    }
  });

  it('makes an officer’s actor with the roles held now', async () => {
    const { cookie, actor } = await identity.signIn(clerk, newPlace(identity));
    expect(actor).toEqual({
      kind: 'officer',
      requestId: 'request-1',
      sessionId: expect.any(String),
      assurance: 'low',
      organisationId: 'housing',
      officerId,
      officerKey: 'housing-desk-1',
      roles: ['desk', 'provider'],
      scopes: [],
    });
    const { password: _, ...officer } = clerk;
    const change = { ...officer, key: 'housing-desk-1', organisationId: 'housing' };
    await database.transaction((tx) => identity.putOfficer(tx, { ...change, roles: ['approver'] }));
    expect((await identity.findSession(cookie, 'request-2'))?.roles).toEqual(['approver']);
    await database.transaction((tx) =>
      identity.putOfficer(tx, { ...change, roles: ['desk', 'provider'] }),
    );
  });

  it('stretches a sample secret at its first use, again when it has become too cheap', async () => {
    const account = await newPerson(40, 'first-use');
    const hash = async () => {
      const [row] = await ownerSql`select hash from identity.local_secrets
        where account_id = ${account.id}`;
      return row?.hash;
    };
    expect(await hash()).toMatch(/^\$hmac\$[\w-]{22}\$[\w-]{43}$/);
    await identity.signIn(account, newPlace(identity));
    const cheap = await hash();
    expect(cheap).toMatch(/^\$argon2id\$v=19\$m=64,t=1,p=1\$[\w+/]{22}\$[\w+/]{43}$/);
    await identity.signIn(account, newPlace(identity));
    expect(await hash()).toBe(cheap);
    await costly.signIn(account, newPlace(identity));
    expect(await hash()).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
    await costly.signIn(account, newPlace(identity));
  });

  it.each([
    '$scrypt$ln=15,r=8,p=3$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA',
    '$argon2i$v=19$m=64,t=1,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA',
    '111222',
    '',
  ])('takes a stored %j for no secret at all', async (hash) => {
    const account = await newPerson(41);
    await ownerSql`update identity.local_secrets set hash = ${hash}
      where account_id = ${account.id}`;
    expect(await outcomeOf(identity, account, newPlace(identity))).toBe('identity.sign_in_failed');
  });

  it('opens nothing under another pepper', async () => {
    const other = makeIdentity(database, { keys: { ...keys, pepper: makeKeys().pepper } });
    await newPerson(42);
    const officer = { username: clerk.username, password: clerk.password };
    expect(await outcomeOf(other, officer, newPlace(other))).toBe('identity.sign_in_failed');
    expect(await outcomeOf(identity, officer, newPlace(identity))).toBe('in');
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
    await expect(identity.signIn(wrong, newPlace(identity))).rejects.toMatchObject({
      kind: 'unauthenticated',
      code: 'identity.sign_in_failed',
      detail: 'The name or the secret is wrong. Check both.',
    });
  });

  it('costs as much for nobody as for somebody', async () => {
    const known = await newPerson(50, 'first-use');
    // CPU, not the clock: other processes don't count. The least of four: a try may hit a collection.
    const cost = async (credentials: Credentials) => {
      const costs: number[] = [];
      for (let attempt = 0; attempt < 4; attempt += 1) {
        const place = newPlace(costly);
        const before = process.cpuUsage();
        await outcomeOf(costly, credentials, place);
        const { user, system } = process.cpuUsage(before);
        costs.push(user + system);
      }
      return Math.min(...costs);
    };
    const wrong = await cost({ ...known, pin: '999999' });
    const unknown = await cost({ ...known, value: citizenId('20010909', 51) });
    expect(wrong).toBeGreaterThan(5_000);
    expect(unknown / wrong).toBeGreaterThan(0.5);
    expect(unknown / wrong).toBeLessThan(2);
  });

  it('is switched off as a whole where the local provider is', async () => {
    const production = makeIdentity(database, { keys, isLocalSignInAllowed: false });
    for (const credentials of [me, clerk, { ...me, pin: 'x' }]) {
      await expect(production.signIn(credentials, newPlace(identity))).rejects.toMatchObject({
        kind: 'forbidden',
        code: 'identity.sign_in_off',
      });
    }
  });
});

/** Tries a wrong secret so many times; the last outcome. */
async function failTimes(count: number, credentials: Credentials, place = newPlace(identity)) {
  let last = '';
  for (let attempt = 0; attempt < count; attempt += 1) {
    last = await outcomeOf(identity, wrongly(credentials), place);
  }
  return last;
}

function wrongly(credentials: Credentials): Credentials {
  return 'username' in credentials
    ? { ...credentials, password: 'no' }
    : { ...credentials, pin: '000000' };
}

describe('five wrong tries', () => {
  it.each([
    ['somebody', true],
    ['nobody', false],
  ])('lock the account of %s for a quarter of an hour', async (_, exists) => {
    const credentials: Credentials = exists
      ? await newPerson(60)
      : { scheme: 'cn-id', value: citizenId('20010909', 61), pin: '111222' };
    expect(await failTimes(5, credentials)).toBe('identity.sign_in_failed');
    // From the sixth on even the right PIN is refused, from anywhere new.
    const locked = identity.signIn(credentials, newPlace(identity));
    await expect(locked).rejects.toMatchObject({
      kind: 'rate_limited',
      code: 'identity.sign_in_locked',
      retryAfterSeconds: expect.toSatisfy((seconds) => seconds > 880 && seconds <= 900),
    });
    // What is refused doesn't lengthen it.
    await setClockOffset(600_000);
    await expect(identity.signIn(credentials, newPlace(identity))).rejects.toMatchObject({
      retryAfterSeconds: expect.toSatisfy((seconds) => seconds > 280 && seconds <= 300),
    });
    await setClockOffset(901_000);
    expect(await outcomeOf(identity, credentials, newPlace(identity))).toBe(
      exists ? 'in' : 'identity.sign_in_failed',
    );
    await setClockOffset(0);
  });

  it('count from the first: four now and one after a quarter of an hour lock nothing', async () => {
    const credentials = await newPerson(64);
    await failTimes(4, credentials);
    await setClockOffset(901_000);
    await failTimes(4, credentials);
    expect(await outcomeOf(identity, credentials, newPlace(identity))).toBe('in');
    await setClockOffset(0);
  });

  it('made at once in two processes don’t slip past the limit', async () => {
    const credentials = await newPerson(62);
    const outcomes = await Promise.all(
      Array.from({ length: 9 }, (_, at) =>
        outcomeOf(at % 2 === 0 ? identity : otherProcess, wrongly(credentials), newPlace(identity)),
      ),
    );
    expect(outcomes.sort()).toEqual([
      ...Array.from({ length: 5 }, () => 'identity.sign_in_failed'),
      ...Array.from({ length: 4 }, () => 'identity.sign_in_locked'),
    ]);
  });

  it('don’t count when a right one comes between', async () => {
    const credentials = await newPerson(63);
    for (let round = 0; round < 2; round += 1) {
      expect(await failTimes(4, credentials)).toBe('identity.sign_in_failed');
      expect(await outcomeOf(identity, credentials, newPlace(identity))).toBe('in');
    }
  });
});

describe('a device she signed in from before', () => {
  it('lets her in while strangers have locked her account, and locks apart', async () => {
    const credentials = await newPerson(65);
    const hers = newPlace(identity);
    await identity.signIn(credentials, hers);
    await failTimes(5, credentials);
    expect(await outcomeOf(identity, credentials, newPlace(identity))).toBe(
      'identity.sign_in_locked',
    );
    expect(await outcomeOf(identity, credentials, hers)).toBe('in');
    await failTimes(5, credentials, hers);
    expect(await outcomeOf(identity, credentials, hers)).toBe('identity.sign_in_locked');
  });

  it('lets her in while her whole network is locked', async () => {
    const credentials = await newPerson(66);
    const hers = newPlace(identity);
    await identity.signIn(credentials, hers);
    await lockAddress(hers.address);
    const neighbour = { ...newPlace(identity), address: hers.address };
    expect(await outcomeOf(identity, credentials, neighbour)).toBe('identity.sign_in_locked');
    expect(await outcomeOf(identity, credentials, hers)).toBe('in');
  });

  it('is none to other accounts, and is not invented', async () => {
    const [own, other] = [await newPerson(67), await newPerson(68)];
    const attacker = newPlace(identity);
    await identity.signIn(own, attacker);
    await failTimes(5, other);
    expect(await outcomeOf(identity, other, attacker)).toBe('identity.sign_in_locked');
    for (const invented of ['', 'x', 'x.y', `${attacker.device}x`, '.']) {
      expect(identity.deviceCookie(invented)).not.toBe(invented);
    }
    expect(identity.deviceCookie(attacker.device)).toBe(attacker.device);
    expect(otherProcess.deviceCookie(attacker.device)).toBe(attacker.device);
  });

  it('is forgotten after four hundred days', async () => {
    const credentials = await newPerson(69);
    const hers = newPlace(identity);
    await identity.signIn(credentials, hers);
    await setClockOffset(401 * 86_400_000);
    await failTimes(5, credentials);
    expect(await outcomeOf(identity, credentials, hers)).toBe('identity.sign_in_locked');
    await identity.purgeExpired();
    const [left] = await ownerSql`select count(*)::int as count from identity.known_devices`;
    expect(left?.count).toBe(0);
    await setClockOffset(0);
  });
});

/** Uses an address up, over many accounts and devices. */
async function lockAddress(address: string) {
  for (let sequence = 100; sequence < 200; sequence += 1) {
    const stranger = { scheme: 'cn-id', value: citizenId('20020202', sequence), pin: 'x' } as const;
    await outcomeOf(identity, stranger, { ...newPlace(identity), address });
  }
}

describe('wrong tries over many accounts', () => {
  it('lock a device after twenty, wherever it goes', async () => {
    const device = identity.deviceCookie(undefined);
    const own = await newPerson(70);
    for (let sequence = 0; sequence < 20; sequence += 1) {
      const stranger = { ...own, value: citizenId('20020203', sequence + 1), pin: 'x' };
      const place = { ...newPlace(identity), device };
      expect(await outcomeOf(identity, stranger, place)).toBe('identity.sign_in_failed');
      // Signing in as oneself wipes no guess at others away.
      if (sequence === 10) expect(await outcomeOf(identity, own, place)).toBe('in');
    }
    const place = { ...newPlace(identity), device };
    expect(await outcomeOf(identity, await newPerson(71), place)).toBe('identity.sign_in_locked');
    expect(await outcomeOf(identity, await newPerson(72), newPlace(identity))).toBe('in');
  });

  it('lock an address after a hundred, whoever asks; right ones leave no mark', async () => {
    const { address } = newPlace(identity);
    const credentials = await newPerson(73);
    for (let round = 0; round < 3; round += 1) {
      await identity.signIn(credentials, { ...newPlace(identity), address });
    }
    await lockAddress(address);
    const place = { ...newPlace(identity), address };
    expect(await outcomeOf(identity, credentials, place)).toBe('identity.sign_in_locked');
    await setClockOffset(901_000);
    expect(await outcomeOf(identity, credentials, place)).toBe('in');
    await setClockOffset(0);
  });

  it('leave no account, device or address to be read', async () => {
    const credentials = await newPerson(74);
    const place = { ...newPlace(identity), address: '198.51.100.77' };
    await failTimes(2, credentials, place);
    await identity.signIn(credentials, place);
    const rows = JSON.stringify([
      await ownerSql`select encode(counter_digest, 'hex') as digest, * from identity.sign_in_tries`,
      await ownerSql`select encode(pair_digest, 'hex') as digest, * from identity.known_devices`,
      await ownerSql`select * from identity.sessions`,
    ]);
    expect(rows.length).toBeGreaterThan(500);
    for (const secret of [credentials.value, place.address, place.device, credentials.pin]) {
      expect(rows).not.toContain(secret);
    }
  });
});
