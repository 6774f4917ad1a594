// Status lists on PostgreSQL: indexes given out once, statuses in the caller's transaction.
import { inflateSync } from 'node:zlib';
import { type JWTVerifyResult, jwtVerify } from 'jose';
import pino from 'pino';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { decodeBase64url, fixedClock, systemIds } from '../../../platform/index.ts';
import {
  type AllocatedStatus,
  createSigning,
  type Keystore,
  type Signing,
} from '../../../signing/index.ts';
import { LIST_SIZE } from '../../../signing/status-lists.ts';
import { withDatabase } from '../../support/database.ts';
import { TEST_PUBLIC_URL, testKeys } from '../../support/keys.ts';

const { database, ownerSql } = withDatabase();
const logger = pino({ level: 'silent' });
const START = '2026-03-04T05:00:00Z';

let keystore: Keystore;
let clock: ReturnType<typeof fixedClock>;
let signing: Signing;

beforeAll(async () => {
  ({ keystore } = await testKeys());
});

beforeEach(() => {
  clock = fixedClock(START);
  signing = aProcess();
});

afterEach(async () => {
  await ownerSql`truncate signing.statuses, signing.status_lists`;
  await ownerSql`alter sequence signing.status_positions restart`;
});

/** One of several processes on the same database. */
function aProcess(): Signing {
  return createSigning({
    database,
    clock,
    ids: systemIds,
    keystore,
    publicUrl: TEST_PUBLIC_URL,
    logger,
  });
}

const allocate = (count: number) =>
  database.transaction((tx) => signing.allocateStatuses(tx, count));

const Claims = z.strictObject({
  sub: z.string(),
  iat: z.number(),
  exp: z.number(),
  ttl: z.number(),
  status_list: z.strictObject({ bits: z.literal(2), lst: z.string() }),
});

async function verifyToken(token: string): Promise<JWTVerifyResult> {
  return jwtVerify(token, keystore.statusKey.certificate.publicKey, {
    typ: 'statuslist+jwt',
    currentDate: clock.now(),
  });
}

/** The statuses other than 0 that a relying party reads out of a list's token. */
async function published(from: Signing, listId: string): Promise<Record<number, number>> {
  const token = (await from.statusListToken(listId)) ?? '';
  const { payload } = await verifyToken(token);
  const list = inflateSync(decodeBase64url(Claims.parse(payload).status_list.lst));
  expect(list.length).toBe(LIST_SIZE / 4);
  const statuses = Array.from({ length: LIST_SIZE }, (_, idx) => {
    return [idx, (list.readUInt8(idx >> 2) >> ((idx & 3) * 2)) & 3] as const;
  });
  return Object.fromEntries(statuses.filter(([, status]) => status !== 0));
}

function aGate(): { opened: Promise<void>; open: () => void } {
  let open = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open };
}

const key = ({ uri, idx }: AllocatedStatus) => `${uri}#${idx}`;

