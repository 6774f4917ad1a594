// Two processes of one house, each with its own door: whoever is limited is limited at both together.
import { beforeAll, expect, test } from 'vitest';
import { enoughOfTheMinute, PUBLIC_URL, withHouse } from './house.ts';

const perClient = 40;
const perAddress = 30;
const house = withHouse({ RATE_LIMIT: String(perClient), RATE_PUBLIC: String(perAddress) });
let doors: string[] = [];

beforeAll(async () => {
  doors = [house.baseUrl, await house.openSecondDoor()];
}, 60_000);

/** Statuses of so many requests sent to both doors at once, by how many had each. */
async function statusesOf(requests: number, send: (door: string) => Promise<Response>) {
  const replies = await Promise.all(
    Array.from({ length: requests }, (_, at) => send(doors[at % doors.length] ?? '')),
  );
  const counts: Record<number, number> = {};
  for (const { status } of replies) counts[status] = (counts[status] ?? 0) + 1;
  return counts;
}

test('a department gets its requests a minute, at whichever door', async () => {
  const client = house.client('housing');
  const { value } = await client.fetchToken();
  await enoughOfTheMinute();
  const url = `${PUBLIC_URL}/v1/verifications`;
  const counts = await statusesOf(3 * perClient, (door) =>
    fetch(`${door}/v1/verifications`, {
      headers: { Authorization: `DPoP ${value}`, DPoP: client.proof('GET', url, value) },
    }),
  );
  const allowed = counts[200] ?? 0;
  expect(counts).toEqual({ 200: allowed, 429: 3 * perClient - allowed });
  expect(allowed).toBeLessThanOrEqual(perClient);
  // One ticket or two may lie at the other door when the last request comes.
  expect(allowed).toBeGreaterThanOrEqual(perClient - 2 * doors.length);
}, 90_000);

test('an address without a name gets its own, at whichever door', async () => {
  await enoughOfTheMinute();
  const counts = await statusesOf(2 * perAddress, (door) => fetch(`${door}/v1/licence-types`));
  // What it has asked for before, a token for instance, counts too.
  const allowed = counts[200] ?? 0;
  expect(counts).toEqual({ 200: allowed, 429: 2 * perAddress - allowed });
  expect(allowed).toBeGreaterThan(perAddress - 10);
  expect(allowed).toBeLessThanOrEqual(perAddress);
}, 90_000);

test('who tries wrong tokens waits at every door', async () => {
  await enoughOfTheMinute();
  const tryAt = async (door: string) =>
    (await fetch(`${door}/v1/me`, { headers: { Authorization: 'DPoP abc' } })).status;
  const statuses: number[] = [];
  for (let n = 0; n < 2 * perAddress; n += 1) {
    statuses.push(await tryAt(doors[n % doors.length] ?? ''));
  }
  const tried = statuses.filter((status) => status === 401).length;
  expect(statuses.filter((status) => status === 429)).toHaveLength(2 * perAddress - tried);
  // Each door hears with its next wrong token that there were enough elsewhere.
  expect(tried).toBeLessThanOrEqual(perAddress + doors.length);
  expect(tried).toBeGreaterThanOrEqual(perAddress - doors.length);
}, 90_000);
