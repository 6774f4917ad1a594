// The warnings before operators' grants run out: on /ops, in /readyz and by the metric.
import { expect, test } from 'vitest';
import { send, sessionOf, withHouse } from './house.ts';

const house = withHouse();
const DAY_MS = 86_400_000;
const day = (days: number) => new Date(Date.now() + days * DAY_MS).toISOString().slice(0, 10);

const endGrants = (on: string) =>
  house.ownerSql`update identity.role_grants set valid_to = ${on}, valid_from = '2020-01-01'
    where role = 'operator'`;

/** What the three places say of the operators. */
async function told() {
  const ready = await send(house, 'GET', '/readyz');
  const metrics = await send(house, 'GET', '/metrics');
  const gauge = (when: string) =>
    new RegExp(`^yihao_operators_in_force\\{when="${when}"\\} (\\d+)$`, 'm').exec(
      metrics.text,
    )?.[1];
  return {
    status: ready.status,
    check: Object(ready.json).checks.operators,
    now: gauge('now'),
    later: gauge('in_30_days'),
  };
}

test('while two operators can decide nothing is said', async () => {
  expect(await told()).toEqual({ status: 200, check: { ok: true }, now: '2', later: '2' });
});

test('while their last day comes near all three warn of it, and say when nobody can decide', async () => {
  const Cookie = await sessionOf(house, 'govsvc-operator-1');
  const page = async () => (await send(house, 'GET', '/ops?lang=en', { headers: { Cookie } })).text;
  expect(await page()).not.toContain('fewer than two operators can decide');
  await endGrants(day(10));
  expect(await page()).toContain(
    `From the day after ${day(10)} fewer than two operators can decide`,
  );
  expect(await told()).toEqual({
    status: 200,
    check: { ok: true, detail: `two can decide until ${day(10)} and not longer` },
    now: '2',
    later: '0',
  });
  await endGrants(day(-2));
  expect(await told()).toEqual({
    status: 200,
    check: { ok: true, detail: '0 can decide, two are needed: yihao operators restore' },
    now: '0',
    later: '0',
  });
});
