// A dump of the house after loading the whole city tells nothing about anybody in it: no table, no
// file, no log line, no Redis key holds a citizen ID, a name or an address, however written down.
import { readdirSync, readFileSync } from 'node:fs';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import postgres from 'postgres';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { createMachineClient, readClientFile } from '../../cli/machine-client.ts';
import { PersonFile, signIn } from '../../cli/person-client.ts';
import { inventCity } from '../../cli/sample/city.ts';
import { sampleLoaded } from '../../cli/sample/loaded.ts';
import { readWorld } from '../../cli/sample/world.ts';
import { type ByteSearch, prepareSearch, writtenForms } from '../../platform/byte-search.ts';
import { freePort } from '../../platform/free-port.ts';
import { cityDay, type Json, systemClock } from '../../platform/index.ts';
import { scanFiles, scanRedis, scanTables } from '../../platform/residue-scan.ts';
import { type RedisServer, startRedis } from '../redis/redis-server.ts';
import { type HouseProcess, startHouse } from './house-process.ts';

const settings = { LOG_LEVEL: 'trace', RATE_PUBLIC: '0' };
const minutes = 60_000;

let dataDir: string;
let port: number;
let house: HouseProcess;
let redis: RedisServer;
let newSearch: () => ByteSearch;
let logged = '';

/** All strings in a value that look like what `pattern` says. */
function textsIn(value: Json | undefined, pattern: RegExp): string[] {
  if (typeof value === 'string') return pattern.test(value) ? [value] : [];
  if (typeof value !== 'object' || value === null) return [];
  return Object.values(value).flatMap((part) => textsIn(part, pattern));
}

/** What must not be found: identifiers in every written form, names and addresses in UTF-8 and UTF-16. */
function secretsOfTheCity() {
  const labels = new Map(
    readWorld().persona_templates.map(({ key, label_zh }): [string, string] => [key, label_zh]),
  );
  const { personas, others } = inventCity(cityDay(systemClock.now(), 'Asia/Shanghai'), labels);
  const people = [...personas, ...others];
  const fields = people.flatMap(({ holdings }) => holdings.map((one): Json => one.fields));
  return {
    identifiers: [
      ...new Set([
        ...people.map(({ value }) => value),
        ...fields.flatMap((one) => textsIn(one, /^99\d{15}[\dX]$/)),
      ]),
    ],
    names: [...new Set(people.map(({ name }) => name))],
    addresses: [...new Set(fields.flatMap((one) => textsIn(one, /^云珠市.*房$/)))],
  };
}

/**
 * A made-up name can also be a word of a text that everybody may read. One that stands in the
 * repository's own data can't be told from it there, and is not looked for.
 */
function publicTexts(): Buffer {
  const folder = join(import.meta.dirname, '..', '..', 'data');
  const files = readdirSync(folder, { recursive: true, withFileTypes: true });
  return Buffer.concat(
    files
      .filter((entry) => entry.isFile())
      .map((entry) => readFileSync(join(entry.parentPath, entry.name))),
  );
}

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'yihao-dump-'));
  // So that a root's PostgreSQL lies inside, where the files are searched.
  await chmod(dataDir, 0o711);
  port = await freePort();
  redis = await startRedis();
  house = await startHouse(dataDir, port, settings);
  await sampleLoaded(house.baseUrl);
}, 20 * minutes);

afterAll(async () => {
  await house?.stop();
  await redis?.close();
  await rm(dataDir, { recursive: true, force: true });
});

/** Questions answered at once, later and never, sign-ins and refusals: whatever may leave a trace. */
async function live(): Promise<void> {
  const people = PersonFile.parse(JSON.parse(await readFile(join(dataDir, 'people.json'), 'utf8')));
  const housing = createMachineClient(
    await readClientFile(join(dataDir, 'clients', 'housing.json')),
    { baseUrl: house.baseUrl },
  );
  for (const [at, person] of people.filter(({ scheme }) => scheme === 'cn-id').entries()) {
    if (at >= 40) break;
    const body = {
      service: 'VS-MARITAL',
      subject: { scheme: person.scheme, value: at % 10 === 9 ? `${person.value}0` : person.value },
      params: { declared: at % 10 === 8 ? person.name : 'married' },
      legalBasis: 'LB-MCA266',
      purpose: 'public rental housing application',
      caseId: at % 10 === 7 ? person.value : `D-${at}`,
    };
    await housing.call('POST', '/v1/verifications', body, {
      'Idempotency-Key': `dump-${at}`,
      ...(at % 2 === 0 ? { Prefer: 'wait=5' } : {}),
    });
    if (at % 8 > 1) continue;
    const pin = at % 8 === 0 ? person.pin : '000000';
    const { scheme, value } = person;
    const session = await signIn(house.baseUrl, { scheme, value, pin }).catch(() => undefined);
    for (const path of ['/v1/me', '/v1/me/licences', '/me']) await session?.get(path);
    await fetch(`${house.baseUrl}/v1/licences/${value}?q=${encodeURIComponent(person.name)}`);
    await fetch(`${house.baseUrl}/v1/public/licences/${value}`);
  }
}

