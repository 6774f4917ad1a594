// The one place that builds things, in floor order, and undoes it in reverse.
import { join } from 'node:path';
import { createAudit } from '../audit/index.ts';
import { createCatalogue } from '../catalogue/index.ts';
import { createExchange } from '../exchange/index.ts';
import {
  createIdentity,
  deviceCookie,
  flowCookie,
  NOTICE_SUBSCRIBER,
  SESSION_ENDED,
  sessionCookie,
} from '../identity/index.ts';
import { createErasures, createOversight, createVigilance } from '../oversight/index.ts';
import {
  type Clock,
  type Config,
  connectDatabase,
  createHealth,
  createIdempotency,
  createMetrics,
  createOutbox,
  createQueue,
  createRateTickets,
  createSweeper,
  dbNow,
  type Logger,
  postgresTransport,
  redisTransport,
  systemClock,
  systemIds,
} from '../platform/index.ts';
import { createRegistry } from '../registry/index.ts';
import {
  connectSigner,
  createSignerDesk,
  createSigning,
  openKeystore,
  openVrf,
  serveSigner,
} from '../signing/index.ts';
import { readLogPolicy } from './log-policy.ts';

export interface ComposeOptions {
  config: Config;
  logger: Logger;
  appUrl: string;
  logUrl: string;
  /** The embedded server's socket, in the process that started it. */
  socketFolder?: string | undefined;
  /** The URL this house first called itself: the log's name must never change. */
  firstPublicUrl: string;
  citationOf: (id: string, lang: 'zh' | 'en') => string;
  /** The sample city's past is lived through with another; every house has the system's. */
  clock?: Clock;
}

export type Services = Awaited<ReturnType<typeof compose>>;

/** Connections of each pool in one process; together with the queue's well below 100. */
const connections = { app: 20, log: 3, sweeps: 4 };

