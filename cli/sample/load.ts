// Loads the sample city through the same acts real departments use: what may be done by nobody
// real is done by a system actor named in the log.
import type { Services } from '../../api/index.ts';
import { installSample } from '../../catalogue/index.ts';
import type { Actor } from '../../identity/index.ts';
import {
  AppError,
  cityDay,
  findHouseFact,
  type Json,
  putHouseFact,
  systemScope,
} from '../../platform/index.ts';
import {
  ensureClientFile,
  ensureTerminalFile,
  officeOfficers,
  pinOf,
  publicJwk,
  sampleOfficers,
  scopesOf,
  writeSignIns,
} from './access.ts';
import { inventCity, type Resident } from './city.ts';
import type { Holding } from './holdings.ts';
import { OFFICE_SERVICES, reachOf, sampleOffices } from './offices.ts';
import type { World } from './world.ts';

/** Residents whose licences are issued in one transaction: long enough to be quick, short to be lost. */
const batchSize = 20;

/** Departments whose questions may be shown to the subject later (contract section 4.2). */
const mayDelayDisclosure = ['police'];
/** Hospitals and the police may have to know at once. */
const mayOpenEmergencies = ['health', 'police'];

type SampleServices = Pick<
  Services,
  | 'identity'
  | 'registry'
  | 'exchange'
  | 'catalogue'
  | 'database'
  | 'config'
  | 'clock'
  | 'ids'
  | 'health'
  | 'sampleKey'
>;

/** The department itself, acting by the loader's hand. */
function departmentActor(organisationId: string, requestId: string): Actor {
  return {
    kind: 'system',
    requestId,
    organisationId,
    roles: ['issuer', 'operator', 'steward'],
    scopes: ['licences:issue', 'types:manage', 'services:manage', 'catalogue:publish'],
  };
}

/** How far the loading came: the number of residents whose licences are all issued. */
async function residentsDone(services: SampleServices): Promise<number | undefined> {
  const fact = await findHouseFact(services.database.db, 'sample');
  if (typeof fact === 'object' && fact !== null && !Array.isArray(fact)) {
    return typeof fact.residents === 'number' ? fact.residents : 0;
  }
  return undefined;
}

function remember(services: SampleServices, residents: number): Promise<void> {
  const fact: Json = { name: 'yunzhu', residents };
  return putHouseFact(services.database.db, 'sample', fact);
}

export interface LoadedSample {
  /**
   * Issues what is left after the personas. Resolves when all of the city is there, or soon after
   * `stop`: the next start goes on.
   */
  finish(stop: AbortSignal): Promise<void>;
}

/**
 * Brings the city to the point where people can sign in: departments, types, services, clients,
 * officers, personas. Cut off at any point, the next start goes on; done before, it changes nothing.
 */
export async function loadSample(
  services: SampleServices,
  world: World,
  say: (line: string) => void,
): Promise<LoadedSample> {
  const { config, clock, health } = services;
  const done = await residentsDone(services);
  if (done === undefined) await refuseOtherData(services);
  const labels = new Map(world.persona_templates.map(({ key, label_zh }) => [key, label_zh]));
  const city = inventCity(cityDay(clock.now(), config.cityTz), labels);
  const all = [...city.personas, ...city.others];
  if (done === undefined) {
    await loadWorld(services, world, say);
    await remember(services, 0);
  }
  const key = services.sampleKey();
  const departments = sampleOfficers(world, key);
  // A city that was loaded before it had offices goes on without them.
  const offices = (await hasOffices(services)) ? officeOfficers(key) : [];
  await writeSignIns(config.dataDir, all, { departments, offices }, key);
  for (const department of world.departments) {
    await ensureClientFile(config.dataDir, department, config.publicUrl);
  }
  if ((done ?? 0) < city.personas.length) {
    say(`Issuing the licences of ${city.personas.length} example people`);
    await issueTo(services, await withoutIssued(services, city.personas));
    await remember(services, city.personas.length);
  }
  const report = (residents: number): void =>
    health.progress('sample', { residents, of: all.length, isComplete: residents >= all.length });
  const start = Math.max(done ?? 0, city.personas.length);
  report(start);
  return { finish: (stop) => finishCity(services, all, start, report, stop) };
}

async function hasOffices({ identity }: SampleServices): Promise<boolean> {
  const known = new Set((await identity.listOrganisations()).map(({ id }) => id));
  return sampleOffices.every(({ id }) => known.has(id));
}

async function refuseOtherData(services: SampleServices): Promise<void> {
  const organisations = await services.identity.listOrganisations();
  if (organisations.length === 0) return;
  throw new AppError(
    'conflict',
    'platform.sample_refused',
    'This database holds other data: the sample city can only be loaded into an empty one. Start with SAMPLE=none.',
  );
}

