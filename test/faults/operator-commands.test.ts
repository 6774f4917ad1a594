// `yihao operators restore` and `reset` as an operator types them: processes of their own, over a new
// database that the first of them brings up.
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { openSession } from '../../platform/database-url.ts';
import { systemIds } from '../../platform/index.ts';
import { testKeys } from '../support/keys.ts';
import { runYihao } from '../support/yihao-command.ts';

const server = inject('testServer');
if ('failure' in server) throw new Error(server.failure);
const { serverUrl } = server;
const name = `yihao_op_${systemIds.bytes(4).toString('hex')}`;
const url = new URL(serverUrl);
url.pathname = `/${name}`;
const databaseUrl = url.href;
let dataDir: string;

async function run(at: string, ...statements: string[]): Promise<object[]> {
  const sql = openSession(at);
  try {
    let rows: object[] = [];
    for (const statement of statements) rows = Array.from(await sql.unsafe(statement));
    return rows;
  } finally {
    await sql.end({ timeout: 1 });
  }
}

const operators = (...words: string[]) =>
  runYihao(['operators', ...words], {
    settings: {
      DATA_DIR: dataDir,
      KEYS_DIR: join(dataDir, 'keys'),
      DATABASE_URL: databaseUrl,
      PUBLIC_URL: 'http://localhost:4100',
      SAMPLE: 'none',
    },
  });
const restore = (first: string, second: string, ...more: string[]) =>
  operators('restore', '--operator', first, '--operator', second, '--reason', '任期届满', ...more);

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'yihao-operators-'));
  const { keysDir } = await testKeys();
  await cp(keysDir, join(dataDir, 'keys'), {
    recursive: true,
    filter: (path) => basename(path) !== 'database-roles.json',
  });
  await run(serverUrl, `create database ${name}`);
  const made = await operators(
    ...['init', '--organisation', 'govsvc', '--uscc', '11990100009900152J'],
    ...['--name-zh', '云珠市政务服务和数据管理局', '--name-en', 'Yunzhu Government Services'],
    ...['--operator', 'wang', '--operator', 'li'],
  );
  expect([made.code, made.out]).toEqual([0, expect.stringContaining('wang and li')]);
}, 300_000);

afterAll(async () => {
  await run(
    serverUrl,
    `drop database if exists ${name} with (force)`,
    `drop role if exists ${name}_app`,
    `drop role if exists ${name}_log`,
  );
  await rm(dataDir, { recursive: true, force: true });
});

test('operators are named anew by one command once grants have run out, and not before', async () => {
  const early = await restore('wang', 'li');
  expect([early.code, early.out]).toEqual([1, '']);
  expect(early.err).toContain('Two operators can decide');
  expect(early.err).not.toMatch(/^\s+at /m);
  await run(
    databaseUrl,
    `update identity.role_grants set valid_from = '2020-01-01', valid_to = '2020-12-31'`,
  );
  const unknown = await restore('wang', 'newcomer');
  expect([unknown.code, unknown.out]).toEqual([1, '']);
  expect(unknown.err).toContain('say in which organisation');
  const done = await restore('wang', 'newcomer', '--organisation', 'govsvc');
  expect([done.code, done.err]).toEqual([0, '']);
  expect(done.out).toContain('wang and newcomer are operators from now on. The log says so.');
  expect(done.out).toMatch(/newcomer: hand over this link.+\n {2}http:\/\/localhost:4100\/\S+#/);
  const [named] = await run(
    databaseUrl,
    `select count(*)::int as n from audit.stage where position('"role.restored"'::bytea in leaf) > 0`,
  );
  expect(named).toEqual({ n: 2 });
}, 300_000);

test('of two operators one gets another link, by a command that says why', async () => {
  const none = await operators('reset', 'nobody', '--reason', '钥匙丢失');
  expect([none.code, none.out]).toEqual([1, '']);
  expect(none.err).toContain('There is no such operator here.');
  expect((await operators('reset', 'wang')).code).toBe(2);
  const done = await operators('reset', 'wang', '--reason', '钥匙丢失');
  expect([done.code, done.err]).toEqual([0, '']);
  expect(done.out).toContain('The passkeys and sessions of wang have ended. The log says so.');
  expect(done.out).toContain('wang: hand over this link');
}, 300_000);
