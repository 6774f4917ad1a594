// One house in three processes, each with only the keys of its role: api, worker and log over one
// database. The api's KEYS_DIR lacks every key it may not hold; the worker signs for it.
import { cp, mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import postgres from 'postgres';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { createMachineClient, readClientFile } from '../../cli/machine-client.ts';
import { freePort } from '../../platform/free-port.ts';
import {
  type EmbeddedPostgres,
  migrate,
  migrateQueue,
  startEmbeddedPostgres,
  systemClock,
  systemIds,
} from '../../platform/index.ts';
import { initKeys } from '../../signing/index.ts';
import { eventually } from '../support/eventually.ts';
import { sampleOrganisations } from '../support/keys.ts';
import { type HouseProcess, startHouse } from './house-process.ts';

const Licence = z.looseObject({ number: z.string(), credential: z.string() });
const Answered = z.looseObject({ id: z.string(), state: z.string() });
const Code = z.looseObject({ code: z.string() });

let root: string;
let database: EmbeddedPostgres;
let sql: postgres.Sql;
let port: number;
let worker: HouseProcess;
const running: HouseProcess[] = [];

const settings = (role: string): Record<string, string> => ({
  ROLE: role,
  DATABASE_URL: database.url,
  KEYS_DIR: join(root, 'keys', role),
  PUBLIC_URL: `http://127.0.0.1:${port}`,
  SIGNER_SOCKET: join(root, 's.sock'),
  SAMPLE: role === 'worker' ? 'yunzhu' : 'none',
});

const start = async (role: string): Promise<HouseProcess> => {
  const process = await startHouse(join(root, role), port, settings(role));
  running.unshift(process);
  return process;
};

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'yihao-roles-'));
  port = await freePort();
  database = await startEmbeddedPostgres({
    dataDir: join(root, 'pg'),
    onProgress: () => {},
    onLost: () => {},
  });
  sql = postgres(database.url, { max: 1, onnotice: () => {} });
  const all = join(root, 'keys', 'all');
  await mkdir(join(root, 'keys'), { recursive: true });
  await initKeys(all, {
    organisations: sampleOrganisations(),
    publicUrl: `http://127.0.0.1:${port}`,
    clock: systemClock,
    ids: systemIds,
  });
  await migrate({ ownerUrl: database.url, roles: { keysDir: all }, extra: migrateQueue });
  const isPrivate = (path: string) => path.endsWith('.key.pem');
  const kept: Record<string, (path: string) => boolean> = {
    api: (path) =>
      (!isPrivate(path) || path.endsWith('/token.key.pem')) && !path.endsWith('/cookies.key'),
    worker: (path) =>
      !/\/(root|log|token)\.key\.pem$/.test(path) && !path.endsWith('/secrets/session.key'),
    log: (path) =>
      (!isPrivate(path) || path.endsWith('/log.key.pem')) &&
      (!path.includes('/secrets/') || path.endsWith('/map-labels.key')),
  };
  for (const [role, filter] of Object.entries(kept)) {
    await cp(all, join(root, 'keys', role), { recursive: true, filter });
  }
  await start('log');
  worker = await start('worker');
  await start('api');
}, 240_000);

afterAll(async () => {
  for (const process of running) await process.stop();
  await sql?.end();
  await database?.close();
  await rm(root, { recursive: true, force: true });
}, 60_000);

const clientOf = async (name: string) =>
  createMachineClient(await readClientFile(join(root, 'worker', 'clients', `${name}.json`)), {
    baseUrl: `http://127.0.0.1:${port}`,
  });

async function issue(): Promise<{ status: number; json: unknown }> {
  const market = await clientOf('market');
  return market.call('POST', '/v1/licences', {
    type: 'LT-BIZLIC',
    holder: { scheme: 'uscc', value: '91350100M000100Y43', name: '示例商行' },
    fields: {
      entity_type: 'company',
      legal_rep_name: '李小明',
      legal_rep_id: '990101199001010019',
      established_on: '2020-01-01',
      address: '云珠市越华区文明路1号',
      scope: '零售',
      registration_status: 'active',
    },
  });
}

