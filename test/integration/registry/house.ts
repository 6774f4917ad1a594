// A registry over real rooms: the log with its sequencer, identity, signing, outbox; and its people.
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll } from 'vitest';
import { type Audit, createAudit } from '../../../audit/index.ts';
import { type Actor, createIdentity, type Identity, type Scope } from '../../../identity/index.ts';
import {
  createMetrics,
  createOutbox,
  createSweeper,
  type JsonObject,
  systemClock,
  systemIds,
  systemScope,
} from '../../../platform/index.ts';
import { createLogger } from '../../../platform/logger.ts';
import { createRegistry, type IssuedLicence, type Registry } from '../../../registry/index.ts';
import { createSigning, openVrf, type Signing } from '../../../signing/index.ts';
import { type TestDatabase, withDatabase } from '../../support/database.ts';
import { TEST_PUBLIC_URL, testKeys } from '../../support/keys.ts';

export const CITY_TZ = 'Asia/Shanghai';

export const world: {
  departments: Record<string, unknown>[];
  licence_types: (Record<string, unknown> & { id: string })[];
} = JSON.parse(readFileSync(new URL('../../../data/sample-world.json', import.meta.url), 'utf8'));

export interface House extends TestDatabase {
  audit: Audit;
  identity: Identity;
  signing: Signing;
  registry: Registry;
}

/** The platform itself, as the loader of a sample or an import acts. */
export const platformActor: Actor = {
  kind: 'system',
  requestId: 'test',
  organisationId: null,
  roles: [],
  scopes: [],
};

/** A department's system with the scopes to issue and read, or others. */
export function department(
  organisationId: string,
  scopes: readonly Scope[] = ['licences:issue', 'licences:read'],
): Actor {
  return {
    kind: 'client',
    requestId: 'test',
    organisationId,
    clientId: organisationId,
    roles: [],
    scopes,
  };
}

export function officer(key: string, role: Actor['roles'][number]): Actor {
  return {
    kind: 'officer',
    requestId: 'test',
    organisationId: key.split('-')[0] ?? '',
    officerId: key,
    officerKey: key,
    roles: [role],
    scopes: [],
  };
}

export function citizen(personId: string, sessionId?: string): Actor {
  return {
    kind: 'citizen',
    requestId: 'test',
    organisationId: null,
    personId,
    ...(sessionId === undefined ? {} : { sessionId }),
    roles: [],
    scopes: [],
  };
}

/** Call at the top of a test file: the sample's departments and types, no licences yet. */
export function withRegistry(): House {
  const test = withDatabase();
  const { database, logDatabase } = test;
  const logger = createLogger({ level: 'silent' });
  const house: Partial<House> = {};
  let close: (() => Promise<void>)[] = [];

  beforeAll(async () => {
    const { keystore } = await testKeys();
    const common = { database, clock: systemClock, ids: systemIds, logger };
    const audit = createAudit({
      ...common,
      logDatabase,
      signer: keystore.logKeys.first,
      origin: 'log.yunzhu.example',
      map: { key: openVrf(Buffer.alloc(32, 4)), everyMs: null },
    });
    await audit.startSequencer();
    const metrics = createMetrics();
    const sweeper = createSweeper({ database, logger, metrics });
    const outbox = createOutbox({ database, ids: systemIds, logger, metrics, sweeper });
    const identity = createIdentity({
      ...common,
      audit,
      outbox,
      keys: {
        indexRegistry: keystore.secretVersions('index-registry'),
        indexAudit: keystore.secret('index-audit'),
        kek: keystore.secretVersions('kek'),
        pepper: keystore.secret('pepper'),
        platformData: keystore.secret('platform-data'),
        pseudonym: keystore.secret('pseudonym'),
        session: keystore.secret('session'),
        tokenKey: keystore.tokenKey,
      },
      publicUrl: TEST_PUBLIC_URL,
      isLocalSignInAllowed: true,
      cityTz: CITY_TZ,
    });
    const signing = createSigning({ ...common, keystore, publicUrl: TEST_PUBLIC_URL });
    const registry = createRegistry({
      ...common,
      audit,
      signing,
      identity,
      outbox,
      publicUrl: TEST_PUBLIC_URL,
      cityTz: CITY_TZ,
      keys: { lookup: keystore.secret('index-lookup') },
    });
    Object.assign(house, { audit, identity, signing, registry });
    close = [() => outbox.close(), () => sweeper.close(), () => audit.stop()];
    await database.transaction(async (tx) => {
      for (const one of world.departments) await identity.putOrganisation(tx, organisation(one));
    });
    for (const type of world.licence_types) await registry.publishType(platformActor, type);
  }, 60_000);

  afterAll(async () => {
    for (const end of close) await end();
  });

  return new Proxy({ ...test, ...house } as House, {
    // The rooms come into being in beforeAll, after the file took the house.
    get: (target, name) => Reflect.get(house, name) ?? Reflect.get(target, name),
  });
}

