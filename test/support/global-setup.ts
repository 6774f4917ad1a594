// Once per run: a PostgreSQL with a migrated template database. The embedded server, without
// fsync, in a folder of its own; or the one TEST_DATABASE_URL names, as an owner with CREATEDB and
// CREATEROLE. YIHAO_TEST_MIGRATIONS=1,3 applies only these numbers, while another is being written.
import { chmod, mkdtemp, readdir, readFile, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { z } from 'zod';
import { openSession } from '../../platform/database-url.ts';
import { startEmbeddedPostgres } from '../../platform/embedded-postgres.ts';
import { systemIds } from '../../platform/ids.ts';
import { findInstance } from '../../platform/instance-lock.ts';
import { migrate } from '../../platform/migrate.ts';
import { exists } from '../../platform/postgres-cluster.ts';
import { stopStaleServer } from '../../platform/postgres-processes.ts';
import { migrateQueue } from '../../platform/queue-postgres.ts';

/** What test files need to make databases; `failure` says why there is none. */
export type TestServer =
  | { serverUrl: string; ownerUrl: string; template: string; appUrl: string; logUrl: string }
  | { failure: string };

declare module 'vitest' {
  export interface ProvidedContext {
    testServer: TestServer;
  }
}

/** With the user's number: what another user left is not ours to clear, nor to read. */
const folderPrefix = `yihao-testdb-${process.getuid?.() ?? 0}-`;

export default async function setUp(project: TestProject): Promise<() => Promise<void>> {
  const given = process.env.TEST_DATABASE_URL;
  const template = `yihao_test_${systemIds.bytes(4).toString('hex')}`;
  const server = given
    ? { url: given, close: () => dropAll(given, template) }
    : await startOwnServer();
  try {
    await runEach(server.url, [`create database ${template}`]);
    project.provide('testServer', await migrateTemplate(server.url, template));
  } catch (error) {
    await server.close();
    throw error;
  }
  return server.close;
}

/** The template, and what killed workers left: copies are named after it (database.ts). */
async function dropAll(serverUrl: string, template: string): Promise<void> {
  const sql = openSession(serverUrl);
  const names = await sql<{ name: string }[]>`
    select datname as name from pg_database where datname like ${`${template}%`}`;
  await sql.end();
  await runEach(serverUrl, [
    ...names.map(({ name }) => `drop database ${name} with (force)`),
    `drop role if exists ${template}_app`,
    `drop role if exists ${template}_log`,
  ]);
}

async function migrateTemplate(serverUrl: string, template: string): Promise<TestServer> {
  const ownerUrl = new URL(serverUrl);
  ownerUrl.pathname = `/${template}`;
  try {
    const urls = await migrate({
      ownerUrl: ownerUrl.href,
      roles: { app: systemIds.token(24), log: systemIds.token(24) },
      onlyNumbers: process.env.YIHAO_TEST_MIGRATIONS?.split(',').map(Number),
      extra: migrateQueue,
    });
    return { serverUrl, ownerUrl: ownerUrl.href, template, ...urls };
  } catch (error) {
    // Tests that need no database run all the same.
    return { failure: error instanceof Error ? error.message : String(error) };
  }
}

async function startOwnServer(): Promise<{ url: string; close: () => Promise<void> }> {
  await clearLeftovers();
  const dataDir = await mkdtemp(join(await realpath(tmpdir()), folderPrefix));
  await chmod(dataDir, 0o711);
  const server = await startEmbeddedPostgres({ dataDir, isDurable: false });
  const superuser = new URL(server.url);
  superuser.username = 'postgres';
  superuser.password = z
    .object({ superuserPassword: z.string() })
    .parse(JSON.parse(await readFile(join(dataDir, 'postgres.json'), 'utf8'))).superuserPassword;
  await runEach(superuser.href, ['alter role yihao createdb']);
  return {
    url: server.url,
    close: async () => {
      await server.close();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

/** Servers and folders of runs that were killed. */
async function clearLeftovers(): Promise<void> {
  const folder = await realpath(tmpdir());
  const names = (await readdir(folder)).filter((name) => name.startsWith(folderPrefix));
  for (const dataDir of names.map((name) => join(folder, name))) {
    // A folder without a mark is just being made by another run.
    if (!(await exists(join(dataDir, 'instance.lock'))) || (await findInstance(dataDir))) continue;
    const data = join(dataDir, 'postgres/data');
    if (await exists(data)) await stopStaleServer(data, () => {});
    await rm(dataDir, { recursive: true, force: true });
  }
}

async function runEach(url: string, statements: string[]): Promise<void> {
  const sql = openSession(url);
  try {
    for (const statement of statements) await sql.unsafe(statement);
  } finally {
    await sql.end({ timeout: 5 });
  }
}
