// Keys rotate and people are erased while others are served, with kill -9 in the middle of both:
// nobody else notices, every proof holds as before, and the next start completes what was cut off.
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type postgres from 'postgres';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import {
  createTraffic,
  type Holder,
  operatorsOf,
  stranger,
  type Traffic,
} from '../../bench/city-traffic.ts';
import type { MachineClient } from '../../cli/machine-client.ts';
import { signIn } from '../../cli/person-client.ts';
import { prepareSearch, writtenForms } from '../../platform/byte-search.ts';
import { openSession } from '../../platform/database-url.ts';
import { freePort } from '../../platform/free-port.ts';
import { scanTables } from '../../platform/residue-scan.ts';
import { verify, verifyTlogProof } from '../../verifier/index.ts';
import { eventually } from '../support/eventually.ts';
import { runYihao } from '../support/yihao-command.ts';
import { type HouseProcess, startHouse } from './house-process.ts';
import { roundsOr } from './log-process.ts';

const callers = 6;
const rounds = roundsOr(1);
const Made = z.looseObject({ id: z.string(), state: z.string() });
const Asked = z.looseObject({ audit: z.array(z.number()) });
const Page = z.looseObject({ items: z.array(z.looseObject({ index: z.number() })) });
const Entry = z.looseObject({ leaf: z.string() });
const Licences = z.looseObject({
  items: z.array(z.looseObject({ number: z.string(), issuer: z.string() })),
});

let dataDir: string;
let port: number;
let house: HouseProcess;
let traffic: Traffic;
let audit: MachineClient;
let vkey: string;
/** Whom the callers are about; none of them is erased. */
let others: Holder[];
/** The numbers issued to each of them. */
const numbers = new Map<string, string[]>();

const start = () => startHouse(dataDir, port, { RATE_PUBLIC: '0' });

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'yihao-change-'));
  port = await freePort();
  house = await start();
  traffic = await createTraffic({ baseUrl: house.baseUrl, dataDir });
  audit = await traffic.clientOf('audit');
  vkey = (await (await fetch(`${house.baseUrl}/log/vkey`)).text()).trim();
  others = traffic.people.slice(0, 30).filter(({ key }) => key !== 'p-teacher');
}, 120_000);

afterAll(async () => {
  await house?.stop();
  await rm(dataDir, { recursive: true, force: true });
}, 60_000);

async function ownerUrl(): Promise<string> {
  const text = await readFile(join(dataDir, 'database.json'), 'utf8');
  return z.object({ url: z.string() }).parse(JSON.parse(text)).url;
}

/** With the owner's eyes; the connection is of this moment, as the server may be killed. */
async function inDatabase<T>(look: (sql: postgres.Sql) => Promise<T>): Promise<T> {
  const sql = openSession(await ownerUrl());
  try {
    await sql`set row_security = off`;
    return await look(sql);
  } finally {
    await sql.end({ timeout: 5 });
  }
}

function noteIssued({ value }: Holder, { number }: { number: string }): void {
  numbers.set(value, [...(numbers.get(value) ?? []), number]);
}

/** Callers about `others` until they are ended; a call that fails while the house lives is kept. */
function startCallers() {
  const call = traffic.mixed(others, noteIssued);
  const failures: unknown[] = [];
  let calls = 0;
  let isEnding = false;
  let isKilled = false;
  const ended = Promise.all(
    Array.from({ length: callers }, async () => {
      while (!isEnding && failures.length < callers) {
        try {
          await call();
          calls += 1;
        } catch (error) {
          if (!isKilled) failures.push(error);
        }
      }
    }),
  );
  return {
    /** Resolves once that many more calls have been answered. */
    more: async (count: number) => {
      const goal = calls + count;
      await eventually(() => calls >= goal || failures.length > 0, { timeoutMs: 60_000 });
    },
    /** Before the house is killed: what fails from now on is not counted. */
    expectDeath: () => {
      isKilled = true;
    },
    end: async () => {
      isEnding = true;
      await ended;
      expect(failures).toEqual([]);
    },
  };
}

