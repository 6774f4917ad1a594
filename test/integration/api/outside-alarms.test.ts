// Alarms that other rooms tell of: from the refusal to the auditors' list, through the outbox, once.
import { expect, test } from 'vitest';
import { z } from 'zod';
import { eventually } from '../../support/eventually.ts';
import { maritalQuestion, withHouse } from './house.ts';

const house = withHouse();

const Alerts = z.object({
  items: z.array(
    z.looseObject({
      rule: z.string(),
      state: z.string(),
      department: z.string().nullable(),
      evidence: z.array(z.number()),
    }),
  ),
});

test('guessing at a person: the third set of parameters is refused, and the auditors have one alarm', async () => {
  const housing = house.client('housing');
  const declare = (declared: string) =>
    housing.call(
      'POST',
      '/v1/verifications',
      maritalQuestion({ caseId: 'H-GUESS-1', params: { declared } }),
      { Prefer: 'wait=5' },
    );
  const statuses = [];
  for (const declared of ['never_registered', 'married', 'divorced']) {
    statuses.push((await declare(declared)).status);
  }
  expect(statuses.slice(0, 2).every((status) => status === 200 || status === 202)).toBe(true);
  expect(statuses[2]).toBe(429);

  const auditor = house.client('audit');
  const named = { 'X-On-Behalf-Of': 'audit-auditor-1' };
  const alarms = async () => {
    const reply = await auditor.call(
      'GET',
      '/v1/audit/alerts?rule=exchange-probing',
      undefined,
      named,
    );
    expect([reply.status, reply.text.slice(0, 200)]).toEqual([200, expect.anything()]);
    return Alerts.parse(JSON.parse(reply.text)).items;
  };
  await eventually(async () => (await alarms()).length > 0, { timeoutMs: 25_000 });
  const [alarm, ...more] = await alarms();
  expect(more).toEqual([]);
  expect(alarm).toMatchObject({ rule: 'exchange-probing', department: 'housing' });

  // Its evidence is the refused question, which opens.
  const [index = -1] = alarm?.evidence ?? [];
  const entry = await auditor.call('GET', `/v1/audit/entries/${index}`, undefined, named);
  expect(entry.text).toContain('exchange.probing');
});
