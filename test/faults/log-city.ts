// A house with the sample city on a PostgreSQL of its own, for the tests that stop, kill, replace and restore it
// while departments ask: its doors, its keys and its database in their hands.
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import postgres from 'postgres';
import { expect } from 'vitest';
import { z } from 'zod';
import { createTraffic, type Holder, type Traffic } from '../../bench/city-traffic.ts';
import type { MachineClient } from '../../cli/machine-client.ts';
import { findEmbeddedFiles } from '../../platform/embedded-postgres.ts';
import { freePort } from '../../platform/free-port.ts';
import { startEmbeddedPostgres, systemClock, systemIds } from '../../platform/index.ts';
import { initKeys } from '../../signing/index.ts';
import { sampleOrganisations } from '../support/keys.ts';
import { runYihao } from '../support/yihao-command.ts';
import { type HouseProcess, startHouse } from './house-process.ts';

/** The answer to a question, with the indexes of its two entries. */
export const Asked = z.looseObject({ audit: z.array(z.number()) });

/** Whoever serves now, and who asks there. */
export interface Serving {
  house: HouseProcess;
  traffic: Traffic;
  audit: MachineClient;
}

export type LogCity = Awaited<ReturnType<typeof prepareCity>>;

/** Prepares server and keys; nothing serves yet. */
export async function prepareCity() {
  const root = await mkdtemp(join(tmpdir(), 'yihao-log-city-'));
  const dataDir = join(root, 'house');
  const keysDir = join(root, 'keys');
  const ports: [number, number] = [await freePort(), await freePort()];
  const publicUrl = `http://127.0.0.1:${ports[0]}`;
  const server = await startEmbeddedPostgres({
    dataDir: join(root, 'pg'),
    onProgress: () => {},
    onLost: () => {},
  });
  const sql = postgres(server.url, { max: 1, onnotice: () => {} });
  const files = await findEmbeddedFiles(join(root, 'pg'));
  const superUrl = new URL(files?.superuserUrl ?? '');
  superUrl.pathname = '/postgres';
  const superSql = postgres(superUrl.href, { max: 1, onnotice: () => {} });
  await mkdir(dataDir);
  await initKeys(keysDir, {
    organisations: sampleOrganisations(),
    publicUrl,
    clock: systemClock,
    ids: systemIds,
  });
  const settings: Record<string, string> = {
    DATABASE_URL: server.url,
    KEYS_DIR: keysDir,
    DATA_DIR: dataDir,
    PUBLIC_URL: publicUrl,
    PUBLIC_URL_ALIASES: `http://127.0.0.1:${ports[1]}`,
    SIGNER_SOCKET: join(root, 's.sock'),
    SAMPLE: 'yunzhu',
    RATE_LIMIT: '0',
    RATE_PUBLIC: '0',
  };
  let serving: Serving | undefined;

  const now = (): Serving => {
    if (!serving) throw new TypeError('Nobody serves yet.');
    return serving;
  };

  /** Starts a process with these settings; what serves stays who it is. */
  const start = (port = ports[0]): Promise<HouseProcess> => startHouse(dataDir, port, settings);

  /** From now on this process serves, and the departments have signed in there. */
  async function serveBy(house: HouseProcess): Promise<void> {
    const traffic = await createTraffic({ baseUrl: house.baseUrl, dataDir });
    serving = { house, traffic, audit: await traffic.clientOf('audit') };
  }

  return {
    ...{ root, dataDir, keysDir, ports, publicUrl, databaseUrl: server.url, sql, superSql },
    /** What each process is started with from now on. */
    settings,
    start,
    serveBy,
    serve: async () => serveBy(await start()),
    house: () => now().house,
    traffic: () => now().traffic,
    audit: () => now().audit,
    command: (...words: string[]) =>
      runYihao(words, { settings: { ...settings, PORT: String(ports[0]) } }),

    /** What stands at a public address. */
    text: async (path: string): Promise<string> => {
      const reply = await fetch(`${now().house.baseUrl}${path}`);
      expect([path, reply.status]).toEqual([path, 200]);
      return (await reply.text()).trim();
    },

    /** Somebody whose marriage may be asked about. */
    somebody: (): Holder & { key: string; pin: string } => {
      const found = now().traffic.people.find(({ key }) => key === 'p-newlywed');
      if (!found) throw new TypeError('The sample has newlyweds.');
      return found;
    },

    close: async (): Promise<void> => {
      await serving?.house.stop();
      await sql.end({ timeout: 5 });
      await superSql.end({ timeout: 5 });
      await server.close();
      await rm(root, { recursive: true, force: true });
    },
  };
}
