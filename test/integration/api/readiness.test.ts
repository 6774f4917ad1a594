// What a load balancer is told: by name what the process leans on, and 503 while one of it fails.
import { expect, test } from 'vitest';
import { z } from 'zod';
import { eventually } from '../../support/eventually.ts';
import { maritalQuestion, send, withHouse } from './house.ts';

const house = withHouse();

const Report = z.looseObject({
  ready: z.boolean(),
  checks: z.record(z.string(), z.looseObject({ ok: z.boolean(), detail: z.string().optional() })),
});

async function readiness() {
  const { status, json } = await send(house, 'GET', '/readyz');
  const { ready, checks } = Report.parse(json);
  return { status, ready, sequencer: checks.sequencer };
}

test('while entries wait and nobody sequences it is not ready, and names the sequencer', async () => {
  const { audit } = house.services;
  const ready = { status: 200, ready: true, sequencer: { ok: true } };
  await eventually(async () => (await readiness()).ready, { timeoutMs: 20_000 });
  // What is staged by now gets its place, and nothing after it.
  await audit.stop();
  expect(await readiness()).toEqual(ready);
  await house.client('housing').call('POST', '/v1/verifications', maritalQuestion());
  const failed = { ok: false, detail: 'audit.unavailable' };
  expect(await readiness()).toEqual({ status: 503, ready: false, sequencer: failed });
  await audit.startSequencer();
  await eventually(async () => (await readiness()).ready, { timeoutMs: 20_000 });
  expect(await readiness()).toEqual(ready);
});
