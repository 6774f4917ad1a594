// `npm run bench:change`: questions, issues and look-ups on a house of its own before, while and after
// keys rotate and people are erased. Nothing may fail; one table at the end.
import { setTimeout as wait } from 'node:timers/promises';
import { z } from 'zod';
import { attachHouse } from '../cli/house.ts';
import { signIn } from '../cli/person-client.ts';
import { createTraffic, type Holder, operatorsOf, stranger } from './city-traffic.ts';
import { type LoadFigures, runLoad } from './load.ts';
import { machine, type OwnHouse, withOwnHouse } from './own-house.ts';

const callers = 8;
const seconds = Number(process.argv[2] ?? 20);
const erased = 10;

await withOwnHouse(4178, measure);

async function measure(house: OwnHouse): Promise<void> {
  const traffic = await createTraffic(house);
  const one = traffic.mixed(traffic.people.slice(0, 150));
  const rows: Record<string, string | number>[] = [];
  const run = async (what: string, beside: () => Promise<string>): Promise<void> => {
    const begun = performance.now();
    const [figures, note] = await Promise.all([runLoad(callers, seconds, one), timed(beside)]);
    rows.push(row(what, figures, note, (performance.now() - begun) / 1000));
    console.log(`${what}: ${note}`);
  };
  const nothing = async () => '';

  await run('warm-up', nothing);
  await run('before', nothing);
  await run('kek rotates', () => rotate(house, 'kek'));
  await run('between', nothing);
  await run('index-registry rotates', () => rotate(house, 'index-registry'));
  await run('between', nothing);
  const strangers = Array.from({ length: erased }, (_, at) => stranger(at));
  for (const person of strangers) await traffic.cancel((await traffic.issueTo(person)).number);
  await run(`${erased} people are erased`, () => eraseAll(house, strangers));
  await run('after', nothing);
  console.log(
    `\n${callers} callers, half questions, a quarter issues, a quarter look-ups; ${seconds} s each; ${machine()}`,
  );
  console.table(rows);
  if (rows.some(({ failures }) => failures !== 0)) process.exitCode = 1;
}

async function rotate({ config }: OwnHouse, name: 'kek' | 'index-registry'): Promise<string> {
  const house = await attachHouse(config, console.log);
  const { identity, ids } = house.services;
  try {
    const actor = { requestId: ids.uuid(), organisationId: null, roles: [], scopes: [] };
    await identity.beginRotation({ ...actor, kind: 'system' }, name);
    while ((await identity.rotateKeys()).includes(name)) await wait(200);
    const moved = (await identity.keyVersions()).find(
      (version) => version.name === name && !version.isRetired,
    );
    return `${moved?.uses ?? 0} rows`;
  } finally {
    await house.close();
  }
}

async function eraseAll(
  { baseUrl, dataDir }: OwnHouse,
  leaving: readonly Holder[],
): Promise<string> {
  const [asker, approver] = await Promise.all(
    (await operatorsOf(dataDir)).map((credentials) => signIn(baseUrl, credentials)),
  );
  if (!asker || !approver) throw new Error('Two operators are needed.');
  for (const { value } of leaving) {
    const subject = { scheme: 'cn-id', value };
    const asked = await asker.post('/v1/erasures', { subject, reason: 'load run' });
    const { id } = z.looseObject({ id: z.string() }).parse(asked.json);
    const reply = await approver.post(`/v1/erasures/${id}/approve`, { subject });
    if (reply.status !== 200) throw new Error(`${reply.status} ${JSON.stringify(reply.json)}`);
  }
  return `${leaving.length} people`;
}

async function timed(act: () => Promise<string>): Promise<string> {
  const begun = performance.now();
  const note = await act();
  return note && `${note} in ${((performance.now() - begun) / 1000).toFixed(1)} s`;
}

function row(what: string, figures: LoadFigures, beside: string, took: number) {
  return {
    what,
    'per s': Math.round(figures.perSecond),
    'p50 ms': Math.round(figures.p50Ms),
    'p95 ms': Math.round(figures.p95Ms),
    calls: figures.calls,
    failures: figures.failures,
    beside,
    s: Math.round(took),
  };
}
