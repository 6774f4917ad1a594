// The log in a whole house, by its doors: no entry, no data; a new process takes over under load; another key while
// it serves; and the way on after a restore from an old backup.
import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import postgres from 'postgres';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { createTraffic, type Holder, operatorsOf, type Traffic } from '../../bench/city-traffic.ts';
import {
  CallError,
  createMachineClient,
  type MachineClient,
  readClientFile,
} from '../../cli/machine-client.ts';
import { signIn } from '../../cli/person-client.ts';
import { findEmbeddedFiles } from '../../platform/embedded-postgres.ts';
import { freePort } from '../../platform/free-port.ts';
import {
  type EmbeddedPostgres,
  migrate,
  migrateQueue,
  startEmbeddedPostgres,
  systemClock,
  systemIds,
} from '../../platform/index.ts';
import { initKeys } from '../../signing/index.ts';
import { eventually } from '../support/eventually.ts';
import { sampleOrganisations } from '../support/keys.ts';
import { startWitness, type WitnessProcess } from '../support/witness-process.ts';
import { runYihao } from '../support/yihao-command.ts';
import { type HouseProcess, startHouse } from './house-process.ts';
import { checkHistory } from './log-history.ts';
import { roundsOr } from './log-process.ts';

const rounds = roundsOr(1);
const Entry = z.looseObject({ leaf: z.string() });
const Asked = z.looseObject({ audit: z.array(z.number()) });
let root: string;
let server: EmbeddedPostgres;
let sql: postgres.Sql;
let superSql: postgres.Sql;
let ports: [number, number];
let house: HouseProcess;
let traffic: Traffic;
let audit: MachineClient;
let pinned: string;
let witness: WitnessProcess;

const dataDir = () => join(root, 'house');

const settings = (): Record<string, string> => ({
  DATABASE_URL: server.url,
  KEYS_DIR: join(root, 'keys'),
  DATA_DIR: dataDir(),
  PUBLIC_URL: `http://127.0.0.1:${ports[0]}`,
  PUBLIC_URL_ALIASES: `http://127.0.0.1:${ports[1]}`,
  SIGNER_SOCKET: join(root, 's.sock'),
  SAMPLE: 'yunzhu',
  RATE_LIMIT: '0',
  RATE_PUBLIC: '0',
});

const start = (port = ports[0]) => startHouse(dataDir(), port, settings());

const command = (...words: string[]) =>
  runYihao(words, { settings: { ...settings(), PORT: String(ports[0]) } });

async function openTraffic(): Promise<void> {
  traffic = await createTraffic({ baseUrl: house.baseUrl, dataDir: dataDir() });
  audit = await traffic.clientOf('audit');
}

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'yihao-log-house-'));
  ports = [await freePort(), await freePort()];
  server = await startEmbeddedPostgres({
    dataDir: join(root, 'pg'),
    onProgress: () => {},
    onLost: () => {},
  });
  sql = postgres(server.url, { max: 1, onnotice: () => {} });
  const files = await findEmbeddedFiles(join(root, 'pg'));
  const superUrl = new URL(files?.superuserUrl ?? '');
  superUrl.pathname = '/postgres';
  superSql = postgres(superUrl.href, { max: 1, onnotice: () => {} });
  await mkdir(dataDir());
  await initKeys(join(root, 'keys'), {
    organisations: sampleOrganisations(),
    publicUrl: settings().PUBLIC_URL ?? '',
    clock: systemClock,
    ids: systemIds,
  });
  house = await start();
  await openTraffic();
  pinned = await text('/log/vkey');
}, 180_000);

afterAll(async () => {
  witness?.kill('SIGKILL');
  await house?.stop();
  await sql.end({ timeout: 5 });
  await superSql.end({ timeout: 5 });
  await server.close();
  await rm(root, { recursive: true, force: true });
}, 60_000);

async function text(path: string): Promise<string> {
  const reply = await fetch(`${house.baseUrl}${path}`);
  expect([path, reply.status]).toEqual([path, 200]);
  return (await reply.text()).trim();
}

