// kill -9 of PostgreSQL in the middle of batches: what was acknowledged is there under its index, what was not is
// whole or absent, and the log's process goes on by itself when the server is back.
import { generateKeyPairSync } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import postgres from 'postgres';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { findEmbeddedFiles } from '../../platform/embedded-postgres.ts';
import {
  type EmbeddedPostgres,
  migrate,
  type RuntimeUrls,
  startEmbeddedPostgres,
  systemIds,
} from '../../platform/index.ts';
import { checkHistory } from './log-history.ts';
import { type LogProcess, roundsOr, startLog } from './log-process.ts';

const rounds = roundsOr(2);
const processes: LogProcess[] = [];
let folder: string;
let server: EmbeddedPostgres;
let urls: RuntimeUrls;
let log: LogProcess | undefined;

const startServer = () =>
  startEmbeddedPostgres({ dataDir: join(folder, 'pg'), onProgress: () => {}, onLost: () => {} });

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'yihao-killed-pg-'));
  server = await startServer();
  urls = await migrate({
    ownerUrl: server.url,
    roles: { app: systemIds.token(24), log: systemIds.token(24) },
  });
  const { privateKey } = generateKeyPairSync('ed25519');
  await writeFile(join(folder, 'key.pem'), privateKey.export({ format: 'pem', type: 'pkcs8' }));
}, 120_000);
afterAll(async () => {
  await log?.kill();
  await server.close();
  await rm(folder, { recursive: true, force: true });
}, 60_000);

/** The postmaster's own process: its children see it gone and end. */
async function postmaster(): Promise<number> {
  const files = await findEmbeddedFiles(join(folder, 'pg'));
  const [pid] = (await readFile(join(files?.data ?? '', 'postmaster.pid'), 'utf8')).split('\n');
  return Number(pid);
}

const settings = () => ({
  ...urls,
  keyFile: join(folder, 'key.pem'),
  headFile: join(folder, 'head'),
  origin: 'faults.example/database',
});

test(
  `every acknowledged entry survives kill -9 of PostgreSQL: ${rounds} rounds`,
  async () => {
    log = await startLog(settings());
    processes.push(log);
    log.call(8);
    for (let round = 1; round <= rounds; round += 1) {
      await log.more(10 + 7 * (round % 5));
      process.kill(await postmaster(), 'SIGKILL');
      await server.close();
      server = await startServer();
      // The same process takes the lead anew and serves its callers. Now and then both die.
      if (round % 4 === 0) {
        await log.kill();
        log = await startLog(settings());
        processes.push(log);
        log.call(8);
      }
      await log.more(5);
    }
    await log.more(1);
    // Ended in peace: what was staged is sequenced before it goes.
    expect(await log.stop()).toBe(0);
    log = undefined;
    const sql = postgres(server.url, { max: 1, onnotice: () => {} });
    try {
      const { entries, acknowledged } = await checkHistory(sql, {
        processes,
        headFile: settings().headFile,
      });
      expect(entries).toBeGreaterThanOrEqual(3 * acknowledged);
    } finally {
      await sql.end();
    }
  },
  60_000 + rounds * 60_000,
);