async function ask(caseId: string): Promise<{ status: number; json: unknown }> {
  const housing = await clientOf('housing');
  return housing.call(
    'POST',
    '/v1/verifications',
    {
      service: 'VS-MARITAL',
      subject: { scheme: 'cn-id', value: '990101199001010019' },
      params: { declared: 'married' },
      legalBasis: 'LB-MCA266',
      purpose: 'public rental housing application',
      caseId,
    },
    { Prefer: 'wait=10' },
  );
}

/** How the api says it stands: its status, its signer, its database. */
async function readiness(): Promise<unknown[]> {
  const reply = await fetch(`http://127.0.0.1:${port}/readyz`);
  const { checks } = z
    .looseObject({ checks: z.record(z.string(), z.unknown()) })
    .parse(await reply.json());
  return [reply.status, checks.signer, checks.database];
}

const licences = async () =>
  Number((await sql<{ n: string }[]>`select count(*) as n from registry.licences`)[0]?.n);

test('the api has none of the keys it may not hold', async () => {
  const files = await readdir(join(root, 'keys', 'api'), { recursive: true });
  expect(files.filter((file) => file.endsWith('.key.pem'))).toEqual(['token.key.pem']);
});

test('the worker has none of the keys of the doors', async () => {
  const files = await readdir(join(root, 'keys', 'worker'), { recursive: true });
  expect(files).toContain('credential.key.pem');
  for (const lacking of ['token.key.pem', 'log.key.pem', 'root.key.pem', 'secrets/session.key']) {
    expect(files).not.toContain(lacking);
  }
});

test('issuing, asking with a receipt, the status list and the CRL work across the processes', async () => {
  const issued = await issue();
  expect([issued.status, issued.json]).toEqual([201, expect.anything()]);
  const { number } = Licence.parse(issued.json);
  const [row] = await sql`select licence from signing.credential_signatures
    where licence = ${number}`;
  expect(row).toEqual({ licence: number });

  const asked = await ask('R-1');
  expect([asked.status, asked.json]).toEqual([
    200,
    expect.objectContaining({ state: 'answered', receipt: expect.stringMatching(/^ey/) }),
  ]);
  const list = await fetch(`http://127.0.0.1:${port}/status-lists/0`);
  expect([list.status, await list.text()]).toEqual([200, expect.stringMatching(/^ey/)]);
  const crl = await fetch(`http://127.0.0.1:${port}/pki/crl`);
  expect([crl.status, (await crl.arrayBuffer()).byteLength > 200]).toEqual([200, true]);
});

test('without the worker nothing is issued in half, and an answer waits for its receipt', async () => {
  await worker.killGroup();
  running.splice(running.indexOf(worker), 1);
  const before = await licences();
  const refused = await issue();
  expect([refused.status, Code.parse(refused.json).code]).toEqual([
    503,
    'signing.signer_unavailable',
  ]);
  expect(await licences()).toBe(before);
  expect(await readiness()).toEqual([
    503,
    { ok: false, detail: 'signing.signer_unavailable' },
    { ok: true },
  ]);

  const asked = await ask('R-2');
  expect(asked.status).toBe(202);
  const { id } = Answered.parse(asked.json);
  const housing = await clientOf('housing');
  const look = await housing.call('GET', `/v1/verifications/${id}`);
  expect([look.status, Code.parse(look.json).code]).toEqual([503, 'signing.signer_unavailable']);

  worker = await start('worker');
  await eventually(async () => (await issue()).status === 201, { timeoutMs: 20_000 });
  expect(await readiness()).toEqual([200, { ok: true }, { ok: true }]);
  const later = await housing.call('GET', `/v1/verifications/${id}`);
  expect([later.status, later.json]).toEqual([
    200,
    expect.objectContaining({ state: 'answered', receipt: expect.stringMatching(/^ey/) }),
  ]);
});
