// What it costs to know who asks and whether it may: access token, DPoP proof, the client's rights, the
// route's door and the count of its requests, in CPU time of the process that decides (all its threads),
// without HTTP.
import { createPublicKey, generateKeyPairSync, sign, verify } from 'node:crypto';
import { sql } from 'drizzle-orm';
import { createMeter } from '../api/rate-limit.ts';
import { ROUTE_RIGHTS } from '../api/route-rights.ts';
import { attachHouse } from '../cli/house.ts';
import type { MachineClient } from '../cli/machine-client.ts';
import { requireEntry } from '../identity/index.ts';
import type { Config } from '../platform/index.ts';

export interface DoorCost {
  what: string;
  requests: number;
  p50Ms: number;
  p95Ms: number;
}

const requests = 2_000;
const newTokens = 200;
const warmUp = 300;
/** What the configuration sets by default. */
const perMinute = { client: 6_000, address: 1_200 };

/** Each request alone, one after the other, on a second process's rooms over the running database. */
export async function doorCosts(config: Config, client: MachineClient): Promise<DoorCost[]> {
  const house = await attachHouse(config, console.log);
  const { database, identity, clock, logger, rateTickets } = house.services;
  const meter = createMeter({ clock, logger, tickets: rateTickets });
  const url = `${config.publicUrl}/v1/verifications`;
  const enter = async (token: string, dpop: string): Promise<void> => {
    const authorization = `DPoP ${token}`;
    meter.check('failures of the bench', perMinute.address);
    const actor = await identity.authenticateRequest({ authorization, dpop, method: 'POST', url });
    await meter.count(`caller ${actor.clientId}`, perMinute.client);
    requireEntry(actor, ROUTE_RIGHTS['POST /v1/verifications']);
  };
  const fetchToken = async () => (await client.fetchToken()).value;
  try {
    await identity.start();
    const known = await fetchToken();
    const fresh: string[] = [];
    while (fresh.length < newTokens) fresh.push(await fetchToken());
    const act = (token: string) => {
      const dpop = client.proof('POST', url, token);
      return () => enter(token, dpop);
    };
    const acts = (tokens: readonly string[]) => tokens.map(act);
    await cpuOf(acts(Array<string>(warmUp).fill(known)));
    return [
      costs('two ES256 verifications and one round trip (yardstick)', await cpuOf(yardstick())),
      costs('token seen before', await cpuOf(acts(Array<string>(requests).fill(known)))),
      costs('token not seen before', await cpuOf(acts(fresh))),
    ];
  } finally {
    await house.close();
  }

  /** The least that anybody's check of a token and a proof with a memory in PostgreSQL takes. */
  function yardstick(): (() => Promise<void>)[] {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const text = Buffer.alloc(700, 'x');
    const options = { key: createPublicKey(privateKey), dsaEncoding: 'ieee-p1363' } as const;
    const signature = sign('sha256', text, { key: privateKey, dsaEncoding: 'ieee-p1363' });
    return Array.from({ length: requests }, () => async () => {
      for (let time = 0; time < 2; time += 1) verify('sha256', text, options, signature);
      await database.db.execute(sql`select 1`);
    });
  }
}

/** CPU milliseconds of each act, in their order. */
async function cpuOf(acts: readonly (() => Promise<void>)[]): Promise<number[]> {
  const taken: number[] = [];
  for (const act of acts) {
    const before = process.cpuUsage();
    await act();
    const { user, system } = process.cpuUsage(before);
    taken.push((user + system) / 1000);
  }
  return taken;
}

function costs(what: string, taken: readonly number[]): DoorCost {
  const sorted = [...taken].sort((a, b) => a - b);
  const at = (quantile: number) => sorted[Math.floor(sorted.length * quantile)] ?? Number.NaN;
  return { what, requests: taken.length, p50Ms: at(0.5), p95Ms: at(0.95) };
}
