// Who may sign in or call in the sample city: systems' keys, officers' passwords, people's PINs.
import { createHmac, generateKeyPairSync } from 'node:crypto';
import { chmod, mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import type { Role, Scope } from '../../identity/index.ts';
import { ClientFile } from '../machine-client.ts';
import type { Resident } from './city.ts';
import { OFFICE_ROLES, sampleOffices } from './offices.ts';
import type { Department, World } from './world.ts';

const everyDepartment: Role[] = [
  'desk',
  'desk',
  'issuer',
  'issuer',
  'approver',
  'approver',
  'provider',
  'provider',
  'steward',
];

export interface SampleOfficer {
  key: string;
  username: string;
  password: string;
  organisation: string;
  roles: Role[];
}

/**
 * Secrets of the sample are derived from a key of this house: a start that was cut off goes on with
 * the same ones, and no other house has them.
 */
function derive(key: Buffer, what: string): Buffer {
  return createHmac('sha256', key).update(`sample|${what}`).digest();
}

export function pinOf(key: Buffer, resident: string): string {
  return String(derive(key, `pin|${resident}`).readUInt32BE(0) % 1_000_000).padStart(6, '0');
}

function officerOf(key: Buffer, organisation: string, role: Role, number: number): SampleOfficer {
  const officerKey = `${organisation}-${role}-${number}`;
  return {
    key: officerKey,
    username: officerKey,
    password: derive(key, `officer|${officerKey}`).subarray(0, 12).toString('base64url'),
    organisation,
    roles: [role],
  };
}

/** One of each role in each office of districts, streets and communities. */
export function officeOfficers(key: Buffer): SampleOfficer[] {
  return sampleOffices.flatMap(({ id }) => OFFICE_ROLES.map((role) => officerOf(key, id, role, 1)));
}

/** Two of each working role and one steward in each department; two auditors, two operators. */
export function sampleOfficers(world: World, key: Buffer): SampleOfficer[] {
  const officers: SampleOfficer[] = [];
  const add = (organisation: string, role: Role, number: number): void => {
    officers.push(officerOf(key, organisation, role, number));
  };
  for (const { id, roles } of world.departments) {
    everyDepartment.forEach((role, at) => {
      add(id, role, everyDepartment.slice(0, at + 1).filter((one) => one === role).length);
    });
    for (const number of [1, 2]) {
      if (roles.includes('auditor')) add(id, 'auditor', number);
      if (roles.includes('operator')) add(id, 'operator', number);
    }
  }
  return officers;
}

const scopesByRole: Record<string, Scope[]> = {
  issuer: ['licences:issue', 'licences:read', 'imports:write'],
  provider: ['verifications:answer', 'agreements:manage', 'corrections:write'],
  requester: [
    'verifications:ask',
    'licences:read',
    'agreements:manage',
    'corrections:write',
    'subscriptions:manage',
  ],
  operator: ['types:manage', 'services:manage'],
  window: ['verifications:ask', 'licences:read', 'agreements:manage', 'subscriptions:manage'],
  catalogue_publisher: ['catalogue:publish'],
  auditor: ['audit:read'],
};

/** The scopes of a department's system follow its roles; all but the auditors publish data. */
export function scopesOf({ roles }: Department): Scope[] {
  const scopes = new Set(roles.flatMap((role) => scopesByRole[role] ?? []));
  if (!roles.includes('auditor')) scopes.add('catalogue:publish');
  return [...scopes];
}

/** Writes a file for its owner alone: whole or not at all. */
export async function writePrivately(path: string, content: unknown): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const draft = `${path}.tmp`;
  await writeFile(draft, `${JSON.stringify(content, null, 1)}\n`, { mode: 0o600 });
  await chmod(draft, 0o600);
  await rename(draft, path);
}

/** The client file of a department: kept when it is there, so that its key stays the registered one. */
export async function ensureClientFile(
  dataDir: string,
  department: Department,
  issuer: string,
): Promise<ClientFile> {
  const path = join(dataDir, 'clients', `${department.id}.json`);
  const kept = await readFile(path, 'utf8').catch(() => undefined);
  if (kept !== undefined) return ClientFile.parse(JSON.parse(kept));
  const file = ClientFile.parse({
    client_id: department.id,
    issuer,
    token_endpoint: `${issuer}/oauth/token`,
    private_jwk: newPrivateJwk(`${department.id}-1`),
    scope: scopesOf(department).join(' '),
  });
  await writePrivately(path, file);
  return file;
}

/** The public half of a client file's key, as it is registered. */
export function publicJwk({
  private_jwk,
}: Pick<ClientFile, 'private_jwk'>): Record<string, unknown> {
  const { d: _private, ...publicPart } = private_jwk;
  return publicPart;
}

/** The file the terminal is given: DATA_DIR/relying-parties/terminal.json. */
const RelyingPartyFile = ClientFile.pick({
  client_id: true,
  issuer: true,
  private_jwk: true,
}).extend({
  redirect_uri: z.string(),
  post_logout_redirect_uri: z.string(),
});
type RelyingPartyFile = z.infer<typeof RelyingPartyFile>;

/** Where the sample city's terminal listens when somebody tries it: on this machine. */
const TERMINAL = 'http://127.0.0.1:4190';

/** The terminal's file: kept when it is there, so that its key stays the registered one. */
export async function ensureTerminalFile(
  dataDir: string,
  publicUrl: string,
): Promise<RelyingPartyFile> {
  const path = join(dataDir, 'relying-parties', 'terminal.json');
  const kept = await readFile(path, 'utf8').catch(() => undefined);
  if (kept !== undefined) return RelyingPartyFile.parse(JSON.parse(kept));
  const file = RelyingPartyFile.parse({
    client_id: 'terminal',
    issuer: `${publicUrl}/openid`,
    redirect_uri: `${TERMINAL}/back`,
    post_logout_redirect_uri: `${TERMINAL}/`,
    private_jwk: newPrivateJwk('terminal-1'),
  });
  await writePrivately(path, file);
  return file;
}

function newPrivateJwk(kid: string): Record<string, unknown> {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return { ...privateKey.export({ format: 'jwk' }), kid, alg: 'ES256', use: 'sig' };
}

/**
 * DATA_DIR/people.json, personas first, officers.json of the departments and office-officers.json of the
 * offices below them: who can sign in.
 */
export async function writeSignIns(
  dataDir: string,
  residents: readonly Resident[],
  officers: { departments: readonly SampleOfficer[]; offices: readonly SampleOfficer[] },
  key: Buffer,
): Promise<void> {
  const people = residents.map(({ key: name, scheme, value, name: personName }) => ({
    key: name,
    scheme,
    value,
    name: personName,
    pin: pinOf(key, name),
  }));
  await writePrivately(join(dataDir, 'people.json'), people);
  await writePrivately(join(dataDir, 'officers.json'), officers.departments);
  await writePrivately(join(dataDir, 'office-officers.json'), officers.offices);
}