const somebody = (): Holder & { key: string; pin: string } => {
  const found = traffic.people.find(({ key }) => key === 'p-newlywed');
  if (!found) throw new TypeError('The sample has newlyweds.');
  return found;
};

/** How the stage is made to fail, and how it is mended. */
const failures = [
  {
    what: 'the right to append is revoked',
    fail: (role: string) => sql.unsafe(`revoke insert on audit.stage from ${role}`),
    mend: (role: string) => sql.unsafe(`grant insert on audit.stage to ${role}`),
  },
  {
    what: 'every append fails',
    fail: () =>
      sql.unsafe(`
        create function public.fail() returns trigger language plpgsql as
          $$ begin raise exception 'no room' using errcode = 'disk_full'; end $$;
        create trigger fail before insert on audit.stage for each row execute function public.fail()`),
    mend: () => sql.unsafe('drop trigger fail on audit.stage; drop function public.fail()'),
  },
  {
    what: 'each session that appends is killed',
    fail: () =>
      sql.unsafe(`
        create function public.fail() returns trigger language plpgsql security definer as
          $$ begin perform pg_terminate_backend(pg_backend_pid()); return new; end $$;
        create trigger fail before insert on audit.stage for each row execute function public.fail()`),
    mend: () => sql.unsafe('drop trigger fail on audit.stage; drop function public.fail()'),
  },
  {
    what: 'nothing is sequenced',
    fail: () => sql.unsafe('begin; select from audit.head for update'),
    mend: () => sql.unsafe('rollback'),
  },
];

test(
  `no data of a person leaves without its entry: ${rounds} rounds`,
  async () => {
    const person = somebody();
    const housing = await traffic.clientOf('housing');
    const asked = Asked.parse((await traffic.ask(person)).json);
    const answered = z
      .looseObject({ items: z.array(z.looseObject({ id: z.string() })) })
      .parse((await housing.call('GET', '/v1/verifications?limit=1')).json).items[0]?.id;
    expect(asked.audit).toHaveLength(2);
    const subject = { scheme: 'cn-id', value: person.value };
    const session = await signIn(house.baseUrl, { ...subject, pin: person.pin });
    const mine = await session.get('/v1/me/licences');
    const { items } = z
      .looseObject({ items: z.array(z.looseObject({ number: z.string() })) })
      .parse(mine.json);
    const secrets = [person.value, person.name, ...items.map(({ number }) => number)];
    expect(mine.text).toContain(items[0]?.number);
    const basis = {
      legalBasis: 'LB-MCA266',
      purpose: 'public rental housing application',
      caseId: 'N-1',
    };
    const question = { service: 'VS-MARITAL', subject, params: { declared: 'married' }, ...basis };
    const reads = [
      {
        what: 'ask',
        call: () => housing.call('POST', '/v1/verifications', question, { Prefer: 'wait=5' }),
      },
      { what: 'read an answer', call: () => housing.call('GET', `/v1/verifications/${answered}`) },
      {
        what: 'search',
        call: () => housing.call('POST', '/v1/licences/search', { holder: subject, ...basis }),
      },
      {
        what: 'audit',
        call: () => audit.call('POST', '/v1/audit/search', { subject, reason: 'a question' }),
      },
    ];
    const [name = ''] = (
      await sql<{ name: string }[]>`
      select grantee as name from information_schema.role_table_grants
      where table_schema = 'audit' and table_name = 'stage' and privilege_type = 'INSERT'
        and grantee like '%app%'`
    ).map((row) => row.name);
    for (let round = 0; round < Math.max(rounds, failures.length); round += 1) {
      const failure = failures[round % failures.length];
      if (!failure) throw new TypeError('There are failures.');
      // One connection of ours holds what stands in the way; it is mended whatever happens.
      await failure.fail(`"${name}"`);
      try {
        const replies = await Promise.all(
          reads.map(async ({ what, call }) => ({ what, reply: await call() })),
        );
        for (const { what, reply } of replies) {
          const context = `${failure.what}, ${what}: ${reply.text}`;
          // A question may be taken in while nothing is sequenced: it has no answer to tell then.
          const isTakenIn = what === 'ask' && reply.status === 202;
          if (isTakenIn) expect(reply.json).not.toHaveProperty('answer');
          else expect([context, reply.status]).toEqual([context, 503]);
          expect([context, secrets.filter((secret) => reply.text.includes(secret))]).toEqual([
            context,
            [],
          ]);
        }
      } finally {
        await failure.mend(`"${name}"`);
      }
      await eventually(async () => (await traffic.ask(person)).status === 200, {
        timeoutMs: 30_000,
      });
    }
  },
  60_000 + rounds * 60_000,
);

