// `npm run bench`: the load runs, each beside the yardstick of the same run: one row inserted and
// committed by the same number of callers on the same server. One table at the end.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import postgres from 'postgres';
import { z } from 'zod';
import { appendLoad } from './append-load.ts';
import { createTraffic } from './city-traffic.ts';
import { doorCosts } from './door-cost.ts';
import { type LoadFigures, medianRun, runLoad } from './load.ts';
import { printLogLoad } from './log-load.ts';
import { machine, type OwnHouse, withOwnHouse } from './own-house.ts';

const callers = 16;
const seconds = 6;
const rounds = 3;

const isFull = process.argv.includes('--full');
const only = process.argv.includes('--only')
  ? process.argv[process.argv.indexOf('--only') + 1]
  : undefined;
const documents = 'documents (pdf) drawn and sealed';
/** More than are drawn in one run of them all; each is drawn once in a round. */
const documentsAtHand = 1_000;
const Issued = z.looseObject({ number: z.string(), verificationCode: z.string() });

interface Measured {
  name: string;
  figures: LoadFigures;
  yardstick: LoadFigures;
}

const theLog = 'the log by itself';

if (isWanted(theLog)) await printLogLoad(isFull ? 10_000_000 : 1_000_000);
if (only === undefined || !theLog.includes(only)) {
  await withOwnHouse(4177, async (house) => {
    const results = await measureAll(house);
    print(results);
    await printDoorCosts(house);
  });
}

async function measureAll(house: OwnHouse): Promise<Measured[]> {
  const { config, dataDir } = house;
  const traffic = await createTraffic(house);
  const { url } = z
    .object({ url: z.string() })
    .parse(JSON.parse(await readFile(join(dataDir, 'database.json'), 'utf8')));
  const sql = postgres(url, { max: callers, onnotice: () => {} });
  await sql`create schema if not exists bench`;
  await sql`create unlogged table if not exists bench.warm (n int)`;
  await sql`create table if not exists bench.rows (id bigserial primary key, body text not null)`;
  const insertOne = async (): Promise<void> => {
    await sql`insert into bench.rows (body) values (${'x'.repeat(200)})`;
  };
  const [housing, market] = await Promise.all(['housing', 'market'].map(traffic.clientOf));
  if (!housing || !market) throw new TypeError('Both have a file.');
  const { people } = traffic;
  let serial = 0;
  let code = '';
  let number = '';

  const ask = async (): Promise<void> => {
    serial += 1;
    await traffic.ask({ value: people[serial % people.length]?.value ?? '' });
  };
  const issue = async (): Promise<void> => {
    serial += 1;
    const company = people[serial % people.length];
    const reply = await market.call('POST', '/v1/licences', {
      type: 'LT-BIZLIC',
      holder: { scheme: 'uscc', value: '91350100M000100Y43', name: '示例商行' },
      fields: {
        entity_type: 'company',
        legal_rep_name: company?.name ?? '',
        legal_rep_id: company?.value ?? '',
        established_on: '2020-01-01',
        address: '云珠市越华区文明路1号',
        scope: '零售',
        registration_status: 'active',
      },
    });
    if (reply.status !== 201) throw new Error(`${reply.status} ${reply.text}`);
    ({ number, verificationCode: code } = Issued.parse(reply.json));
  };
  const results: Measured[] = [];
  const numbers: string[] = [];
  let taken = 0;
  /** A licence's document, made anew: what was kept of the round before is gone. */
  const document = async (): Promise<void> => {
    const number = numbers[taken % numbers.length] ?? '';
    taken += 1;
    const reply = await market.call('GET', `/v1/licences/${number}/document.pdf`);
    if (reply.status !== 200) throw new Error(`${reply.status} ${reply.text}`);
  };
  if (isWanted(documents)) {
    while (numbers.length < documentsAtHand) {
      await issue();
      numbers.push(number);
    }
  }
  for (const [name, call] of [
    ['verifications answered', ask],
    ['licences issued', issue],
    ['public look-ups', () => traffic.look(code)],
    [documents, document],
    ['access tokens issued', () => housing.fetchToken().then(() => {})],
  ] as const) {
    if (!isWanted(name)) continue;
    results.push(await besideYardstick(name, () => runLoad(callers, seconds, call), insertOne));
  }
  const appends = 'log appends (a second process)';
  if (isWanted(appends)) {
    const run = () => appendLoad(config, callers, seconds);
    results.push(await besideYardstick(appends, run, insertOne));
  }
  await sql.end();
  return results;
}

/** `npm run bench -- --only tokens` runs the loads whose names hold the word; `--only itself` the log. */
function isWanted(name: string): boolean {
  return only === undefined || name.includes(only);
}

async function printDoorCosts(house: OwnHouse): Promise<void> {
  if (!isWanted('tokens and rights')) return;
  const { clientOf } = await createTraffic(house);
  const costs = await doorCosts(house.config, await clientOf('housing'));
  console.log('\nToken, proof and rights of one request: CPU of the deciding process');
  console.table(
    costs.map(({ what, requests, p50Ms, p95Ms }) => ({
      what,
      requests,
      'p50 CPU ms': Number(p50Ms.toFixed(2)),
      'p95 CPU ms': Number(p95Ms.toFixed(2)),
    })),
  );
}

/** Alternates the run and the yardstick, so that both see the same weather. */
async function besideYardstick(
  name: string,
  run: () => Promise<LoadFigures>,
  insertOne: () => Promise<void>,
): Promise<Measured> {
  const figures: LoadFigures[] = [];
  const yardsticks: LoadFigures[] = [];
  for (let round = 1; round <= rounds; round += 1) {
    console.log(`${name}: round ${round} of ${rounds}`);
    yardsticks.push(await runLoad(callers, seconds / 2, insertOne));
    figures.push(await run());
  }
  return { name, figures: medianRun(figures), yardstick: medianRun(yardsticks) };
}

function print(results: readonly Measured[]): void {
  const rows = results.map(({ name, figures, yardstick }) => ({
    what: name,
    'per s': Math.round(figures.perSecond),
    'p50 ms': Number(figures.p50Ms.toFixed(1)),
    'p95 ms': Number(figures.p95Ms.toFixed(1)),
    failures: figures.failures,
    'one-row inserts per s': Math.round(yardstick.perSecond),
    ratio: Number((figures.perSecond / yardstick.perSecond).toFixed(2)),
  }));
  console.log(`\n${callers} callers, median of ${rounds} runs of ${seconds} s, ${machine()}`);
  console.table(rows);
}