describe('giving out indexes', () => {
  test('gives each index once, at random, under a URI of this registry', async () => {
    const allocated = await allocate(1_000);
    expect(new Set(allocated.map(key)).size).toBe(1_000);
    expect(new Set(allocated.map(({ listId, uri }) => `${listId} ${uri}`))).toEqual(
      new Set([`0 ${TEST_PUBLIC_URL}/status-lists/0`]),
    );
    const indexes = allocated.map(({ idx }) => idx);
    expect(indexes.every((idx) => idx >= 0 && idx < LIST_SIZE)).toBe(true);
    // Neighbours in the order of issue are neighbours in the list about 2 times in 131,072.
    const neighbours = indexes.filter((idx, at) => Math.abs(idx - (indexes[at + 1] ?? -9)) === 1);
    expect(neighbours.length).toBeLessThan(5);
  });

  test('gives no index twice to transactions at the same time, in two processes', async () => {
    const processes = [signing, aProcess()];
    const all = await Promise.all(
      Array.from({ length: 60 }, (_, at) =>
        database.transaction(async (tx) => {
          const one = await processes[at % 2]?.allocateStatus(tx);
          const more = await processes[at % 2]?.allocateStatuses(tx, 3);
          return [one, ...(more ?? [])].flatMap((status) => status ?? []);
        }),
      ),
    );
    expect(new Set(all.flat().map(key)).size).toBe(240);
    expect(new Set(all.flat().map(({ listId }) => listId))).toEqual(new Set(['0']));
  });

  test('never gives an index again that a rolled back transaction had', async () => {
    const had = await allocate(1);
    for (let round = 0; round < 3; round += 1) {
      const failing = database.transaction(async (tx) => {
        had.push(...(await signing.allocateStatuses(tx, 5)));
        throw new Error('rolled back');
      });
      await expect(failing).rejects.toThrow('rolled back');
    }
    had.push(...(await allocate(5)));
    expect(new Set(had.map(key)).size).toBe(21);
  });

  test('makes a list again when its first maker was rolled back', async () => {
    const failing = database.transaction(async (tx) => {
      await signing.allocateStatus(tx);
      throw new Error('rolled back');
    });
    await expect(failing).rejects.toThrow('rolled back');
    expect(await signing.statusListToken('0')).toBeNull();
    const [one] = await allocate(1);
    expect(one?.uri).toBe(`${TEST_PUBLIC_URL}/status-lists/0`);
    expect(await published(signing, '0')).toEqual({});
  });

  test('goes on with a second list when the first is full, and uses up every index', async () => {
    const allocated = [await allocate(LIST_SIZE - 2), await allocate(4)].flat();
    expect(new Set(allocated.map(key)).size).toBe(LIST_SIZE + 2);
    const ofFirst = allocated.filter(({ listId }) => listId === '0').map(({ idx }) => idx);
    expect(Uint32Array.from(ofFirst).sort()).toEqual(
      Uint32Array.from({ length: LIST_SIZE }, (_, i) => i),
    );
    expect(allocated.at(-1)?.uri).toBe(`${TEST_PUBLIC_URL}/status-lists/1`);
  });

  test('has the next list ready before the first is full', async () => {
    await allocate(1);
    await ownerSql`select setval('signing.status_positions', ${LIST_SIZE * 0.75 - 1})`;
    await allocate(1);
    const lists = await ownerSql`select id from signing.status_lists order by id`;
    expect(lists.map(({ id }) => id)).toEqual([0, 1]);
  });
});

describe('setting a status', () => {
  test('shows in a token within a second of the commit, in each process', async () => {
    const other = aProcess();
    const [one, two, three] = await allocate(3);
    if (!one || !two || !three) throw new Error('Too few.');
    expect([await published(signing, '0'), await published(other, '0')]).toEqual([{}, {}]);
    await database.transaction(async (tx) => {
      await signing.setStatus(tx, one, 1);
      await signing.setStatus(tx, two, 2);
      await signing.setStatus(tx, three, 3);
    });
    clock.advance(1_000);
    const expected = { [one.idx]: 1, [two.idx]: 2, [three.idx]: 3 };
    expect([await published(signing, '0'), await published(other, '0')]).toEqual([
      expected,
      expected,
    ]);
    await database.transaction((tx) => signing.setStatus(tx, two, 0));
    clock.advance(1_000);
    expect(await published(other, '0')).toEqual({ [one.idx]: 1, [three.idx]: 3 });
  });

  test('is part of the transaction: seen inside it, gone with it', async () => {
    const [one] = await allocate(1);
    if (!one) throw new Error('Too few.');
    const act = database.transaction(async (tx) => {
      await signing.setStatus(tx, one, 2);
      expect(await signing.getStatus(tx, one)).toBe(2);
      throw new Error('rolled back');
    });
    await expect(act).rejects.toThrow('rolled back');
    expect(await signing.getStatus(database.db, one)).toBe(0);
    expect(await published(signing, '0')).toEqual({});
  });

  test('is not missed when transactions commit in another order than they wrote', async () => {
    const [early, late] = await allocate(2);
    if (!early || !late) throw new Error('Too few.');
    expect(await published(signing, '0')).toEqual({});
    const gate = aGate();
    const wrote = aGate();
    const slow = database.transaction(async (tx) => {
      await signing.setStatus(tx, early, 1);
      wrote.open();
      await gate.opened;
    });
    await wrote.opened;
    await database.transaction((tx) => signing.setStatus(tx, late, 1));
    clock.advance(1_000);
    expect(await published(signing, '0')).toEqual({ [late.idx]: 1 });
    gate.open();
    await slow;
    clock.advance(1_000);
    expect(await published(signing, '0')).toEqual({ [early.idx]: 1, [late.idx]: 1 });
  });

  test('is refused for a place that is on no list of ours', async () => {
    const [one] = await allocate(1);
    if (!one) throw new Error('Too few.');
    for (const reference of [
      { uri: one.uri, idx: LIST_SIZE },
      { uri: one.uri, idx: -1 },
      { uri: one.uri, idx: 0.5 },
      { uri: `${TEST_PUBLIC_URL}/status-lists/9`, idx: 0 },
      { uri: 'https://other.example/status-lists/0', idx: 0 },
    ]) {
      const refused = { code: 'signing.status_unknown', kind: 'not_found' };
      await expect(signing.setStatus(database.db, reference, 1)).rejects.toMatchObject(refused);
      await expect(signing.getStatus(database.db, reference)).rejects.toMatchObject(refused);
    }
  });
});