/** Builds every room over one database and one set of keys. Nothing runs before `start`. */
export async function compose(options: ComposeOptions) {
  const { config, logger, appUrl, logUrl, socketFolder, citationOf } = options;
  const { publicUrl, publicUrlAliases, cityTz } = config;
  const { clock = systemClock } = options;
  const ids = systemIds;
  const closers: (() => Promise<void> | void)[] = [];
  const metrics = createMetrics({ isRuntimeIncluded: true });
  const health = createHealth();
  const connect = (url: string, max: number, name: string) => {
    const applicationName = `yihao-${config.role}-${name}`;
    const database = connectDatabase({ url, max, applicationName, socketFolder });
    closers.push(() => database.close());
    return database;
  };

  // Floor 0: platform
  const database = connect(appUrl, connections.app, 'app');
  const logDatabase = connect(logUrl, connections.log, 'log');
  const sweeper = createSweeper({
    database: connect(appUrl, connections.sweeps, 'sweeps'),
    logger,
    metrics,
  });
  closers.push(() => sweeper.close());
  const transport =
    config.redisUrl === undefined
      ? postgresTransport({ url: appUrl })
      : redisTransport({ url: config.redisUrl });
  const queue = createQueue({ transport, logger, metrics });
  closers.push(() => queue.close());
  const outbox = createOutbox({ database, ids, logger, metrics, sweeper });
  closers.push(() => outbox.close());
  const keystore = openKeystore(config.keysDir, config.role);
  const isSigner = keystore.mayLoad('credential');
  const remote = isSigner ? undefined : connectSigner(config.signerSocket);
  closers.push(() => remote?.close());
  const idempotency = createIdempotency({
    database,
    key: keystore.secret('idempotency'),
    ids,
    logger,
    metrics,
    sweeper,
  });

  const rateTickets = createRateTickets({ database, key: keystore.secret('idempotency') });

  // Floors 1 to 3: audit, signing, identity
  const audit = createAudit({
    database,
    logDatabase,
    clock,
    ids,
    logger,
    signer: keystore.logKeys.first,
    laterSigner: keystore.logKeys.find,
    origin: `${new URL(options.firstPublicUrl).host}/log`,
    headFile: join(config.dataDir, 'log-head.json'),
    policy: readLogPolicy(config.logPolicy),
    map: { key: openVrf(keystore.secret('map-labels')) },
    metrics,
  });
  closers.push(() => audit.stop());
  const signing = createSigning({ database, clock, ids, keystore, remote, publicUrl, logger });
  const identity = createIdentity({
    database,
    clock,
    ids,
    audit,
    keys: {
      indexRegistry: keystore.secretVersions('index-registry'),
      indexAudit: keystore.secret('index-audit'),
      kek: keystore.secretVersions('kek'),
      pepper: keystore.secret('pepper'),
      platformData: keystore.secret('platform-data'),
      pseudonym: keystore.secret('pseudonym'),
      session: keystore.mayLoad('session') ? keystore.secret('session') : null,
      tokenKey: keystore.mayLoad('token') ? keystore.tokenKey : null,
    },
    publicUrl,
    publicUrlAliases,
    logger,
    outbox,
    isLocalSignInAllowed: config.isLocalSignInAllowed,
    identityProviders: config.identityProviders,
    isMutualTlsOffered: config.trustedProxies.length > 0,
    cityTz,
  });

  if (keystore.mayLoad('token')) {
    outbox.on(SESSION_ENDED, NOTICE_SUBSCRIBER, identity.sendSignOutNotice);
  }

  // Floors 4 to 6: registry, catalogue, exchange, oversight
  const registry = createRegistry({
    database,
    clock,
    ids,
    audit,
    signing,
    identity,
    outbox,
    publicUrl,
    cityTz,
    keys: { lookup: keystore.secret('index-lookup') },
  });
  const catalogue = createCatalogue({ database, clock, ids, logger, publicUrl });
  const exchange = createExchange({
    database,
    clock,
    ids,
    audit,
    signing,
    identity,
    registry,
    queue,
    outbox,
    logger,
    cityTz,
    mostDelayDays: config.mostDelayDays,
    metrics,
  });
  const erasures = createErasures({
    database,
    ids,
    logger,
    audit,
    identity,
    registry,
    exchange,
    idempotency,
  });
  const oversight = createOversight({
    database,
    ids,
    logger,
    audit,
    identity,
    cityTz,
    citationOf,
    ticketDays: config.ticketDays,
    ownRecords: async (actor) => ({
      person: await identity.describeActor(actor),
      licences: await registry.ownLicences(actor),
      consents: await exchange.listConsents(actor),
      delegations: await identity.listDelegations(actor),
    }),
  });

  const vigilance = createVigilance({
    database,
    ids,
    logger,
    metrics,
    outbox,
    audit,
    identity,
    householdOf: async (tx, personId) => {
      const [register] = await registry.licencesOf(tx, personId, ['LT-HUKOU']);
      const household = register?.fields.household_no;
      return typeof household === 'string' ? household : null;
    },
    cityTz,
  });

  const signable = {
    checkCredential: registry.checkCredential,
    documentOf: registry.documentOf,
    receiptOf: exchange.receiptOf,
  };

  health.check('database', async () => {
    await dbNow(database.db);
    return undefined;
  });
  // No answer and no licence leaves before its entry has its place.
  health.check('sequencer', async () => {
    await audit.requireSequencing();
    return undefined;
  });
  const operators = metrics.gauge('operators_in_force', 'Operators who can decide.', ['when']);
  health.check('operators', async () => {
    const { now, inThirtyDays, lastDayOfTwo } = await identity.operatorsInForce();
    operators.set({ when: 'now' }, now);
    operators.set({ when: 'in_30_days' }, inThirtyDays);
    if (now < 2) return `${now} can decide, two are needed: yihao operators restore`;
    if (inThirtyDays < 2) return `two can decide until ${lastDayOfTwo} and not longer`;
    return undefined;
  });
  // A process without keys leans on the one that has them: no receipt and no licence without it.
  if (remote) {
    health.check('signer', async () => {
      await remote.reach();
      return undefined;
    });
  }
  health.check('queue', async () => {
    await transport.reach();
    return transport.kind;
  });

  return {
    config,
    logger,
    clock,
    ids,
    metrics,
    health,
    database,
    idempotency,
    rateTickets,
    outbox,
    queue,
    audit,
    signing,
    identity,
    registry,
    catalogue,
    exchange,
    oversight,
    erasures,
    vigilance,
    citationOf,
    logKeys: keystore.logKeys,
    sessionCookie: sessionCookie(publicUrl),
    deviceCookie: deviceCookie(publicUrl),
    flowCookie: flowCookie(publicUrl),
    /** Secrets of the sample city derive from it; nothing else does. */
    sampleKey: () => keystore.secret('cookies'),

    /** Begins what this process does by its role: sequencing, jobs, sweeps. */
    async start(): Promise<void> {
      const { role } = config;
      await identity.start();
      if (role === 'all') await audit.startSequencer();
      if (isSigner) {
        const desk = createSignerDesk({ database, clock, publicUrl, signing, ...signable });
        const server = await serveSigner(config.signerSocket, desk, logger).catch((error) => {
          if (role !== 'all') throw error;
          // A path too long, or a disk without sockets: a house in one process needs no door to it.
          logger.warn({ err: error }, 'This house signs for itself alone.');
        });
        closers.push(() => server?.close());
      }
      if (role === 'all' || role === 'worker') {
        const rooms = [registry, exchange, erasures, oversight, vigilance];
        for (const job of rooms.flatMap((room) => room.jobs))
          sweeper.every(job.everyMs, job.name, job.run);
        sweeper.every(60_000, 'platform.rate-counts', rateTickets.forgetPast);
        sweeper.every(60_000, 'identity.purge', () => identity.purgeExpired());
        sweeper.every(2_000, 'identity.rotate', async (signal) => {
          const rotating = await identity.rotateKeys(signal);
          health.progress('rotation', { unfinished: rotating });
        });
        await vigilance.publishShipped();
        await queue.start();
      }
      // Each process takes what it has subscribed to; the role with the token key tells relying parties.
      await outbox.start();
    },

    /** Ends it all, last built first. */
    async close(): Promise<void> {
      for (const close of closers.reverse()) {
        try {
          await close();
        } catch (error) {
          logger.error({ err: error }, 'Closing failed.');
        }
      }
    },
  };
}
