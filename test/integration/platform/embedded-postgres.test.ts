import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, readFile, realpath, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { sql } from 'drizzle-orm';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { openSession } from '../../../platform/database-url.ts';
import {
  connectDatabase,
  type EmbeddedPostgres,
  startEmbeddedPostgres,
} from '../../../platform/index.ts';
import { processIdentity } from '../../../platform/process-identity.ts';
import { eventually } from '../../support/eventually.ts';

const isRoot = process.getuid?.() === 0;
const children: ChildProcess[] = [];
let folder: string;
let dataDir: string;

beforeAll(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), 'yihao-embedded-')));
  await chmod(folder, 0o711);
  dataDir = join(folder, 'data');
});

afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});

afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

async function ask<T extends object>(url: string, text: string): Promise<T[]> {
  const session = openSession(url);
  try {
    return Array.from(await session.unsafe<T[]>(text));
  } finally {
    await session.end({ timeout: 1 });
  }
}

/** Runs an instance in a process (and process group) of its own; gives the line it prints. */
async function startApart(dir: string): Promise<{ child: ChildProcess; said: string }> {
  const script = fileURLToPath(new URL('../../support/embedded-instance.ts', import.meta.url));
  const child = spawn(process.execPath, ['--import', 'tsx', script, dir], {
    stdio: ['pipe', 'pipe', 'inherit'],
    detached: true,
  });
  children.push(child);
  const [chunk] = await once(child.stdout, 'data');
  return { child, said: String(chunk).trim() };
}

async function killHard(child: ChildProcess): Promise<void> {
  child.kill('SIGKILL');
  await once(child, 'exit');
}

async function serverPid(): Promise<number> {
  return Number.parseInt(await readFile(join(dataDir, 'postgres/data/postmaster.pid'), 'utf8'), 10);
}

function isAlive(pid: number): boolean {
  return processIdentity(pid) !== undefined;
}

async function withServer<T>(act: (server: EmbeddedPostgres) => Promise<T>): Promise<T> {
  const server = await startEmbeddedPostgres({ dataDir });
  try {
    return await act(server);
  } finally {
    await server.close();
  }
}

test('a first start makes a durable UTF-8 database that its owner reaches by password alone', async () => {
  await withServer(async ({ url }) => {
    const names = [
      ...['fsync', 'synchronous_commit', 'full_page_writes', 'data_checksums'],
      ...['listen_addresses', 'server_encoding', 'TimeZone'],
    ];
    const values = await Promise.all(names.map((name) => ask<object>(url, `show "${name}"`)));
    expect(values.flatMap((rows) => Object.values(rows[0] ?? {}))).toEqual([
      ...['on', 'on', 'on', 'on'],
      ...['127.0.0.1', 'UTF8', 'UTC'],
    ]);
    expect(
      await ask(
        url,
        `select rolsuper, rolcreaterole, rolcreatedb, rolbypassrls, datlocprovider::text, datlocale
         from pg_roles, pg_database where rolname = current_user and datname = current_database()
           and datdba = pg_roles.oid`,
      ),
    ).toEqual([
      {
        ...{ rolsuper: false, rolcreaterole: true, rolcreatedb: false, rolbypassrls: false },
        ...{ datlocprovider: 'b', datlocale: 'C.UTF-8' },
      },
    ]);
    const wrong = new URL(url);
    wrong.password = 'wrong';
    await expect(ask(wrong.href, 'select 1')).rejects.toMatchObject({ code: '28P01' });
    expect(JSON.parse(await readFile(join(dataDir, 'database.json'), 'utf8'))).toEqual({ url });
    for (const file of ['database.json', 'postgres.json', 'postgres.log']) {
      expect([file, (await stat(join(dataDir, file))).mode & 0o777]).toEqual([file, 0o600]);
    }
    await ask(url, 'create table kept (word text); ');
    await ask(url, `insert into kept values ('一号')`);
  });
});

test('this process reaches it by a socket in a folder that the server’s user alone enters, by password too', async () => {
  await withServer(async ({ url, socketFolder = '' }) => {
    const { mode, uid } = await stat(socketFolder);
    expect(mode & 0o777).toBe(0o700);
    expect(uid).toBe((await stat(join(dataDir, 'postgres/data'))).uid);
    const database = connectDatabase({ url, max: 1, applicationName: 'test', socketFolder });
    expect(
      await database.transaction((tx) => tx.execute(sql`select inet_client_addr() as address`)),
    ).toEqual([{ address: null }]);
    await database.close();
    const wrong = new URL(url);
    wrong.password = 'wrong';
    const stranger = connectDatabase({
      ...{ url: wrong.href, max: 1, applicationName: 'test', socketFolder },
    });
    await expect(stranger.db.execute(sql`select 1`)).rejects.toMatchObject({
      cause: { code: '28P01' },
    });
    await stranger.close();
  });
});

