import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, inject, test } from 'vitest';
import { openSession } from '../../../platform/database-url.ts';
import { migrate, systemIds } from '../../../platform/index.ts';

const server = inject('testServer');
if ('failure' in server) throw new Error(server.failure);
const { serverUrl } = server;
const run = systemIds.bytes(3).toString('hex');
const made: string[] = [];
const roles: string[] = [];
let folder: string;
let ownerUrl: string;

function urlOf(url: string, database: string, user?: string, password?: string): string {
  const changed = new URL(url);
  changed.pathname = `/${encodeURIComponent(database)}`;
  if (user !== undefined) changed.username = user;
  if (password !== undefined) changed.password = password;
  return changed.href;
}

async function ask(url: string, text: string): Promise<object[]> {
  const sql = openSession(url);
  try {
    return Array.from(await sql.unsafe(text));
  } finally {
    await sql.end({ timeout: 1 });
  }
}

const quoted = (name: string) => `"${name.replaceAll('"', '""')}"`;

async function newDatabase(name = `yihao_m${run}_${made.length}`): Promise<string> {
  made.push(name);
  await ask(serverUrl, `create database ${quoted(name)}`);
  return urlOf(serverUrl, name);
}

async function newOwner(attributes: string): Promise<string> {
  const role = `yihao_o${run}_${roles.length}`;
  roles.push(role);
  await ask(serverUrl, `create role ${role} login password 'secret' ${attributes}`);
  return role;
}

const put = (name: string, text: string) => writeFile(join(folder, 'sql', name), text);
const bring = (options: Partial<Parameters<typeof migrate>[0]> = {}) =>
  migrate({
    ownerUrl,
    roles: { keysDir: join(folder, 'keys') },
    migrationsDir: join(folder, 'sql'),
    ...options,
  });
const applied = async () =>
  (await ask(ownerUrl, 'select name from platform.migrations order by applied_at')).flatMap(
    Object.values,
  );

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'yihao-migrate-'));
  await mkdir(join(folder, 'sql'));
  ownerUrl = await newDatabase();
  await put(
    '0001_first.sql',
    'create table platform.first (id int); grant select on platform.first to :"app";',
  );
  await put(
    '0002_second.sql',
    'create table platform.second (id int); grant insert on platform.second to :"log";',
  );
});

afterEach(() => rm(folder, { recursive: true }));

afterAll(async () => {
  for (const name of made) {
    await ask(serverUrl, `drop database if exists ${quoted(name)} with (force)`);
    for (const kind of ['app', 'log']) {
      await ask(serverUrl, `drop role if exists ${quoted(`${name}_${kind}`)}`);
    }
  }
  for (const role of roles) await ask(serverUrl, `drop role ${role}`);
});

test('files are applied in order, once, and their roles can sign in and do what was granted', async () => {
  const lines: string[] = [];
  const first = await bring({ onProgress: (line) => lines.push(line) });
  const second = await bring({ onProgress: (line) => lines.push(line) });
  expect(lines).toEqual(['Applying 0001_first.sql', 'Applying 0002_second.sql']);
  expect(second).toEqual(first);
  expect(await ask(first.appUrl, 'select * from platform.first')).toEqual([]);
  await ask(first.logUrl, 'insert into platform.second values (1)');
  for (const [url, text] of [
    [first.appUrl, 'insert into platform.second values (1)'],
    [first.logUrl, 'select * from platform.first'],
    [first.appUrl, 'create table platform.mine (id int)'],
  ] as const) {
    await expect(ask(url, text)).rejects.toMatchObject({ code: '42501' });
  }
  expect((await stat(join(folder, 'keys/database-roles.json'))).mode & 0o777).toBe(0o600);
});

test('a file that changed after it was applied is refused, and nothing else is applied', async () => {
  await bring();
  await put('0002_second.sql', 'create table platform.other (id int);');
  await put('0003_third.sql', 'create table platform.third (id int);');
  await expect(bring()).rejects.toMatchObject({
    code: 'platform.migration_changed',
    detail: expect.stringContaining('0002_second.sql'),
  });
  expect(await applied()).toEqual(['0001_first.sql', '0002_second.sql']);
});

test('a file that fails leaves nothing of itself, keeps those before it, and says where', async () => {
  await put(
    '0003_third.sql',
    'create table platform.third (id int);\n\nselect * from platform.nowhere;',
  );
  await expect(bring()).rejects.toMatchObject({
    code: 'platform.migration_failed',
    detail: expect.stringMatching(/^0003_third\.sql line 3: .*nowhere/),
  });
  expect(await applied()).toEqual(['0001_first.sql', '0002_second.sql']);
  await put('0003_third.sql', 'create table platform.third (id int);');
  await bring();
  expect(await applied()).toEqual(['0001_first.sql', '0002_second.sql', '0003_third.sql']);
});

test('a file that does not say in which schema things go is refused', async () => {
  await put('0003_third.sql', 'create table third (id int);');
  await expect(bring()).rejects.toMatchObject({ code: 'platform.migration_failed' });
});

