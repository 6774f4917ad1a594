// Keys that rotate while several processes ensure, find and seal: nobody gets two rows, nothing is lost.
import { mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import type { Actor, Identity } from '../../../identity/index.ts';
import { systemIds } from '../../../platform/index.ts';
import { openSecretVersions } from '../../../signing/index.ts';
import { withDatabase } from '../../support/database.ts';
import { eventually } from '../../support/eventually.ts';
import { citizenId, makeIdentity, makeKeys } from './house.ts';

const { database, ownerSql } = withDatabase();
const keysDir = mkdtempSync(join(tmpdir(), 'yihao-rotation-'));
mkdirSync(join(keysDir, 'secrets'));
for (const name of ['kek', 'index-registry']) {
  writeFileSync(join(keysDir, 'secrets', `${name}.key`), systemIds.bytes(32));
}
afterAll(() => rmSync(keysDir, { recursive: true, force: true }));

const fixed = makeKeys();
/** A process of its own: it reads the key files by itself and learns of versions by itself. */
const makeProcess = (): Identity =>
  makeIdentity(database, {
    keys: {
      ...fixed,
      kek: openSecretVersions(keysDir, 'kek'),
      indexRegistry: openSecretVersions(keysDir, 'index-registry'),
    },
  });
const operator: Actor = {
  kind: 'system',
  requestId: 'test',
  organisationId: null,
  roles: [],
  scopes: [],
};
let serial = 0;
const somebody = () => {
  serial += 1;
  const day = `19${String(50 + Math.floor(serial / 900)).padStart(2, '0')}0704`;
  return {
    scheme: 'cn-id' as const,
    value: citizenId(day, (serial % 900) + 1),
    name: `人${serial}`,
  };
};
const newestOf = async (name: string): Promise<number> => {
  const [row] = await ownerSql<{ n: number }[]>`
    select max(version)::int as n from identity.key_versions where name = ${name}`;
  return row?.n ?? 0;
};
const finish = (identity: Identity) =>
  eventually(async () => (await identity.rotateKeys()).length === 0, { timeoutMs: 10_000 });
const secrets = () => readdirSync(join(keysDir, 'secrets')).sort();

beforeEach(() => finish(makeProcess()));

describe.each(['kek', 'index-registry'] as const)('rotating %s', (name) => {
  it('leaves every person findable and readable, under the new version alone', async () => {
    const [here, there] = [makeProcess(), makeProcess()];
    const people = Array.from({ length: 230 }, somebody);
    const ids = await here.ensurePeople(database.db, people);
    const sealed = await here.sealFor(database.db, ids[0] ?? '', Buffer.from('text'), 'a|b|c');
    await there.findPerson(database.db, people[0] ?? somebody());

    const version = await here.beginRotation(operator, name);
    await finish(here);

    for (const house of [here, there, makeProcess()]) {
      expect(await house.ensurePeople(database.db, people)).toEqual(ids);
      expect((await house.revealPerson(database.db, ids[7] ?? '')).name).toBe(people[7]?.name);
      const opened = await house.openFor(database.db, ids[0] ?? '', sealed, 'a|b|c');
      expect(opened.toString()).toBe('text');
    }
    const live = (await here.keyVersions()).filter((one) => one.name === name && !one.isRetired);
    expect(live).toEqual([{ name, version, isRetired: false, uses: expect.any(Number) }]);
    expect(live[0]?.uses).toBeGreaterThan(229);
    expect(secrets().filter((file) => file.startsWith(name))).toEqual([`${name}.v${version}.key`]);
    expect(readdirSync(join(keysDir, 'retired'))).toContain(`${name}.v${version - 1}.key`);
  });

  it('gives nobody two rows, whatever each process knows and whenever it starts', async () => {
    const people = Array.from({ length: 160 }, somebody);
    const houses = [makeProcess(), makeProcess(), makeProcess()];
    for (const house of houses) await house.findPerson(database.db, somebody());
    const ensureAll = async (house: Identity, at: number) => {
      const order = at % 2 === 0 ? people : [...people].reverse();
      const found = new Map<string, string>();
      for (let first = 0; first < order.length; first += 8) {
        const some = order.slice(first, first + 8);
        const ids = await database.transaction((tx) => house.ensurePeople(tx, some));
        for (const [n, one] of some.entries()) {
          found.set(one.value, ids[n] ?? '');
          expect(await house.findPerson(database.db, one)).toBe(ids[n]);
        }
      }
      return people.map(({ value }) => found.get(value)).join();
    };
    const rotate = async () => {
      const house = makeProcess();
      await house.beginRotation(operator, name);
      await finish(house);
      await house.beginRotation(operator, name);
      return '';
    };
    const answers = await Promise.all([...houses.map(ensureAll), rotate()]);
    expect(new Set(answers.filter(Boolean)).size).toBe(1);
    await finish(makeProcess());
    const [row] = await ownerSql`select count(*)::int as n, count(distinct audit_tag)::int as people
      from identity.people`;
    expect(row?.n).toBe(row?.people);
  });

  it('keeps the old version until a transaction from before has ended, and takes its row along', async () => {
    const slow = makeProcess();
    const one = somebody();
    let late = '';
    let isInserted = () => {};
    let mayCommit = () => {};
    const inserted = new Promise<void>((resolve) => {
      isInserted = resolve;
    });
    const commit = new Promise<void>((resolve) => {
      mayCommit = resolve;
    });
    const open = database.transaction(async (tx) => {
      late = await slow.ensurePerson(tx, one);
      isInserted();
      await commit;
    });
    await inserted;
    const house = makeProcess();
    const version = await house.beginRotation(operator, name);
    expect(await house.rotateKeys()).toEqual([name]);
    const rival = house.ensurePerson(database.db, one);
    mayCommit();
    await open;
    expect(await rival).toBe(late);
    await finish(house);
    expect(await makeProcess().findPerson(database.db, one)).toBe(late);
    expect((await house.revealPerson(database.db, late)).value).toBe(one.value);
    expect(await newestOf(name)).toBe(version);
  });

  it('goes on where a run was cut off', async () => {
    const house = makeProcess();
    await house.ensurePeople(database.db, Array.from({ length: 250 }, somebody));
    const version = await house.beginRotation(operator, name);
    const cut = new AbortController();
    const running = house.rotateKeys(cut.signal);
    const underNew = async () =>
      (await house.keyVersions()).find((one) => one.name === name && one.version === version)?.uses;
    await eventually(async () => ((await underNew()) ?? 0) > 0, { timeoutMs: 5_000 });
    cut.abort();
    await running;
    await finish(makeProcess());
    const left = await house.keyVersions();
    expect(left.filter((one) => one.name === name && one.uses > 0)).toHaveLength(1);
  });

  it('is refused while the last one is not finished', async () => {
    const house = makeProcess();
    await house.ensurePerson(database.db, somebody());
    await house.beginRotation(operator, name);
    await expect(house.beginRotation(operator, name)).rejects.toMatchObject({
      code: 'identity.rotation_running',
      kind: 'conflict',
    });
  });

  it('begun twice at once makes one version', async () => {
    const before = await newestOf(name);
    const begun = await Promise.allSettled(
      [makeProcess(), makeProcess(), makeProcess()].map((one) => one.beginRotation(operator, name)),
    );
    expect(begun.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected', 'rejected']);
    expect(await newestOf(name)).toBe(before + 1);
  });
});

it('a process without the file of a live version refuses to start, and to look anybody up', async () => {
  const version = await newestOf('index-registry');
  const file = join(keysDir, 'secrets', `index-registry.v${version}.key`);
  renameSync(file, `${file}.away`);
  try {
    const missing = { code: 'signing.keys_missing' };
    await expect(makeProcess().start()).rejects.toMatchObject(missing);
    await expect(makeProcess().findPerson(database.db, somebody())).rejects.toMatchObject(missing);
  } finally {
    renameSync(`${file}.away`, file);
  }
});