const keys = (...words: string[]) =>
  runYihao(['keys', ...words], { settings: { DATA_DIR: dataDir, PORT: String(port) } });

/** How many rows stand under another version than these. */
const rowsNotUnder = (kek: number, index: number) =>
  inDatabase(async (sql) => {
    const [row] = await sql<{ kek: number; index: number }[]>`
      select (select count(*)::int from identity.data_keys where kek_version <> ${kek}) as kek,
        (select count(*)::int from identity.people
          where index_version <> ${index} and blind_index is not null) as index`;
    return row;
  });

const liveVersions = () =>
  inDatabase((sql) =>
    sql`select name, version::int from identity.key_versions where retired_at is null order by name`.then(
      (rows) => rows.map(({ name, version }) => `${name} v${version}`),
    ),
  );

/** Who was issued several licences is one holder, and has one row. */
const expectNobodyTwice = () =>
  inDatabase(async (sql) => {
    const repeated = [...numbers.values()].filter((some) => some.length > 1);
    expect(repeated.length).toBeGreaterThan(5);
    for (const some of repeated) {
      const [row] = await sql`
        select count(distinct holder_id)::int as holders from registry.licences
        where number in ${sql(some)}`;
      expect(row).toEqual({ holders: 1 });
    }
  });

test('both keys rotate at once under load: no call fails, every row moves, nobody is there twice', async () => {
  const running = startCallers();
  await running.more(callers);
  let isRotated = false;
  // Meanwhile people come whom nobody knows, each by two issuers at once.
  const arriving = (async () => {
    for (let at = 100; !isRotated && at < 200; at += 1) {
      const holder = stranger(at);
      const issued = await Promise.all([1, 2].map(() => traffic.issueTo(holder)));
      for (const licence of issued) noteIssued(holder, licence);
    }
  })();
  const [kek, index] = await Promise.all([keys('rotate', 'kek'), keys('rotate', 'index-registry')]);
  isRotated = true;
  await arriving;
  expect([kek.code, index.code, kek.err, index.err]).toEqual([0, 0, '', '']);
  expect(await rowsNotUnder(2, 2)).toEqual({ kek: 0, index: 0 });
  expect(await liveVersions()).toEqual(['index-registry v2', 'kek v2']);
  await running.more(callers * 4);
  await running.end();
  await expectNobodyTwice();
});

interface Leaving {
  holder: Holder;
  erasure: string;
  entries: number[];
}

/** Proofs by the text they were given as, with the entry's bytes. */
const proofs: { index: number; leaf: string; text: string }[] = [];
const receipts: string[] = [];
const leaving: Leaving[] = [];
const needles: { label: string; bytes: Buffer }[] = [];

const subjectOf = ({ value }: Holder) => ({ scheme: 'cn-id', value });

async function leafOf(index: number): Promise<string> {
  return Entry.parse((await audit.call('GET', `/v1/audit/entries/${index}`)).json).leaf;
}

const proofOf = (index: number): Promise<string> =>
  eventually(
    async () => {
      const reply = await audit.call('GET', `/v1/audit/entries/${index}/receipt`);
      return reply.status === 200 && reply.text;
    },
    { timeoutMs: 15_000 },
  );

async function search(holder: Holder) {
  const body = { subject: subjectOf(holder), reason: 'a question of the auditors', limit: 50 };
  const reply = await audit.call('POST', '/v1/audit/search', body);
  expect(reply.status).toBe(200);
  return Page.parse(reply.json).items;
}

/** What was given before and what is given now verifies, and says the same. */
async function expectProofsHold(): Promise<void> {
  for (const { index, leaf, text } of proofs) {
    expect(await leafOf(index)).toBe(leaf);
    for (const one of [text, await proofOf(index)]) {
      const verdict = await verifyTlogProof(one, vkey, Buffer.from(leaf, 'base64'));
      expect([verdict.valid, verdict.reasons]).toEqual([true, []]);
    }
  }
  for (const receipt of receipts) expect((await verify(receipt, vkey)).reasons).toEqual([]);
  const { json } = await audit.call('GET', '/v1/audit/integrity');
  expect(json).toMatchObject({ ok: true, faults: [] });
}