/** A department's system that repeats as the docs say: on a cut or refused connection, on 503, on 409 in progress. */
async function patientAsker(person: Holder, at: number) {
  const file = await readClientFile(join(dataDir(), 'clients', 'housing.json'));
  const doors = ports.map((port) =>
    createMachineClient(file, { baseUrl: `http://127.0.0.1:${port}` }),
  );
  const repeated = new Map<string, number>();
  return {
    repeated,
    async ask(serial: number): Promise<number[]> {
      const body = {
        service: 'VS-MARITAL',
        subject: { scheme: 'cn-id', value: person.value },
        params: { declared: 'married' },
        legalBasis: 'LB-MCA266',
        purpose: 'public rental housing application',
        caseId: `U-${at}-${serial}`,
      };
      const key = systemIds.uuid();
      for (let attempt = 0; attempt < 200; attempt += 1) {
        const door = doors[(attempt + serial) % 2];
        const note = (why: string) => repeated.set(why, (repeated.get(why) ?? 0) + 1);
        try {
          const reply = await door?.call('POST', '/v1/verifications', body, {
            Prefer: 'wait=10',
            'Idempotency-Key': key,
          });
          if (reply?.status === 200) return Asked.parse(reply.json).audit;
          if (reply?.status !== 503 && reply?.status !== 409)
            throw new Error(`A call failed: ${reply?.status} ${reply?.text}`);
          note(String(reply.status));
          await wait(1000 * Number(reply.headers.get('retry-after') ?? 0.1));
        } catch (error) {
          // fetch failed: refused or cut; or no token was to be had from a house that is closing.
          const isAway = error instanceof CallError && error.reply.status === 503;
          if (!(error instanceof TypeError || isAway)) throw error;
          note('connection');
          await wait(100);
        }
      }
      throw new Error('A call was never answered.');
    },
  };
}

test(
  `a new process takes over under load, with a newer schema: ${rounds} rounds`,
  async () => {
    const person = somebody();
    let isEnding = false;
    const answered: number[][] = [];
    const askers = await Promise.all(
      [0, 1, 2, 3].map((at) => patientAsker(traffic.people[at + 5] ?? person, at)),
    );
    const running = Promise.all(
      askers.map(async ({ ask }) => {
        for (let serial = 0; !isEnding; serial += 1) answered.push(await ask(serial));
      }),
    );
    running.catch(() => {}); // awaited below
    const more = async (count: number) => {
      const goal = answered.length + count;
      await Promise.race([
        running,
        eventually(() => answered.length >= goal, { timeoutMs: 60_000 }),
      ]);
    };
    try {
      for (let round = 1; round <= rounds; round += 1) {
        await more(10);
        // The newer version's migration runs while the old one serves.
        const folder = await mkdtemp(join(root, 'migrations-'));
        const number = String(9000 + round);
        await writeFile(
          join(folder, `${number}_later.sql`),
          `create table public.later_${number} (id int); alter table audit.head add column later_${number} int;`,
        );
        await migrate({
          ownerUrl: server.url,
          roles: { keysDir: join(root, 'keys') },
          migrationsDir: folder,
          extra: migrateQueue,
        });
        const next = await start(ports[round % 2]);
        await more(5);
        const code = await house.stop();
        expect([code, house.output()]).toEqual([0, expect.any(String)]);
        house = next;
        await more(10);
      }
    } finally {
      isEnding = true;
    }
    await running;
    // Each question has its two entries; no index twice, none missing, one root per size.
    const indexes = answered.flat();
    expect(indexes).toHaveLength(2 * answered.length);
    expect(new Set(indexes).size).toBe(indexes.length);
    await checkHistory(sql, { processes: [], headFile: join(dataDir(), 'log-head.json') });
    if (rounds % 2 === 1) {
      await house.stop();
      house = await start();
    }
    await openTraffic();
  },
  120_000 + rounds * 120_000,
);

