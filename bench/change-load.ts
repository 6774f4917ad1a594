// `node --import tsx bench/change-load.ts`: questions, issues and look-ups on a house of its own before,
// while and after keys rotate and people are erased. Nothing may fail; one table at the end.
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { z } from 'zod';
import { attachHouse } from '../cli/house.ts';
import { findOrStart } from '../cli/instance.ts';
import { createMachineClient, readClientFile } from '../cli/machine-client.ts';
import { PersonFile, signIn } from '../cli/person-client.ts';
import { loadConfig } from '../platform/index.ts';
import { type LoadFigures, runLoad } from './load.ts';

const callers = 8;
const seconds = Number(process.argv[2] ?? 20);
const erased = 10;

const dataDir = await mkdtemp(join(tmpdir(), 'yihao-change-'));
process.env.DATA_DIR = dataDir;
process.env.PORT = process.env.PORT ?? '4178';
process.env.RATE_LIMIT = '0';
process.env.RATE_PUBLIC = '0';
process.env.LOG_LEVEL = 'warn';
const config = loadConfig();
const instance = await findOrStart(config, console.log);
if (!instance.isOurs) throw new Error(`Something else listens at ${instance.baseUrl}; set PORT.`);
const { baseUrl } = instance;

try {
  await measure();
} finally {
  await instance.stop();
  await rm(dataDir, { recursive: true, force: true });
}

async function measure(): Promise<void> {
  await sampleLoaded();
  const clientOf = async (name: string) =>
    createMachineClient(await readClientFile(join(dataDir, 'clients', `${name}.json`)), {
      baseUrl,
    });
  const [housing, health] = await Promise.all([clientOf('housing'), clientOf('health')]);
  const people = PersonFile.parse(
    JSON.parse(await readFile(join(dataDir, 'people.json'), 'utf8')),
  ).filter(({ scheme, key }) => scheme === 'cn-id' && key !== 'p-abroad');
  const some = people.slice(0, 150);
  let serial = 0;
  let code = '';

  const issueTo = async (holder: { value: string; name: string }) => {
    serial += 1;
    const reply = await health.call('POST', '/v1/licences', {
      type: 'LT-HEALTHCERT',
      holder: { scheme: 'cn-id', value: holder.value, name: holder.name },
      fields: {
        certificate_no: `JK-${String(serial).padStart(6, '0')}`,
        trade: 'food',
        examined_on: '2026-03-01',
        facility: '云珠市疾病预防控制中心',
      },
    });
    if (reply.status !== 201) throw new Error(`${reply.status} ${reply.text}`);
    return z.looseObject({ number: z.string(), verificationCode: z.string() }).parse(reply.json);
  };
  const one = async (): Promise<void> => {
    serial += 1;
    const person = some[serial % some.length];
    if (!person) return;
    if (serial % 4 === 0) code = (await issueTo(person)).verificationCode;
    else if (serial % 4 === 1 && code !== '') {
      const reply = await fetch(`${baseUrl}/v1/public/licences/${code}`);
      if (reply.status !== 200) throw new Error(String(reply.status));
      await reply.arrayBuffer();
    } else {
      const reply = await housing.call(
        'POST',
        '/v1/verifications',
        {
          service: 'VS-MARITAL',
          subject: { scheme: 'cn-id', value: person.value },
          params: { declared: 'married' },
          legalBasis: 'LB-MCA266',
          purpose: 'public rental housing application',
          caseId: `C-${serial}`,
        },
        { Prefer: 'wait=10' },
      );
      if (reply.status !== 200) throw new Error(`${reply.status} ${reply.text}`);
    }
  };

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
  await run('kek rotates', () => rotate('kek'));
  await run('between', nothing);
  await run('index-registry rotates', () => rotate('index-registry'));
  await run('between', nothing);
  const strangers = await Promise.all(
    Array.from({ length: erased }, (_, at) => ({
      value: citizenIdOf(`99010219600101${at}0${at}`),
      name: `临时${at}`,
    })).map(async (person) => ({ person, licence: await issueTo(person) })),
  );
  for (const { licence } of strangers) {
    const reply = await health.call('POST', `/v1/licences/${licence.number}/cancel`, {
      reason: 'load run',
      legalBasis: 'LB-AL70',
    });
    if (reply.status !== 200) throw new Error(`${reply.status} ${reply.text}`);
  }
  await run(`${erased} people are erased`, () => eraseAll(strangers.map(({ person }) => person)));
  await run('after', nothing);
  console.log(
    `\n${callers} callers, half questions, a quarter issues, a quarter look-ups; ${seconds} s each; ${cpus().length} cores (${cpus()[0]?.model ?? ''}), load generator on the same machine`,
  );
  console.table(rows);
  if (rows.some(({ failures }) => failures !== 0)) process.exitCode = 1;

  async function rotate(name: 'kek' | 'index-registry'): Promise<string> {
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

  async function eraseAll(leaving: { value: string }[]): Promise<string> {
    const officers = z
      .array(z.object({ username: z.string(), password: z.string(), roles: z.array(z.string()) }))
      .parse(JSON.parse(await readFile(join(dataDir, 'officers.json'), 'utf8')))
      .filter(({ roles }) => roles.includes('operator'));
    const [asker, approver] = await Promise.all(
      officers.slice(0, 2).map(({ username, password }) => signIn(baseUrl, { username, password })),
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

/** The check character of GB 11643 behind 17 digits. */
function citizenIdOf(body: string): string {
  const weights = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
  const sum = weights.reduce((total, weight, at) => total + weight * Number(body[at]), 0);
  return `${body}${'10X98765432'[sum % 11]}`;
}

/** Waits for the whole sample city, so that loading it does not run beside the measurement. */
async function sampleLoaded(): Promise<void> {
  const Report = z.looseObject({
    progress: z.looseObject({ sample: z.looseObject({ isComplete: z.boolean() }) }),
  });
  for (;;) {
    const { progress } = Report.parse(await (await fetch(`${baseUrl}/readyz`)).json());
    if (progress.sample.isComplete) return;
    await wait(500);
  }
}
