// The whole house as `serve` composes it, over a test database, with a small city behind a real port.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll } from 'vitest';
import { z } from 'zod';
import { compose, listen, type Services } from '../../../api/index.ts';
import {
  type ClientFile,
  createMachineClient,
  type MachineClient,
} from '../../../cli/machine-client.ts';
import { ensureClientFile, publicJwk, scopesOf } from '../../../cli/sample/access.ts';
import { type Department, legalBasisCitations, readWorld } from '../../../cli/sample/world.ts';
import type { Actor, Role } from '../../../identity/index.ts';
import { createLogger, type Json, type JsonObject, loadConfig } from '../../../platform/index.ts';
import { type TestDatabase, withDatabase } from '../../support/database.ts';
import { eventually } from '../../support/eventually.ts';
import { TEST_PUBLIC_URL, testKeys } from '../../support/keys.ts';

export const PUBLIC_URL = TEST_PUBLIC_URL;
export const ALIAS_URL = 'http://yihao.test:4100';

const DEPARTMENTS = ['civil', 'health', 'housing', 'govsvc', 'audit'] as const;
export type DepartmentId = (typeof DEPARTMENTS)[number];
const TYPES = ['LT-MARRIAGE', 'LT-DIVORCE', 'LT-HEALTHCERT'];
const SERVICES = ['VS-MARITAL'];
/** A type of health's that two officers issue; a health certificate otherwise. */
export const FOUR_EYES_TYPE = 'LT-FOUREYES';

export const LI = { scheme: 'cn-id', value: '990101199001010019', name: '李小明' } as const;
export const PIN = '482913';
export const PASSWORD = 'a-password-of-the-test';
const OFFICERS: [DepartmentId, Role, number][] = [
  ['housing', 'desk', 1],
  ['health', 'issuer', 1],
  ['health', 'approver', 1],
  ['civil', 'provider', 1],
  ['civil', 'steward', 1],
  ['govsvc', 'operator', 1],
  ['audit', 'auditor', 1],
  ['audit', 'auditor', 2],
  ['housing', 'steward', 1],
  ['govsvc', 'operator', 2],
];

export interface House extends TestDatabase {
  services: Services;
  /** Where it listens; what it calls itself is PUBLIC_URL. */
  baseUrl: string;
  /** Another process of the same house, composed anew: where it listens. */
  openSecondDoor(): Promise<string>;
  /** A department's system, with the scopes the sample gives it, or with these alone. */
  client(id: DepartmentId, scope?: string): MachineClient;
  /** All log lines so far. */
  logLines: string[];
}

/** Call at the top of a test file. Limits are off unless given. */
export function withHouse(settings: Record<string, string> = {}): House {
  const database = withDatabase();
  const logLines: string[] = [];
  const files = new Map<string, ClientFile>();
  const clients = new Map<string, MachineClient>();
  const house: Partial<House> = {};
  const closers: (() => Promise<unknown>)[] = [];

  beforeAll(async () => {
    const dataDir = await mkdtemp(join(tmpdir(), 'yihao-api-test-'));
    closers.unshift(() => rm(dataDir, { recursive: true, force: true }));
    const world = readWorld();
    const openDoor = async (more: Record<string, string> = {}) => {
      const services = await compose({
        config: loadConfig({
          DATA_DIR: dataDir,
          KEYS_DIR: (await testKeys()).keysDir,
          DATABASE_URL: database.ownerUrl,
          PUBLIC_URL,
          PUBLIC_URL_ALIASES: ALIAS_URL,
          RATE_LIMIT: '0',
          RATE_PUBLIC: '0',
          ...settings,
          ...more,
        }),
        logger: createLogger({
          level: 'trace',
          destination: { write: (line) => logLines.push(line) },
        }),
        appUrl: database.appUrl,
        logUrl: database.logUrl,
        firstPublicUrl: PUBLIC_URL,
        citationOf: legalBasisCitations(world),
      });
      closers.unshift(() => services.close());
      await services.start();
      const server = await listen(services, { port: 0 });
      closers.unshift(() => server.close());
      return { services, baseUrl: `http://127.0.0.1:${server.address.port}` };
    };
    const { services, baseUrl } = await openDoor();
    const openSecondDoor = async () => (await openDoor({ ROLE: 'api' })).baseUrl;
    Object.assign(house, { services, baseUrl, openSecondDoor });
    const departments = world.departments.filter(({ id }) => DEPARTMENTS.some((one) => one === id));
    for (const department of departments) {
      const file = await ensureClientFile(dataDir, department, PUBLIC_URL);
      await seedDepartment(services, department, publicJwk(file));
      files.set(department.id, file);
    }
    for (const type of world.licence_types.filter(({ id }) => TYPES.includes(id))) {
      await services.registry.publishType(platform, type);
      if (type.id === 'LT-HEALTHCERT')
        await services.registry.publishType(platform, fourEyes(type));
    }
    for (const service of world.verification_services.filter(({ id }) => SERVICES.includes(id))) {
      await services.exchange.publishService(platform, service);
    }
    await services.exchange.installSampleAgreements(platform);
    await seedPeople(services);
  }, 60_000);

  afterAll(async () => {
    for (const close of closers) await close();
  });

  const client = (id: DepartmentId, scope?: string): MachineClient => {
    const file = files.get(id);
    if (!file || !house.baseUrl) throw new TypeError(`${id} is not in this small city yet.`);
    const name = `${id} ${scope}`;
    const known = clients.get(name);
    if (known) return known;
    const made = createMachineClient({ ...file, scope: scope ?? file.scope }, house);
    clients.set(name, made);
    return made;
  };
  return new Proxy({ ...database, client, logLines, ...house } as House, {
    // The rooms come into being in beforeAll, after the file took the house.
    get: (target, name) => Reflect.get(house, name) ?? Reflect.get(target, name),
  });
}