const scan = async (isSought: (label: string) => boolean) =>
  scanTables(await ownerUrl(), prepareSearch(needles.filter(({ label }) => isSought(label))));

/** Her own receipts, and nothing valid any more: she may be erased. */
async function teacherLeaves(): Promise<Holder> {
  const teacher = traffic.people.find(({ key }) => key === 'p-teacher');
  if (!teacher) throw new TypeError('The sample has a teacher.');
  const { scheme, value, pin } = teacher;
  const session = await signIn(house.baseUrl, { scheme, value, pin });
  const { items } = Page.parse((await session.get('/v1/me/access-log?limit=10')).json);
  for (const { index } of items) {
    const path = `/v1/me/access-log/${index}/receipt`;
    const receipt = await eventually(async () => {
      const reply = await session.get(path);
      return reply.status === 200 && reply.text;
    });
    expect((await verify(receipt, vkey)).facts.opened).toBeDefined();
    receipts.push(receipt);
  }
  const licences = Licences.parse((await session.get('/v1/me/licences')).json);
  for (const { number, issuer } of licences.items) {
    await traffic.cancel(number, await traffic.clientOf(issuer));
  }
  return teacher;
}

async function operators() {
  const [asker, approver] = await Promise.all(
    (await operatorsOf(dataDir)).map((credentials) => signIn(house.baseUrl, credentials)),
  );
  if (!asker || !approver) throw new TypeError('The sample has two operators.');
  return { asker, approver };
}

const erasureTitle =
  'people are erased under load: others are served, proofs hold, nothing finds them';

test(
  `${erasureTitle}: ${rounds} rounds`,
  async () => {
    const running = startCallers();
    // One in each round, and two who stay for the next test.
    const strangers = Array.from({ length: rounds + 2 }, (_, at) => stranger(at + 1));
    for (const holder of strangers) {
      const { number } = await traffic.issueTo(holder);
      await traffic.ask(holder);
      await traffic.cancel(number);
    }
    const holders = [await teacherLeaves(), ...strangers];
    const { asker, approver } = await operators();
    for (const holder of holders) {
      const asked = Asked.parse((await traffic.ask(holder)).json);
      for (const index of asked.audit) {
        proofs.push({ index, leaf: await leafOf(index), text: await proofOf(index) });
      }
      const reply = await asker.post('/v1/erasures', {
        subject: subjectOf(holder),
        reason: 'asked for at the counter',
      });
      expect(reply.status).toBe(201);
      const entries = (await search(holder)).map(({ index }) => index);
      expect(entries).toEqual(expect.arrayContaining(asked.audit));
      leaving.push({ holder, erasure: Made.parse(reply.json).id, entries });
      needles.push(
        ...writtenForms(`number of ${holder.name}`, Buffer.from(holder.value)),
        ...writtenForms(`name of ${holder.name}`, Buffer.from(holder.name)),
      );
    }
    const digests = await inDatabase(
      (sql) => sql<{ id: string; blind: Buffer; tag: Buffer }[]>`
      select e.id, p.blind_index as blind, p.audit_tag as tag
      from oversight.erasures e join identity.people p on p.id = e.person_id`,
    );
    expect(digests).toHaveLength(holders.length);
    for (const { id, blind, tag } of digests) {
      needles.push(
        ...writtenForms(`blind index, ${id}`, blind),
        ...writtenForms(`tag, ${id}`, tag),
      );
    }
    const before = await scan(() => true);
    expect(before.map(({ place }) => place)).toContain('table identity.people');
    expect(receipts.length).toBeGreaterThan(2);
    await expectProofsHold();

    // The last two stay for the next test.
    for (const { holder, erasure } of leaving.slice(0, -2)) {
      const body = { subject: subjectOf(holder) };
      expect(await approver.post(`/v1/erasures/${erasure}/approve`, body)).toMatchObject({
        status: 200,
        json: { state: 'destroyed' },
      });
      expect(await search(holder)).toEqual([]);
      const isHers = (label: string) =>
        !label.startsWith('tag') && (label.includes(holder.name) || label.includes(erasure));
      expect(await scan(isHers)).toEqual([]);
    }
    const stays = (label: string) =>
      leaving
        .slice(-2)
        .some(({ holder, erasure }) => label.includes(holder.name) || label.includes(erasure));
    const isGone = (label: string) => !label.startsWith('tag') && !stays(label);
    expect(await scan(isGone)).toEqual([]);
    await expectProofsHold();
    await running.more(callers * 4);
    await running.end();
  },
  120_000 + rounds * 30_000,
);