test('the key of the log changes while the house serves, and its witness and monitor follow', async () => {
  const proofOf = async (): Promise<{ proof: string; leaf: Buffer; index: number }> => {
    const { audit: indexes } = Asked.parse((await traffic.ask(somebody())).json);
    const index = indexes[1] ?? -1;
    const proof = await eventually(
      async () => {
        const reply = await audit.call('GET', `/v1/audit/entries/${index}/receipt`);
        return reply.status === 200 && reply.text;
      },
      { timeoutMs: 15_000 },
    );
    const { leaf } = Entry.parse((await audit.call('GET', `/v1/audit/entries/${index}`)).json);
    return { proof, leaf: Buffer.from(leaf, 'base64'), index };
  };
  const files = join(root, 'proofs');
  await mkdir(files);
  const check = async (name: string, proof: string, vkey: string) => {
    const path = join(files, name);
    await writeFile(path, proof);
    await writeFile(join(files, 'keys.json'), await text('/log/vkeys'));
    return (
      await command('audit', 'check', path, '--vkey', vkey, '--keys', join(files, 'keys.json'))
    ).code;
  };
  witness = await startWitness({
    dir: join(root, 'witness'),
    keyName: 'house.example/witness',
    log: pinned,
    keys: `${house.baseUrl}/log/vkeys`,
  });
  const before = await proofOf();
  const rotated = await command('keys', 'rotate', 'log');
  expect([rotated.code, rotated.err]).toEqual([0, '']);
  expect((await command('keys', 'rotate', 'log')).code).toBe(0);
  const next = await text('/log/vkey');
  expect(next).not.toBe(pinned);
  const during = await proofOf();
  expect((await command('keys', 'rotate', 'log', '--retire')).code).toBe(0);
  const after = await proofOf();
  for (const [name, { proof }] of Object.entries({ before, during, after })) {
    expect([name, await check(name, proof, pinned)]).toEqual([name, 0]);
    expect([name, await check(name, proof, next)]).toEqual([name, 0]);
  }
  // The old private key is where it can be destroyed; a restart does without it.
  await rm(join(root, 'keys', 'retired', 'log.key.pem'));
  await house.stop();
  house = await start();
  await openTraffic();
  expect((await proofOf()).proof).not.toBe('');
  const watched = await command(
    ...['monitor', '--log', pinned, '--url', `${house.baseUrl}/log`],
    ...['--dir', join(root, 'monitor'), '--once'],
  );
  expect([watched.code, watched.out]).toEqual([0, expect.stringContaining('First look')]);
}, 180_000);

