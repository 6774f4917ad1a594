// kill -9 of the whole house in the middle of its work: what was accepted ends, once, after the next start.
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { createMachineClient, readClientFile } from '../../cli/machine-client.ts';
import { PersonFile, type SamplePerson } from '../../cli/person-client.ts';
import { freePort } from '../../platform/free-port.ts';
import { eventually } from '../support/eventually.ts';
import { type HouseProcess, startHouse } from './house-process.ts';

const rounds = process.env.FAULT_ROUNDS ? Number(process.env.FAULT_ROUNDS) : 3;
const askers = 8;
const finalStates = ['answered', 'refused', 'failed', 'expired', 'cancelled'];
const Accepted = z.looseObject({ id: z.string(), state: z.string() });

let dataDir: string;
let port: number;
let house: HouseProcess | undefined;

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'yihao-killed-'));
  port = await freePort();
  house = await startHouse(dataDir, port);
}, 90_000);

afterAll(async () => {
  await house?.stop();
  await rm(dataDir, { recursive: true, force: true });
});

const clientOf = async (name: string) =>
  createMachineClient(await readClientFile(join(dataDir, 'clients', `${name}.json`)));

const questionAbout = (person: SamplePerson, caseId: string) => ({
  service: 'VS-MARITAL',
  subject: { scheme: person.scheme, value: person.value },
  params: { declared: 'married' },
  legalBasis: 'LB-MCA266',
  purpose: 'public rental housing application',
  caseId,
});

/** Asks without waiting until the house dies; returns the ids of what it said it accepted. */
async function askUntilKilled(
  people: SamplePerson[],
  round: number,
  killAfter: number,
): Promise<string[]> {
  const housing = await clientOf('housing');
  const accepted: string[] = [];
  let isKilled = false;
  let serial = 0;
  await Promise.all(
    Array.from({ length: askers }, async () => {
      while (!isKilled) {
        serial += 1;
        const person = people[serial % people.length];
        if (!person) return;
        try {
          const reply = await housing.call(
            'POST',
            '/v1/verifications',
            questionAbout(person, `K-${round}-${serial}`),
          );
          const body = Accepted.safeParse(reply.json);
          if (body.success) accepted.push(body.data.id);
          if (accepted.length >= killAfter && !isKilled) {
            isKilled = true;
            await house?.killGroup();
          }
        } catch (error) {
          if (!isKilled) throw error;
        }
      }
    }),
  );
  return accepted;
}

test(`every accepted question ends once after kill -9 and a new start, ${rounds} rounds`, async () => {
  const people = PersonFile.parse(
    JSON.parse(await readFile(join(dataDir, 'people.json'), 'utf8')),
  ).filter((person) => person.scheme === 'cn-id');
  for (let round = 1; round <= rounds; round += 1) {
    const accepted = await askUntilKilled(people, round, 20 + 13 * round);
    house = await startHouse(dataDir, port);
    const housing = await clientOf('housing');
    const open = new Set(accepted);
    await eventually(
      async () => {
        for (const id of open) {
          const reply = await housing.call('GET', `/v1/verifications/${id}`);
          expect(reply.status).toBe(200);
          if (finalStates.includes(Accepted.parse(reply.json).state)) open.delete(id);
        }
        return open.size === 0;
      },
      { timeoutMs: 40_000 },
    );
    const audit = await clientOf('audit');
    for (const id of accepted.slice(0, 5)) {
      const reply = await housing.call('GET', `/v1/verifications/${id}`);
      const { audit: indexes } = z.looseObject({ audit: z.array(z.number()) }).parse(reply.json);
      expect(new Set(indexes).size).toBe(2);
    }
    const integrity = await audit.call('GET', '/v1/audit/integrity');
    expect(
      z.looseObject({ ok: z.boolean(), faults: z.array(z.unknown()) }).parse(integrity.json),
    ).toMatchObject({
      ok: true,
      faults: [],
    });
  }
}, 600_000);
