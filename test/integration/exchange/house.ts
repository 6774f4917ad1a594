// An exchange over real rooms: the sample's services with their rules and agreements, a real queue.
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll } from 'vitest';
import {
  createExchange,
  type Exchange,
  type ExchangeDeps,
  type Verification,
} from '../../../exchange/index.ts';
import type { Actor, Role, Scope } from '../../../identity/index.ts';
import {
  AppError,
  createLogger,
  createMetrics,
  createOutbox,
  createQueue,
  createSweeper,
  type JsonObject,
  postgresTransport,
  systemClock,
  systemIds,
} from '../../../platform/index.ts';
import { CITY_TZ, type House as RegistryHouse, withRegistry } from '../registry/house.ts';

export {
  CANTEEN,
  CITY_TZ,
  citizen,
  citizenId,
  healthCertificate,
  issued,
  LI,
  marriage,
  platformActor,
  WANG,
} from '../registry/house.ts';

export interface SampleService extends JsonObject {
  id: string;
  provider: string;
  requesters: string[];
  mode: string;
  consent: string;
  legal_basis: string[];
}

function readData<T>(name: string): T {
  // The sample's own files; what they hold is what the tests are about.
  return JSON.parse(readFileSync(new URL(`../../../data/${name}`, import.meta.url), 'utf8')) as T;
}

export const sampleServices = readData<{ verification_services: SampleService[] }>(
  'sample-world.json',
).verification_services;
export const sampleRules = readData<Record<string, JsonObject>>('answer-rules.json');

/** A sample service as the loader publishes it: with its rule, where it has one. */
export function withRule(service: SampleService): JsonObject {
  const rule = sampleRules[service.id];
  return rule === undefined ? { ...service } : { ...service, rule };
}

export interface House extends RegistryHouse {
  exchange: Exchange;
  /** A second exchange over the same database, as another process has one. */
  another(changes?: Partial<ExchangeDeps>): Exchange;
  /** Runs one of the sweeper's jobs now. */
  sweep(name: string): Promise<void>;
}

export const operator: Actor = {
  kind: 'client',
  requestId: 'test',
  organisationId: 'govsvc',
  clientId: 'govsvc',
  roles: [],
  scopes: ['services:manage', 'types:manage'],
};

const departmentScopes: readonly Scope[] = [
  'verifications:ask',
  'verifications:answer',
  'agreements:manage',
  'licences:issue',
  'licences:read',
];

/** A department's system. */
export function department(id: string, scopes: readonly Scope[] = departmentScopes): Actor {
  return {
    kind: 'client',
    requestId: 'test',
    organisationId: id,
    clientId: id,
    roles: [],
    scopes,
  };
}

/** An officer of a department, such as `housing-desk-1`. */
export function officer(key: string, role: Role): Actor {
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

/**
 * Call at the top of a test file. With a stopped queue jobs are added and nobody takes them, as when
 * every worker is down.
 */
export function withExchange(options: { queue: 'running' | 'stopped' }): House {
  const registryHouse = withRegistry();
  const house: Partial<House> = {};
  const closers: (() => Promise<void>)[] = [];

  beforeAll(async () => {
    const { database, audit, identity, signing, registry, appUrl } = registryHouse;
    const logger = createLogger({ level: 'silent' });
    const metrics = createMetrics();
    const sweeper = createSweeper({ database, logger, metrics });
    const outbox = createOutbox({ database, ids: systemIds, logger, metrics, sweeper });
    const queue = createQueue({ transport: postgresTransport({ url: appUrl }), logger, metrics });
    const deps: ExchangeDeps = {
      database,
      clock: systemClock,
      ids: systemIds,
      audit,
      signing,
      identity,
      registry,
      queue,
      outbox,
      logger,
      metrics,
      cityTz: CITY_TZ,
      mostDelayDays: 730,
    };
    const exchange = createExchange(deps);
    house.exchange = exchange;
    house.another = (changes = {}) => {
      const second = createQueue({
        transport: postgresTransport({ url: appUrl }),
        logger,
        metrics,
      });
      closers.unshift(() => second.close());
      return createExchange({ ...deps, queue: second, ...changes });
    };
    house.sweep = async (name) => {
      const job = exchange.jobs.find((one) => one.name === name);
      if (!job) throw new TypeError(`There is no job ${name}.`);
      await job.run();
    };
    for (const service of sampleServices)
      await exchange.publishService(operator, withRule(service));
    await exchange.installSampleAgreements(operator);
    if (options.queue === 'running') await queue.start();
    closers.push(
      () => queue.close(),
      () => outbox.close(),
      () => sweeper.close(),
    );
  }, 60_000);

  afterAll(async () => {
    for (const close of closers) await close();
  });

  return new Proxy({ ...registryHouse, ...house } as House, {
    // The rooms come into being in beforeAll, after the file took the house.
    get: (_, name) => Reflect.get(house, name) ?? Reflect.get(registryHouse, name),
  });
}

/** The question of housing whether Li was never married, changed at will. */
export function maritalQuestion(changes: JsonObject = {}): JsonObject {
  return {
    service: 'VS-MARITAL',
    subject: { scheme: 'cn-id', value: '990101199001010019' },
    params: { declared: 'never_registered' },
    legalBasis: 'LB-MCA266',
    purpose: '公共租赁住房资格审核',
    caseId: `H-${systemIds.token(6)}`,
    ...changes,
  };
}

/** Asks and waits for the end, in the caller's own process. */
export function askNow(house: House, actor: Actor, question: JsonObject): Promise<Verification> {
  return house.exchange.ask(actor, question, { waitSeconds: 5 });
}

/** The code of the refusal an act meets. */
export async function codeOf(act: Promise<unknown>): Promise<string> {
  try {
    await act;
  } catch (error) {
    if (error instanceof AppError) return error.code;
    throw error;
  }
  return 'not refused';
}