const platform: Actor = {
  kind: 'system',
  requestId: 'test-seed',
  organisationId: 'govsvc',
  roles: [],
  scopes: [],
};

function fourEyes(type: object): object {
  return {
    ...type,
    id: FOUR_EYES_TYPE,
    type_code: '11990100009900048E999',
    name_zh: '双人审批证明',
    name_en: 'Certificate that two officers issue',
    four_eyes: true,
  };
}

async function seedDepartment(
  { identity, database }: Services,
  department: Department,
  jwk: Record<string, unknown>,
): Promise<void> {
  const { id, name_zh: nameZh, name_en: nameEn, short_zh: shortZh, uscc, kind, roles } = department;
  await database.transaction(async (tx) => {
    await identity.putOrganisation(tx, { id, nameZh, nameEn, shortZh, uscc, kind, roles });
    await identity.createClient(tx, {
      clientId: id,
      organisationId: id,
      name: nameEn,
      jwks: { keys: [jwk] },
      scopes: scopesOf(department),
    });
  });
}

async function seedPeople({ identity, database }: Services): Promise<void> {
  await database.transaction(async (tx) => {
    for (const [organisationId, role, number] of OFFICERS) {
      const key = `${organisationId}-${role}-${number}`;
      const officer = { key, username: key, password: PASSWORD, organisationId, roles: [role] };
      await identity.putOfficer(tx, { ...officer, stretching: 'first-use' });
    }
    const { name, ...identifier } = LI;
    const li = await identity.ensurePerson(tx, identifier, name);
    await identity.putPersonSecret(tx, li, PIN, 'first-use');
  });
}

/** Counts begin anew with each minute: waits until half of the present one is left. */
export const enoughOfTheMinute = () =>
  eventually(() => Date.now() % 60_000 < 30_000, { timeoutMs: 40_000 });

/** What health issues to Li. */
export function healthCertificate(changes: JsonObject = {}): JsonObject {
  return {
    type: 'LT-HEALTHCERT',
    holder: { ...LI },
    fields: { certificate_no: 'JK-000001', trade: 'food', examined_on: '2026-03-01' },
    ...changes,
  };
}

/** What housing asks civil about Li. */
export function maritalQuestion(changes: JsonObject = {}): JsonObject {
  return {
    service: 'VS-MARITAL',
    subject: { scheme: LI.scheme, value: LI.value },
    params: { declared: 'never_registered' },
    legalBasis: 'LB-MCA266',
    purpose: '公共租赁住房资格审核',
    caseId: 'H-2026-000117',
    ...changes,
  };
}

export const Problem = z.strictObject({
  type: z.string(),
  title: z.string(),
  status: z.number(),
  detail: z.string().optional(),
  instance: z.string(),
  code: z.string(),
  errors: z.array(z.strictObject({ pointer: z.string(), detail: z.string() })).optional(),
});

/** Status and code of a refusal, with pointers if any; fails when it is no problem document. */
export function refusal(reply: { status: number; json: Json }): string {
  const { status, code, errors = [] } = Problem.parse(reply.json);
  if (status !== reply.status) throw new Error(`${status} in a reply of ${reply.status}`);
  return [status, code, ...errors.map(({ pointer }) => pointer)].join(' ');
}

/** Any request, read whole. */
export async function send(
  house: House,
  method: string,
  path: string,
  { headers = {}, body }: { headers?: Record<string, string>; body?: BodyInit } = {},
): Promise<{ status: number; headers: Headers; text: string; json: Json }> {
  const reply = await fetch(`${house.baseUrl}${path}`, {
    method,
    headers,
    redirect: 'manual',
    ...(body === undefined ? {} : { body }),
  });
  const text = await reply.text();
  const isJson = /[/+]json/.test(reply.headers.get('content-type') ?? '') && text !== '';
  const json: Json = isJson ? JSON.parse(text) : null;
  return { status: reply.status, headers: reply.headers, text, json };
}

/** The session cookie of an officer or of Li, as a request header carries it. */
export async function sessionOf(house: House, who: string): Promise<string> {
  const credentials: Record<string, string> =
    who === 'li'
      ? { scheme: LI.scheme, value: LI.value, pin: PIN }
      : { username: who, password: PASSWORD };
  const reply = await send(house, 'POST', '/sign-in', {
    headers: { 'Content-Type': 'application/json', Origin: PUBLIC_URL },
    body: JSON.stringify(credentials),
  });
  if (reply.status !== 204) throw new Error(`${who} was not let in: ${reply.text}`);
  return (reply.headers.get('set-cookie') ?? '').split(';')[0] ?? '';
}