test('a cluster made before there were sockets gets one; where the path is too long there is none', async () => {
  const doors = join(dataDir, 'postgres/data/pg_hba.conf');
  await writeFile(doors, 'host all all 127.0.0.1/32 scram-sha-256\n');
  // As a killed server leaves them; the pid is alive and a stranger's.
  const sockets = join(dataDir, 'postgres/sockets');
  const { port } = JSON.parse(await readFile(join(dataDir, 'postgres.json'), 'utf8'));
  await mkdir(sockets, { recursive: true });
  await writeFile(join(sockets, `.s.PGSQL.${port}.lock`), `${process.ppid}\n`);
  await withServer(async ({ url, socketFolder }) => {
    expect(socketFolder).toBe(sockets);
    const database = connectDatabase({ url, max: 1, applicationName: 'test', socketFolder });
    expect(await database.db.execute(sql`select 1 as one`)).toEqual([{ one: 1 }]);
    await database.close();
  });
  const deep = join(folder, 'a-name-that-is-long-enough-for-no-socket'.repeat(2));
  const server = await startEmbeddedPostgres({ dataDir: deep });
  try {
    expect(server.socketFolder).toBeUndefined();
    expect(await ask(server.url, 'select 1 as one')).toEqual([{ one: 1 }]);
  } finally {
    await server.close();
  }
});

test('a second start on a folder in use is refused and names the process', async () => {
  await withServer(async () => {
    await expect(startEmbeddedPostgres({ dataDir })).rejects.toMatchObject({
      kind: 'conflict',
      code: 'platform.already_running',
      detail: expect.stringContaining(`process ${process.pid}`),
    });
    const { child, said } = await startApart(dataDir);
    expect(said).toContain('platform.already_running');
    expect(said).toContain(`process ${process.pid}`);
    await eventually(() => child.exitCode === 1);
  });
});

test('the data are there after a stop, at the same address', async () => {
  const [first, second] = [
    await withServer(async ({ url }) => [url, await ask(url, 'select word from kept')]),
    await withServer(async ({ url }) => [url, await ask(url, 'select word from kept')]),
  ];
  expect(first).toEqual(second);
  expect(second[1]).toEqual([{ word: '一号' }]);
});

test('after kill -9 of the instance the next start replaces the server it left behind', async () => {
  const { child, said } = await startApart(dataDir);
  await ask(said, `insert into kept values ('before the kill')`);
  const left = await serverPid();
  await killHard(child);
  expect(isAlive(left)).toBe(true);
  await withServer(async ({ url }) => {
    expect(isAlive(left)).toBe(false);
    expect(await serverPid()).not.toBe(left);
    expect(await ask(url, 'select word from kept')).toHaveLength(2);
  });
});

test('after kill -9 of the instance and its server, what was committed is recovered', async () => {
  const { child, said } = await startApart(dataDir);
  await ask(said, `insert into kept values ('before the crash')`);
  const server = await serverPid();
  process.kill(server, 'SIGKILL');
  await killHard(child);
  await withServer(async ({ url }) => {
    expect(await ask(url, 'select word from kept')).toHaveLength(3);
  });
  expect(await readFile(join(dataDir, 'postgres.log'), 'utf8')).toContain(
    'database system was not properly shut down; automatic recovery in progress',
  );
});

test('Ctrl-C in the terminal reaches the instance, not its server', async () => {
  const { child, said } = await startApart(dataDir);
  const server = await serverPid();
  process.kill(-(child.pid ?? 0), 'SIGINT');
  expect(await ask(said, 'select count(*)::int as words from kept')).toEqual([{ words: 3 }]);
  child.stdin?.end();
  await eventually(() => child.exitCode === 0);
  expect(isAlive(server)).toBe(false);
});

test("a pid file that names a stranger's process does not block the start, nor harm the stranger", async () => {
  const stranger = spawn('sleep', ['60']);
  children.push(stranger);
  const pidFile = join(dataDir, 'postgres/data/postmaster.pid');
  await writeFile(pidFile, `${stranger.pid}\n${join(dataDir, 'postgres/data')}\n0\n5432\n\n\n\n`);
  await withServer(async ({ url }) => {
    expect(await ask(url, 'select 1 as one')).toEqual([{ one: 1 }]);
  });
  expect(isAlive(stranger.pid ?? 0)).toBe(true);
});

