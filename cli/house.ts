// Opening a house: its database, its tables, its keys, its rooms; and closing it again.
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { compose, composeLog, type LogServices, type Services } from '../api/index.ts';
import type { Actor } from '../identity/index.ts';
import {
  AppError,
  type Clock,
  type Config,
  checkWall,
  connectDatabase,
  createLogger,
  findInstance,
  holdPublicUrl,
  type Ids,
  type Logger,
  loadConfig,
  migrate,
  migrateQueue,
  type RuntimeUrls,
  readRolePasswords,
  runtimeUrls,
  startEmbeddedPostgres,
  systemClock,
  systemIds,
} from '../platform/index.ts';
import { initKeys } from '../signing/index.ts';
import type { ExitCode } from './command.ts';
import { legalBasisCitations, readWorld, type World } from './sample/world.ts';

/** Says what is being done, one line a step. */
export type Say = (line: string) => void;

export interface House {
  services: Services;
  world: World;
  close(): Promise<void>;
}

/** How this process reaches the database; by its socket when it started the server itself. */
interface Doors extends RuntimeUrls {
  socketFolder?: string | undefined;
}

interface OpenedDatabase {
  ownerUrl: string;
  socketFolder?: string | undefined;
  close(): Promise<void>;
}

/** The database of DATABASE_URL, or the embedded one. */
async function openDatabase(
  config: Config,
  say: Say,
  onLost: (reason: string) => void,
): Promise<OpenedDatabase> {
  if (config.databaseUrl !== undefined) {
    return { ownerUrl: config.databaseUrl, close: async () => {} };
  }
  const server = await startEmbeddedPostgres({ dataDir: config.dataDir, onProgress: say, onLost });
  const { url, socketFolder } = server;
  return { ownerUrl: url, socketFolder, close: () => server.close() };
}

/** Makes the sample city's keys where the house makes its own; elsewhere they must be there. */
export async function makeKeys(config: Config, world: World): Promise<string[]> {
  return initKeys(config.keysDir, {
    organisations: world.departments.map(({ name_zh, uscc }) => ({ name: name_zh, uscc })),
    publicUrl: config.publicUrl,
    clock: systemClock,
    ids: systemIds,
  });
}

export interface OpenOptions {
  config: Config;
  logger: Logger;
  say: Say;
  /** The embedded server ended without being asked to. */
  onLost: (reason: string) => void;
}

/** Opens the whole house: database, migrations as the owner, keys, rooms as the app role. */
export async function openHouse(options: OpenOptions): Promise<House> {
  const { config, logger } = options;
  const { built: services, ...opened } = await openWith(options, (urls, world) =>
    composeHouse(config, logger, urls, world),
  );
  return { services, ...opened };
}

/** Opens what the role log is made of. */
export async function openLog(options: OpenOptions): Promise<Pick<House, 'close'> & LogServices> {
  const { config, logger } = options;
  const { built, close } = await openWith(options, async (urls) =>
    composeLog({ config, logger, ...urls, firstPublicUrl: await firstPublicUrlOf(config, urls) }),
  );
  return { start: built.start, close };
}

/** Opens the database, brings it up to date, makes the keys, and builds over them. */
async function openWith<Built extends { close(): Promise<void> }>(
  { config, say, onLost }: OpenOptions,
  build: (urls: Doors, world: World) => Promise<Built>,
): Promise<{ built: Built; world: World; close(): Promise<void> }> {
  await mkdir(config.dataDir, { recursive: true });
  const world = readWorld();
  // Beside PostgreSQL's start: the first one spends about 3 s of one core on RSA keys.
  const keys = config.databaseUrl === undefined ? makeKeys(config, world) : Promise.resolve([]);
  keys.catch(() => {}); // awaited below; until then its failure must not end the process
  const database = await openDatabase(config, say, onLost);
  try {
    const made = await keys;
    if (made.length > 0) say(`Made ${made.length} keys and certificates`);
    const urls = await migrate({
      ownerUrl: database.ownerUrl,
      roles: { keysDir: config.keysDir },
      extra: migrateQueue,
      onProgress: say,
    });
    const built = await build({ ...urls, socketFolder: database.socketFolder }, world);
    return {
      built,
      world,
      close: async () => {
        await built.close();
        await database.close();
      },
    };
  } catch (error) {
    await database.close();
    throw error;
  }
}

/** Builds the rooms of a house that keeps its first public URL. */
async function composeHouse(
  config: Config,
  logger: Logger,
  { appUrl, logUrl, socketFolder }: Doors,
  world: World,
  clock?: Clock,
): Promise<Services> {
  return compose({
    config,
    logger,
    appUrl,
    logUrl,
    socketFolder,
    firstPublicUrl: await firstPublicUrlOf(config, { appUrl }),
    citationOf: legalBasisCitations(world),
    ...(clock && { clock }),
  });
}

/** Holds the house to its first public URL, once its role is one that row-level security binds. */
async function firstPublicUrlOf(
  config: Config,
  { appUrl }: Pick<RuntimeUrls, 'appUrl'>,
): Promise<string> {
  const database = connectDatabase({ url: appUrl, max: 1, applicationName: 'yihao-start' });
  try {
    await checkWall(database.db);
    return await holdPublicUrl(database.db, config.publicUrl, config.publicUrlAliases);
  } finally {
    await database.close();
  }
}

const DatabaseFile = z.object({ url: z.string() });

/**
 * For commands: the rooms over the running instance's database when there is one, else over our own
 * start of it. Nothing is served and no job is run.
 */
export async function attachHouse(config: Config, say: Say, clock?: Clock): Promise<House> {
  const logger = createLogger({ level: 'warn', destination: process.stderr });
  const passwords = await readRolePasswords(config.keysDir);
  const running = config.databaseUrl ?? (await runningUrl(config));
  if (running === undefined || passwords === undefined) {
    const onLost = (reason: string): void => {
      throw new AppError('unavailable', 'platform.database_lost', reason);
    };
    return openHouse({ config, logger, say, onLost });
  }
  const world = readWorld();
  const services = await composeHouse(
    config,
    logger,
    runtimeUrls(running, passwords),
    world,
    clock,
  );
  return { services, world, close: () => services.close() };
}

/** Runs a command's act over the house that loadConfig names, and closes it again. */
export async function withHouse(act: (house: House) => Promise<ExitCode>): Promise<ExitCode> {
  const house = await attachHouse(loadConfig(), (line) => console.error(line));
  try {
    return await act(house);
  } finally {
    await house.close();
  }
}

/** Whoever runs the house itself, on its machine and with its keys. */
export const ownerOf = (ids: Ids): Actor => ({
  kind: 'system',
  requestId: ids.uuid(),
  organisationId: null,
  roles: ['operator'],
  scopes: [],
});

/** The owner's URL while the house's database runs: the one of DATABASE_URL, or the embedded server's. */
export async function ownerUrlOf(config: Config): Promise<string> {
  if (config.databaseUrl !== undefined) return config.databaseUrl;
  const text = await readFile(join(config.dataDir, 'database.json'), 'utf8');
  return DatabaseFile.parse(JSON.parse(text)).url;
}

/** The embedded server's URL while another process runs it. */
async function runningUrl(config: Config): Promise<string | undefined> {
  return (await findInstance(config.dataDir)) === undefined ? undefined : ownerUrlOf(config);
}