test('kill -9 in the middle of a rotation and of erasures: the next start completes both', async () => {
  const [earlier, last] = leaving.slice(-2);
  if (!earlier || !last) throw new TypeError('Two of them stayed.');
  const body = { subject: subjectOf(last.holder) };
  const approval = `/v1/erasures/${last.erasure}/approve`;
  const { approver } = await operators();
  const running = startCallers();
  await running.more(callers);

  // Her data key is held: the rotation can't end, and her erasure stops halfway in its transaction.
  const holding = openSession(await ownerUrl());
  holding
    .begin(async (sql) => {
      await sql`select from identity.data_keys where person_id =
      (select person_id from oversight.erasures where id = ${last.erasure}) for update`;
      await new Promise(() => {});
    })
    .catch(() => {}); // its server is killed
  const before = (await rowsNotUnder(3, 2))?.kek ?? 0;
  expect((await keys('rotate', 'kek', '--no-wait')).code).toBe(0);
  await eventually(async () => ((await rowsNotUnder(3, 2))?.kek ?? 0) < before, {
    timeoutMs: 30_000,
  });
  const path = `/v1/erasures/${earlier.erasure}/approve`;
  const approved = await approver.post(path, { subject: subjectOf(earlier.holder) });
  expect(approved.status).toBe(200);
  approver.post(approval, body).catch(() => {}); // nobody will answer
  await eventually(
    () => inDatabase(async (sql) => (await sql`select from pg_locks where not granted`).length > 0),
    { timeoutMs: 15_000 },
  );
  expect((await rowsNotUnder(3, 2))?.kek).toBeGreaterThan(0);
  expect(await statesOf([earlier, last])).toEqual(['destroyed', 'requested']);
  running.expectDeath();
  await house.killGroup();
  await running.end();
  await holding.end({ timeout: 0 });

  house = await start();
  const again = startCallers();
  await eventually(async () => (await liveVersions()).join() === 'index-registry v2,kek v3', {
    timeoutMs: 60_000,
  });
  expect(await rowsNotUnder(3, 2)).toEqual({ kek: 0, index: 0 });
  expect((await readdir(join(dataDir, 'keys', 'retired'))).sort()).toEqual(
    expect.arrayContaining(['index-registry.v1.key', 'kek.v1.key', 'kek.v2.key']),
  );
  const repeated = await (await operators()).approver.post(approval, body);
  expect(repeated).toMatchObject({ status: 200, json: { state: 'destroyed' } });
  expect(await scan((label) => !label.startsWith('tag'))).toEqual([]);
  await eventually(
    async () => (await statesOf(leaving.slice(0, -1))).every((state) => state === 'done'),
    { timeoutMs: 60_000 },
  );
  // The last one's tag is kept while a process may still hold her key.
  const left = await scan(() => true);
  expect(left.filter(({ found }) => !found.every((one) => one.includes(last.erasure)))).toEqual([]);
  await expectProofsHold();
  await again.more(callers * 4);
  await again.end();
  await expectNobodyTwice();
});

/** How far each erasure is. */
const statesOf = (some: readonly Leaving[]) =>
  inDatabase(async (sql) => {
    const rows = await sql<
      { id: string; state: string }[]
    >`select id, state from oversight.erasures`;
    return some.map(({ erasure }) => rows.find(({ id }) => id === erasure)?.state);
  });
