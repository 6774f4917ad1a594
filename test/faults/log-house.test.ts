// No data of a person leaves a house without its entry in the log: whatever keeps the entry from being staged or
// sequenced, readers get 503 and not a byte; and it mends as soon as the cause is gone. A new process takes over from
// an old one under load, and no call is lost.
import { mkdtemp, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import type { Holder } from '../../bench/city-traffic.ts';
import { CallError, createMachineClient, readClientFile } from '../../cli/machine-client.ts';
import { signIn } from '../../cli/person-client.ts';
import { migrate, migrateQueue, systemIds } from '../../platform/index.ts';
import { eventually } from '../support/eventually.ts';
import { Asked, type LogCity, prepareCity } from './log-city.ts';
import { checkHistory } from './log-history.ts';
import { roundsOr } from './log-process.ts';

const rounds = roundsOr(1);
let city: LogCity;

beforeAll(async () => {
  city = await prepareCity();
  await city.serve();
}, 180_000);
afterAll(() => city?.close(), 60_000);

/** How the stage is made to fail, and how it is mended. */
const failures = [
  {
    what: 'the right to append is revoked',
    fail: (role: string) => city.sql.unsafe(`revoke insert on audit.stage from ${role}`),
    mend: (role: string) => city.sql.unsafe(`grant insert on audit.stage to ${role}`),
  },
  {
    what: 'every append fails',
    fail: () =>
      city.sql.unsafe(`
        create function public.fail() returns trigger language plpgsql as
          $$ begin raise exception 'no room' using errcode = 'disk_full'; end $$;
        create trigger fail before insert on audit.stage for each row execute function public.fail()`),
    mend: () => city.sql.unsafe('drop trigger fail on audit.stage; drop function public.fail()'),
  },
  {
    what: 'each session that appends is killed',
    fail: () =>
      city.sql.unsafe(`
        create function public.fail() returns trigger language plpgsql security definer as
          $$ begin perform pg_terminate_backend(pg_backend_pid()); return new; end $$;
        create trigger fail before insert on audit.stage for each row execute function public.fail()`),
    mend: () => city.sql.unsafe('drop trigger fail on audit.stage; drop function public.fail()'),
  },
  {
    what: 'nothing is sequenced',
    fail: () => city.sql.unsafe('begin; select from audit.head for update'),
    mend: () => city.sql.unsafe('rollback'),
  },
];

test(
  `no data of a person leaves without its entry: ${rounds} rounds`,
  async () => {
    const person = city.somebody();
    const housing = await city.traffic().clientOf('housing');
    const asked = Asked.parse((await city.traffic().ask(person)).json);
    const answered = z
      .looseObject({ items: z.array(z.looseObject({ id: z.string() })) })
      .parse((await housing.call('GET', '/v1/verifications?limit=1')).json).items[0]?.id;
    expect(asked.audit).toHaveLength(2);
    const subject = { scheme: 'cn-id', value: person.value };
    const session = await signIn(city.house().baseUrl, { ...subject, pin: person.pin });
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
        call: () =>
          city.audit().call('POST', '/v1/audit/search', { subject, reason: 'a question' }),
      },
    ];
    const [name = ''] = (
      await city.sql<{ name: string }[]>`
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
      await eventually(async () => (await city.traffic().ask(person)).status === 200, {
        timeoutMs: 30_000,
      });
    }
  },
  60_000 + rounds * 60_000,
);

/** A department's system that repeats as the docs say: on a cut or refused connection, on 503, on 409 in progress. */
async function patientAsker(person: Holder, at: number) {
  const file = await readClientFile(join(city.dataDir, 'clients', 'housing.json'));
  const doors = city.ports.map((port) =>
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
    const person = city.somebody();
    let isEnding = false;
    const answered: number[][] = [];
    const askers = await Promise.all(
      [0, 1, 2, 3].map((at) => patientAsker(city.traffic().people[at + 5] ?? person, at)),
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
        const folder = await mkdtemp(join(city.root, 'migrations-'));
        const number = String(9000 + round);
        await writeFile(
          join(folder, `${number}_later.sql`),
          `create table public.later_${number} (id int); alter table audit.head add column later_${number} int;`,
        );
        await migrate({
          ownerUrl: city.databaseUrl,
          roles: { keysDir: join(city.keysDir) },
          migrationsDir: folder,
          extra: migrateQueue,
        });
        const next = await city.start(city.ports[round % 2]);
        await more(5);
        const code = await city.house().stop();
        expect([code, city.house().output()]).toEqual([0, expect.any(String)]);
        await city.serveBy(next);
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
    await checkHistory(city.sql, { processes: [], headFile: join(city.dataDir, 'log-head.json') });
    if (rounds % 2 === 1) {
      await city.house().stop();
      await city.serve();
    }
  },
  120_000 + rounds * 120_000,
);