test('another port is taken and remembered when the last one is in use', async () => {
  const portOf = async () => {
    const { url } = JSON.parse(await readFile(join(dataDir, 'database.json'), 'utf8'));
    return Number(new URL(url).port);
  };
  const before = await portOf();
  const squatter = createServer().listen(before, '127.0.0.1');
  await once(squatter, 'listening');
  await withServer(async ({ url }) => {
    expect(await ask(url, 'select 1 as one')).toEqual([{ one: 1 }]);
    expect(await portOf()).not.toBe(before);
  });
  squatter.close();
  const after = await portOf();
  await withServer(async () => {
    expect(await portOf()).toBe(after);
  });
});

test('a pool and its listeners live through a restart of the server', async () => {
  const first = await startEmbeddedPostgres({ dataDir });
  const database = connectDatabase({ url: first.url, max: 2, applicationName: 'survivor' });
  const heard: string[] = [];
  await database.listen('words', (word) => heard.push(word));
  await first.close();
  // Some tries to come back fail before the server is there again.
  await expect(database.db.execute(sql`select 1`)).rejects.toThrow();
  const second = await startEmbeddedPostgres({ dataDir });
  expect(second.url).toBe(first.url);
  await eventually(() => heard.length > 0);
  await eventually(() => database.db.execute(sql`select pg_notify('words', 'back')`));
  await eventually(() => heard.includes('back'));
  expect(heard).toEqual(['', 'back']);
  await database.close();
  await second.close();
});

test('an unasked end of the server is told', async () => {
  let reason = '';
  const server = await startEmbeddedPostgres({
    dataDir,
    onLost: (why) => {
      reason = why;
    },
  });
  process.kill(await serverPid(), 'SIGINT');
  expect(await eventually(() => reason || undefined)).toMatch(/PostgreSQL ended unexpectedly/);
  await server.close();
});

test('lost files are refused, not replaced by an empty database', async () => {
  const refused = (dir: string) =>
    expect(startEmbeddedPostgres({ dataDir: dir })).rejects.toMatchObject({
      code: 'platform.database_not_started',
    });
  await rm(join(dataDir, 'postgres/data'), { recursive: true });
  await refused(dataDir);
  const other = join(folder, 'no-passwords');
  await mkdir(join(other, 'postgres/data'), { recursive: true });
  await refused(other);
  await writeFile(join(other, 'postgres.json'), '{');
  await refused(other);
});

describe.runIf(isRoot)('as root', () => {
  test('a folder that other users cannot enter keeps its database outside, and finds it again', async () => {
    const closed = join(folder, 'closed');
    await mkdir(closed, { mode: 0o700 });
    const hidden = join(closed, 'data');
    const start = () => startEmbeddedPostgres({ dataDir: hidden });
    const readHome = async () =>
      JSON.parse(await readFile(join(hidden, 'postgres.json'), 'utf8')).home as string; // a string by State
    const first = await start();
    await ask(first.url, 'create table kept (word text)');
    await first.close();
    const home = await readHome();
    try {
      expect(home).toMatch(/^\/(var\/lib|opt)\/yihao\/[0-9a-f]{16}$/);
      const again = await start();
      expect(await ask(again.url, 'select * from kept')).toEqual([]);
      await again.close();
      // A new beginning at the same place puts the earlier database aside.
      await rm(hidden, { recursive: true });
      const fresh = await start();
      expect(await readHome()).toBe(home);
      await expect(ask(fresh.url, 'select * from kept')).rejects.toMatchObject({ code: '42P01' });
      await fresh.close();
      expect((await stat(`${home}.old/data`)).isDirectory()).toBe(true);
    } finally {
      await rm(home, { recursive: true, force: true });
      await rm(`${home}.old`, { recursive: true, force: true });
    }
  });

  test('the server runs as the owner of its files, never as root', async () => {
    const dir = join(folder, 'runs-as');
    const server = await startEmbeddedPostgres({ dataDir: dir, isDurable: false });
    const { uid } = await stat(join(dir, 'postgres/data'));
    const pid = Number.parseInt(
      await readFile(join(dir, 'postgres/data/postmaster.pid'), 'utf8'),
      10,
    );
    const status = await readFile(`/proc/${pid}/status`, 'utf8');
    expect(/^Uid:\t(\d+)\t(\d+)/m.exec(status)?.slice(1)).toEqual([String(uid), String(uid)]);
    expect(uid).not.toBe(0);
    await server.close();
  });
});