const ownerUrl = async (): Promise<string> =>
  z
    .object({ url: z.string() })
    .parse(JSON.parse(await readFile(join(dataDir, 'database.json'), 'utf8'))).url;

/** What stands for itself in clear: keys, and the lists of who may sign in to the sample. */
const isMeantToTell = (path: string): boolean =>
  /^(keys|clients)\/|^(people|officers)\.json$/.test(path);

async function scanAll() {
  return [
    ...(await scanTables(await ownerUrl(), newSearch)),
    ...(await scanFiles(dataDir, newSearch, isMeantToTell)),
    ...(await scanRedis(redis.url, newSearch)),
    ...newSearch()
      .push(Buffer.from(logged + house.output()))
      .map(({ label }) => ({ place: 'log', found: [label] })),
  ];
}

describe('a dump of the whole house', () => {
  test('is searched for all 2,000 people, and for all but a few of their names', () => {
    const { identifiers, names, addresses } = secretsOfTheCity();
    expect(identifiers.filter((id) => id.length === 18).length).toBeGreaterThanOrEqual(2000);
    expect(addresses.length).toBeGreaterThan(1900);
    const needles = [
      ...identifiers.flatMap((id) => writtenForms(`id ${id}`, Buffer.from(id))),
      ...[...names, ...addresses].flatMap((text) =>
        writtenForms(text, Buffer.from(text)).filter(({ label }) => /\((plain|UTF-16)/.test(label)),
      ),
    ];
    const inPublic = new Set(
      prepareSearch(needles)()
        .push(publicTexts())
        .map(({ bytes }) => bytes.toString('hex')),
    );
    const secret = needles.filter(({ bytes }) => !inPublic.has(bytes.toString('hex')));
    const soughtNames = names.filter((name) => !inPublic.has(Buffer.from(name).toString('hex')));
    expect(needles.length - secret.length).toBeLessThan(names.length / 20);
    expect(soughtNames.length).toBeGreaterThan(names.length * 0.95);
    newSearch = prepareSearch(secret);
  });

  test(
    'holds none of it in any table, file or log line, nor in Redis, after living for a while',
    async () => {
      await live();
      expect(await scanAll()).toEqual([]);
      // The same house with its queue on Redis.
      logged += house.output();
      await house.stop();
      house = await startHouse(dataDir, port, { ...settings, REDIS_URL: redis.url });
      await live();
      expect(await redis.client.dbsize()).toBeGreaterThan(0);
      // Each act of `live` is a line, and so is each step of the first start: there is something to search.
      expect((logged + house.output()).split('\n').length).toBeGreaterThan(200);
      expect(await scanAll()).toEqual([]);
    },
    8 * minutes,
  );

  test(
    'would have shown it: what is planted in each kind of place is found there',
    async () => {
      const [id = ''] = secretsOfTheCity().identifiers;
      const owner = postgres(await ownerUrl(), { max: 1, onnotice: () => {} });
      await owner`create table public.planted (plain text, bytes bytea, doc jsonb, list text[])`;
      await owner`insert into public.planted values (null, ${Buffer.from(`x${id}`)}, null, null)`;
      await owner`insert into public.planted (plain) values (${Buffer.from(`..${id}`).toString('base64')})`;
      await owner`checkpoint`.catch(() => {}); // the owner need not be allowed to; the file has it then too
      await writeFile(join(dataDir, 'note.bin'), Buffer.from(id, 'utf16le'));
      await redis.client.hset('job', 'data', Buffer.from(id).toString('hex'));
      logged += `\n{"msg":"${id}"}\n`;
      const found = await scanAll();
      await owner`drop table public.planted`;
      await owner.end();
      const places = found.map(({ place, found: what }) => `${place}: ${what.join()}`);
      expect(places).toEqual(
        expect.arrayContaining([
          `table public.planted: id ${id} (base64+2),id ${id} (plain)`,
          `file note.bin: id ${id} (UTF-16)`,
          `Redis key job: id ${id} (HEX),id ${id} (hex)`,
          `log: id ${id} (plain)`,
        ]),
      );
      expect(places.some((place) => place.startsWith('file postgres/data/'))).toBe(true);
    },
    4 * minutes,
  );
});