/** Departments, their officers and systems, licence types, services with agreements, open data. */
async function loadWorld(
  services: SampleServices,
  world: World,
  say: (line: string) => void,
): Promise<void> {
  const { identity, registry, exchange, catalogue, database, config, ids } = services;
  const operator = departmentActor('govsvc', ids.uuid());
  say(`Setting up ${world.departments.length} departments and ${sampleOffices.length} offices`);
  const key = services.sampleKey();
  const officers = [...sampleOfficers(world, key), ...officeOfficers(key)];
  const files = new Map(
    await Promise.all(
      world.departments.map(async (department) => {
        const file = await ensureClientFile(config.dataDir, department, config.publicUrl);
        return [department.id, file] as const;
      }),
    ),
  );
  const terminal = await ensureTerminalFile(config.dataDir, config.publicUrl);
  await database.transaction(async (tx) => {
    for (const { id, name_zh, name_en, short_zh, uscc, kind, roles } of world.departments) {
      await identity.putOrganisation(tx, {
        id,
        nameZh: name_zh,
        nameEn: name_en,
        shortZh: short_zh,
        uscc,
        kind,
        roles,
      });
    }
    for (const office of sampleOffices) await identity.putOrganisation(tx, office);
    for (const { organisation, roles, ...account } of officers) {
      await identity.putOfficer(tx, {
        ...account,
        organisationId: organisation,
        roles,
        reach: roles.some((role) => reachOf(organisation, role) === 'below') ? 'below' : 'own',
        stretching: 'first-use',
      });
    }
    await identity.closeSetUp(tx);
    for (const department of world.departments) {
      const file = files.get(department.id);
      if (!file || (await identity.findClient(tx, department.id))) continue;
      await identity.createClient(tx, {
        clientId: department.id,
        organisationId: department.id,
        name: department.name_en,
        jwks: { keys: [publicJwk(file)] },
        scopes: scopesOf(department),
      });
    }
    if (!(await identity.findRelyingParty(tx, terminal.client_id))) {
      await identity.createRelyingParty(tx, {
        id: terminal.client_id,
        organisationId: 'govsvc',
        nameZh: '自助终端',
        nameEn: 'Self-service terminal',
        keys: [publicJwk(terminal)],
        redirectUris: [terminal.redirect_uri],
        postLogoutRedirectUris: [terminal.post_logout_redirect_uri],
      });
    }
  });
  say(`Publishing ${world.licence_types.length} licence types`);
  for (const type of world.licence_types) await registry.publishType(operator, type);
  say(
    `Publishing ${world.verification_services.length} verification services with their agreements`,
  );
  for (const service of world.verification_services)
    await exchange.publishService(operator, service);
  await installOfficeAgreements(services, operator, world);
  await exchange.installSampleAgreements(operator);
  for (const organisationId of mayDelayDisclosure) {
    await exchange.allowDelay(database.db, organisationId);
  }
  for (const organisationId of mayOpenEmergencies) {
    await exchange.allowEmergencies(database.db, organisationId);
  }
  say('Filling the open-data catalogue');
  await installSample(catalogue);
}

/** Each office may ask the few questions of its windows, on all their legal bases and fields. */
async function installOfficeAgreements(
  { exchange, database, clock, config }: SampleServices,
  operator: Actor,
  world: World,
): Promise<void> {
  const services = world.verification_services.filter(({ id }) => OFFICE_SERVICES.includes(id));
  const validFrom = cityDay(clock.now(), config.cityTz);
  const wanted = services.flatMap(({ id: service, legal_basis: legalBases, minimal_disclosure }) =>
    sampleOffices.map(({ id: requester }) => {
      const terms = { service, legalBases, fields: minimal_disclosure.fields };
      return { ...terms, requester, quota: { perDay: 1000 }, validFrom, validTo: '2099-12-31' };
    }),
  );
  // Side by side: a start waits for this.
  await database
    .as(systemScope)
    .transaction((tx) =>
      Promise.all(wanted.map((given) => exchange.installAgreement(tx, operator, given))),
    );
}

/**
 * The residents with only those holdings they have not got yet: a batch that was cut off is issued
 * in part. Nobody in the city holds two of one type.
 */
async function withoutIssued(
  services: SampleServices,
  residents: readonly Resident[],
): Promise<Resident[]> {
  const { identity, registry, database } = services;
  return Promise.all(
    residents.map(async (resident) => {
      const personId = await identity.findPerson(database.db, resident);
      if (personId === null) return resident;
      const types = resident.holdings.map((holding) => holding.type);
      const issued = new Set(
        (
          await database
            .as(systemScope)
            .transaction((tx) => registry.licencesOf(tx, personId, types))
        ).map((one) => one.type),
      );
      return {
        ...resident,
        holdings: resident.holdings.filter((holding) => !issued.has(holding.type)),
      };
    }),
  );
}

/** Issues all licences of some residents, department by department, and sets their PINs. */
async function issueTo(services: SampleServices, residents: readonly Resident[]): Promise<void> {
  const { registry, identity, database, ids, sampleKey } = services;
  const issuers = await issuersOfTypes(services);
  const byIssuer = new Map<string, Holding[]>();
  for (const holding of residents.flatMap(({ holdings }) => holdings)) {
    const issuer = issuers.get(holding.type);
    if (!issuer) throw new TypeError(`No issuer for ${holding.type}`);
    byIssuer.set(issuer, [...(byIssuer.get(issuer) ?? []), holding]);
  }
  for (const [issuer, holdings] of byIssuer) {
    await registry.issueMany(departmentActor(issuer, ids.uuid()), holdings);
  }
  await database.transaction(async (tx) => {
    const people = await identity.ensurePeople(tx, residents);
    for (const [at, personId] of people.entries()) {
      const key = residents[at]?.key ?? '';
      await identity.putPersonSecret(tx, personId, pinOf(sampleKey(), key), 'first-use');
    }
  });
}

async function issuersOfTypes({ registry }: SampleServices): Promise<Map<string, string>> {
  return new Map((await registry.listTypes()).map((type) => [type.id, type.issuer]));
}

async function finishCity(
  services: SampleServices,
  all: readonly Resident[],
  start: number,
  report: (residents: number) => void,
  stop: AbortSignal,
): Promise<void> {
  for (let at = start; at < all.length && !stop.aborted; at += batchSize) {
    const batch = all.slice(at, at + batchSize);
    // Only the first batch after a start may have been begun by an earlier one.
    await issueTo(services, at === start ? await withoutIssued(services, batch) : batch);
    const done = Math.min(at + batchSize, all.length);
    await remember(services, done);
    report(done);
  }
}
