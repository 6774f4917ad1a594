// What the registry does by itself: ending licences on their day, and forgetting old counters.
import { expect, test } from 'vitest';
import { eventually } from '../../support/eventually.ts';
import { column, department, entriesOf, healthCertificate, issued, withRegistry } from './house.ts';

const house = withRegistry();
const health = department('health');

/** As if the licence had been issued long ago: its last day was yesterday. */
async function letLapse(number: string): Promise<void> {
  await house.ownerSql`
    update registry.licences set valid_from = '2020-01-01', valid_to = current_date - 2
    where number = ${number}`;
}

test('a lapsed licence reads as expired at once, and the job writes it down', async () => {
  const [lapsed, suspended, kept] = await Promise.all(
    [1, 2, 3].map(() => issued(house, health, healthCertificate())),
  );
  if (!lapsed || !suspended || !kept) throw new Error('Three licences were expected.');
  await house.registry.act(health, suspended.number, 'suspend', {
    reason: '复核',
    legalBasis: 'LB-716-7',
  });
  for (const { number } of [lapsed, suspended]) await letLapse(number);
  expect((await house.registry.lookup(lapsed.verificationCode)).result).toBe('expired');

  expect(await house.registry.expireDue()).toBe(2);
  expect(await house.registry.expireDue()).toBe(0);

  expect(
    await column(
      house,
      `select status || ' ' || k.is_live from registry.licences l
        join registry.licence_keys k using (number) order by l.issued_at`,
    ),
  ).toEqual(expect.arrayContaining(['expired false', 'expired false', 'valid true']));
  await eventually(async () =>
    (await entriesOf(house, lapsed.number)).includes('licence.expired ok'),
  );
  expect((await house.registry.history(health, lapsed.number)).at(-1)).toMatchObject({
    act: 'expire',
    status: 'expired',
    organisation: null,
  });
  expect((await house.registry.lookup(kept.verificationCode)).result).toBe('genuine');
});

test('more licences than one batch are ended in one run', async () => {
  const inputs = Array.from({ length: 320 }, () => healthCertificate());
  const licences = await house.registry.issueMany(health, inputs);
  await house.ownerSql`
    update registry.licences set valid_from = '2020-01-01', valid_to = '2020-12-31'
    where number = any(${licences.map(({ number }) => number)})`;
  expect(await house.registry.expireDue()).toBe(320);
});

test('old counters and marks are forgotten, new ones kept', async () => {
  await house.ownerSql`
    insert into registry.compare_tries values ('old', current_date - 60, 5), ('new', current_date, 1)`;
  await house.registry.forgetCounters();
  expect(await column(house, 'select number from registry.compare_tries')).toEqual(['new']);
});

test('each job has a name and an interval for the sweeper', () => {
  expect(house.registry.jobs.map(({ name, everyMs }) => ({ name, everyMs }))).toEqual([
    { name: 'registry.expire', everyMs: 60_000 },
    { name: 'registry.looks', everyMs: 300_000 },
    { name: 'registry.forget', everyMs: 86_400_000 },
    { name: 'registry.signatures', everyMs: 10_000 },
    { name: 'registry.documents', everyMs: 3_600_000 },
  ]);
});