test('restored from an old backup, the house states its loss, and everybody is told', async () => {
  await house.stop();
  const copy = async (from: string, to: string) => {
    await superSql.unsafe(
      `select pg_terminate_backend(pid) from pg_stat_activity where datname = '${from}'`,
    );
    await superSql.unsafe(`drop database if exists ${to} with (force)`);
    await superSql.unsafe(`create database ${to} template ${from} owner yihao`);
  };
  await copy('yihao', 'backup');
  house = await start();
  await openTraffic();
  const { audit: lostIndexes } = Asked.parse((await traffic.ask(somebody())).json);
  const proof = await eventually(
    async () => {
      const reply = await audit.call('GET', `/v1/audit/entries/${lostIndexes[1]}/receipt`);
      return reply.status === 200 && reply.text;
    },
    { timeoutMs: 15_000 },
  );
  const proofFile = join(root, 'lost.proof');
  await writeFile(proofFile, proof);
  const monitor = () =>
    command(
      ...['monitor', '--log', pinned, '--url', `${house.baseUrl}/log`],
      ...['--dir', join(root, 'monitor'), '--once'],
    );
  expect((await monitor()).out).toContain('nothing before changed');
  await house.killGroup();
  await copy('backup', 'yihao');
  await expect(start()).rejects.toThrow(/database is an old copy/);

  const [first, second] = await operatorsOf(dataDir());
  const words = [
    ...['audit', 'new-epoch', '--reason', 'The disk failed; the backup of the night was restored.'],
    ...['--operator', first?.username ?? '', '--operator', second?.username ?? ''],
    ...['--confirm', `127.0.0.1:${ports[0]}/log/2`],
  ];
  expect((await command(...words.slice(0, -2), '--confirm', 'another')).code).toBe(1);
  expect((await command(...words.slice(0, 6), '--operator', 'nobody')).code).toBe(1);
  // Killed at any moment it has done nothing, or all of it.
  for (let round = 1; round <= rounds; round += 1) {
    const child = spawn(
      process.execPath,
      ['--import', 'tsx', join(import.meta.dirname, '..', '..', 'cli', 'yihao.ts'), ...words],
      { stdio: 'ignore', env: { ...process.env, ...settings() } },
    );
    const ended = new Promise((resolve) => child.once('close', resolve));
    await wait(300 + systemIds.int(2500));
    child.kill('SIGKILL');
    await ended;
  }
  const stated = await command(...words);
  const again = await command(...words);
  expect([again.code, again.err]).toEqual([1, expect.stringContaining('audit.epoch_not_needed')]);
  const isFirst = stated.code === 0;
  if (!isFirst) expect(stated.err).toContain('audit.epoch_not_needed');

  house = await start();
  await openTraffic();
  const statement = await text('/log/epochs/2');
  expect(statement).toContain('"kind":"epoch"');
  await eventually(
    async () => (await text('/log/checkpoint')).startsWith(`127.0.0.1:${ports[0]}/log/2\n`),
    {
      timeoutMs: 15_000,
    },
  );
  expect(await text('/log/epochs/1/checkpoint')).toMatch(/^127\.0\.0\.1:\d+\/log\n/);
  for (const [lang, words] of [
    ['en', 'a restore from a backup lost entries'],
    ['zh', '恢复备份时'],
  ]) {
    expect(await text(`/?lang=${lang}`)).toContain(words);
  }
  const followed = await monitor();
  expect([followed.code, followed.out]).toEqual([
    0,
    expect.stringMatching(/restore lost entries \d+ to \d+[\s\S]*left are unchanged/),
  ]);
  expect((await monitor()).out).not.toContain('restore lost');
  // The receipt of what was lost still holds, and says that it was.
  const keysFile = join(root, 'keys.json');
  await writeFile(keysFile, await text('/log/vkeys'));
  const checked = await command('audit', 'check', proofFile, '--vkey', pinned, '--keys', keysFile);
  expect([checked.code, checked.out]).toEqual([0, expect.stringContaining('lost this entry')]);
  const statementFile = join(root, 'statement');
  await writeFile(statementFile, `${statement}\n`);
  const said = await command('audit', 'check', statementFile, '--vkey', pinned, '--keys', keysFile);
  expect([said.code, said.out]).toEqual([0, expect.stringContaining('The log has stated this.')]);
  expect((await traffic.ask(somebody())).status).toBe(200);
  expect((await audit.call('GET', '/v1/audit/integrity')).json).toMatchObject({ ok: true });
  await checkHistory(sql, { processes: [], headFile: join(dataDir(), 'log-head.json') });
}, 300_000);