test('a file with another kind of name is refused before anything happens', async () => {
  await put('3_third.sql', '');
  await expect(bring()).rejects.toMatchObject({ code: 'platform.migration_failed' });
  await expect(applied()).rejects.toMatchObject({ code: '42P01' });
});

test('of migrators that start at one moment each file is applied by one', async () => {
  const results = await Promise.all([bring(), bring(), bring()]);
  expect(new Set(results.map(({ appUrl }) => appUrl)).size).toBe(1);
  expect(await applied()).toEqual(['0001_first.sql', '0002_second.sql']);
});

test('the hook for libraries runs after our files, as owner, with the name of the app role', async () => {
  let seen: unknown;
  await bring({
    extra: async (url, appRole) => {
      seen = { url, appRole, applied: await applied() };
    },
  });
  expect(seen).toEqual({
    url: ownerUrl,
    appRole: `${new URL(ownerUrl).pathname.slice(1)}_app`,
    applied: ['0001_first.sql', '0002_second.sql'],
  });
});

test('odd database names are quoted; one too long for its roles is refused', async () => {
  ownerUrl = await newDatabase(`Yi-hao "${run}" 一号`);
  const { appUrl } = await bring();
  expect(await ask(appUrl, 'select current_user as name')).toEqual([
    { name: `Yi-hao "${run}" 一号_app` },
  ]);
  await expect(bring({ ownerUrl: urlOf(serverUrl, 'x'.repeat(60)) })).rejects.toMatchObject({
    code: 'platform.database_unfit',
  });
});

test('a password that was changed behind our back is set again; a lost file gets new ones', async () => {
  const { appUrl } = await bring();
  const role = new URL(appUrl).username;
  await ask(ownerUrl, `alter role ${role} password 'another'`);
  await expect(ask(appUrl, 'select 1')).rejects.toMatchObject({ code: '28P01' });
  expect((await bring()).appUrl).toBe(appUrl);
  expect(await ask(appUrl, 'select 1 as one')).toEqual([{ one: 1 }]);
  await rm(join(folder, 'keys/database-roles.json'));
  const anew = await bring();
  expect(anew.appUrl).not.toBe(appUrl);
  expect(await ask(anew.appUrl, 'select 1 as one')).toEqual([{ one: 1 }]);
  await writeFile(join(folder, 'keys/database-roles.json'), '{}');
  await expect(bring()).rejects.toMatchObject({ code: 'platform.database_unfit' });
});

describe('an owner', () => {
  test('with CREATEROLE and no other right than its own database suffices', async () => {
    const role = await newOwner('createrole nocreatedb nosuperuser');
    const name = `yihao_m${run}_${made.length}`;
    await newDatabase(name);
    await ask(serverUrl, `grant ${role} to current_user`).catch(() => {});
    await ask(serverUrl, `alter database ${name} owner to ${role}`);
    ownerUrl = urlOf(serverUrl, name, role, 'secret');
    const { appUrl } = await bring();
    expect(await bring()).toMatchObject({ appUrl });
    expect(await ask(appUrl, 'select * from platform.first')).toEqual([]);
  });

  test('without CREATEROLE needs the roles made for it', async () => {
    const role = await newOwner('nocreaterole');
    const name = `yihao_m${run}_${made.length}`;
    await newDatabase(name);
    await ask(serverUrl, `grant ${role} to current_user`).catch(() => {});
    await ask(serverUrl, `alter database ${name} owner to ${role}`);
    ownerUrl = urlOf(serverUrl, name, role, 'secret');
    await expect(bring()).rejects.toMatchObject({ code: 'platform.database_unfit' });
    const { app, log } = JSON.parse(
      await readFile(join(folder, 'keys/database-roles.json'), 'utf8'),
    );
    await ask(serverUrl, `create role ${name}_app login password '${app}'`);
    await ask(serverUrl, `create role ${name}_log login password '${log}'`);
    const { appUrl } = await bring();
    expect(await ask(appUrl, 'select * from platform.first')).toEqual([]);
  });

  test('that may not make schemas is told that it must own the database', async () => {
    const role = await newOwner('createrole');
    const url = urlOf(ownerUrl, new URL(ownerUrl).pathname.slice(1), role, 'secret');
    await expect(bring({ ownerUrl: url })).rejects.toMatchObject({
      code: 'platform.database_unfit',
      detail: expect.stringContaining('must own the database'),
    });
  });

  test('keeps strangers out of the database', async () => {
    const role = await newOwner('');
    const url = urlOf(ownerUrl, new URL(ownerUrl).pathname.slice(1), role, 'secret');
    expect(await ask(url, 'select 1 as one')).toEqual([{ one: 1 }]);
    await bring();
    await expect(ask(url, 'select 1')).rejects.toMatchObject({ code: '42501' });
  });
});

test('a database that is ahead of the code is left as it is', async () => {
  await bring();
  await rm(join(folder, 'sql/0002_second.sql'));
  await bring();
  expect(await applied()).toEqual(['0001_first.sql', '0002_second.sql']);
});