function organisation(written: Record<string, unknown>) {
  const text = (key: string) => String(written[key]);
  return {
    id: text('id'),
    nameZh: text('name_zh'),
    nameEn: text('name_en'),
    shortZh: text('short_zh'),
    uscc: text('uscc'),
    kind: text('kind'),
    roles: Array.isArray(written.roles) ? written.roles.map(String) : [],
  };
}

/** A made-up citizen ID of the sample city, its check character worked out (GB 11643). */
export function citizenId(birthDay: string, sequence: number): string {
  const digits = `990101${birthDay.replaceAll('-', '')}${String(sequence).padStart(3, '0')}`;
  const weights = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
  const sum = weights.reduce((total, weight, at) => total + weight * Number(digits[at]), 0);
  return digits + '10X98765432'.charAt(sum % 11);
}

export const LI = { scheme: 'cn-id' as const, value: '990101199001010019', name: '李小明' };
export const WANG = { scheme: 'cn-id' as const, value: '990102198512120027', name: '王芳' };
export const CANTEEN = {
  scheme: 'uscc' as const,
  value: '91350100M000100Y43',
  name: '云珠市饭堂有限公司',
};

/** A health certificate of Li's, issued by health; valid for a year. */
export function healthCertificate(changes: JsonObject = {}) {
  return {
    type: 'LT-HEALTHCERT',
    holder: LI,
    fields: {
      certificate_no: 'JK990101-000001',
      trade: 'food',
      examined_on: '2026-03-01',
      facility: '云珠市疾病预防控制中心',
    },
    ...changes,
  };
}

/** Li's marriage to Wang, issued by civil. */
export function marriage(changes: JsonObject = {}) {
  return {
    type: 'LT-MARRIAGE',
    holder: LI,
    fields: {
      certificate_no: 'J990101-2020-000001',
      spouse_name: WANG.name,
      spouse_id: WANG.value,
      registered_on: '2020-05-20',
      registry: '越华区民政局婚姻登记处',
    },
    ...changes,
  };
}

/** Issues one licence that needs no second officer. */
export async function issued(house: House, actor: Actor, input: unknown): Promise<IssuedLicence> {
  const result = await house.registry.issue(actor, input);
  if ('state' in result) throw new Error('This type wants four eyes.');
  return result;
}

/** The types and outcomes of all log entries that name this licence, oldest first. */
export async function entriesOf(house: House, number: string): Promise<string[]> {
  const entries = await house.audit.as(systemScope).findEntries({ limit: 200 });
  return entries
    .filter(({ licence }) => licence === number)
    .map(({ type, outcome, code }) => [type, outcome, ...(code ? [code] : [])].join(' '))
    .reverse();
}

/** The column of an owner's query, as text. */
export async function column(
  database: Pick<TestDatabase, 'ownerSql'>,
  query: string,
): Promise<string[]> {
  const rows = await database.ownerSql.unsafe(query);
  return rows.map((row) => String(Object.values(row)[0]));
}