describe('the token', () => {
  test('has the claims of the standard, and a chain without the root', async () => {
    await allocate(1);
    const { payload, protectedHeader } = await verifyToken(
      (await signing.statusListToken('0')) ?? '',
    );
    const iat = Date.parse(START) / 1000;
    expect(payload).toEqual({
      sub: `${TEST_PUBLIC_URL}/status-lists/0`,
      iat,
      exp: iat + 3_600,
      ttl: 5,
      status_list: { bits: 2, lst: expect.any(String) },
    });
    const { kid, chain } = keystore.statusKey;
    const x5c = chain.map((der) => der.toString('base64'));
    expect(protectedHeader).toEqual({ alg: 'ES256', typ: 'statuslist+jwt', kid, x5c });
    expect(x5c.length).toBe(2);
  });

  test('is signed once for all who ask within a second, and anew each minute', async () => {
    const [one] = await allocate(1);
    if (!one) throw new Error('Too few.');
    const ask = () => signing.statusListToken('0');
    const crowd = await Promise.all(Array.from({ length: 20 }, ask));
    expect(new Set(crowd).size).toBe(1);
    await database.transaction((tx) => signing.setStatus(tx, one, 1));
    clock.advance(999);
    expect(await ask()).toBe(crowd[0]);
    clock.advance(1);
    const changed = await ask();
    expect(changed).not.toBe(crowd[0]);
    clock.advance(59_999);
    expect(await ask()).toBe(changed);
    clock.advance(1_000);
    expect(await ask()).not.toBe(changed);
  });

  test('does not exist for a list that does not', async () => {
    await allocate(1);
    for (const listId of [
      '1',
      '00',
      '-1',
      '0x0',
      '',
      ' 0',
      '1e3',
      '999999999',
      '9999999999',
      'x',
    ]) {
      expect(await signing.statusListToken(listId)).toBeNull();
    }
  });

  test('of a restored dump shows old statuses and new ones', async () => {
    const [old, fresh] = await allocate(2);
    if (!old || !fresh) throw new Error('Too few.');
    await database.transaction((tx) => signing.setStatus(tx, old, 1));
    // As after pg_restore into a younger cluster: the row's transaction lies in the future.
    await ownerSql`update signing.statuses set changed_xid = '9999999999'`;
    expect(await published(signing, '0')).toEqual({ [old.idx]: 1 });
    await database.transaction((tx) => signing.setStatus(tx, fresh, 2));
    clock.advance(1_000);
    expect(await published(signing, '0')).toEqual({ [old.idx]: 1, [fresh.idx]: 2 });
  });
});
