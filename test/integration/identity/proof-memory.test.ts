// The memory of proofs over a real crash of PostgreSQL: it is empty afterwards, and nothing that was used
// before is taken for new.
import { mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sql } from 'drizzle-orm';
import { afterAll, beforeAll, expect, it } from 'vitest';
import {
  AppError,
  connectDatabase,
  type Database,
  type EmbeddedPostgres,
  migrate,
  selectRows,
  startEmbeddedPostgres,
} from '../../../platform/index.ts';
import { eventually } from '../../support/eventually.ts';
import { makeIdentity, makeKeys, PUBLIC_URL } from './house.ts';
import { getToken, listen, makeMachineClient } from './machine-client.ts';

let folder: string;
let server: EmbeddedPostgres;
let database: Database;

beforeAll(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), 'yihao-proofs-')));
  server = await startEmbeddedPostgres({ dataDir: join(folder, 'data') });
  const keysDir = join(folder, 'keys');
  const { appUrl } = await migrate({ ownerUrl: server.url, roles: { keysDir } });
  database = connectDatabase({ url: appUrl, max: 4, applicationName: 'proofs' });
});

afterAll(async () => {
  await database?.close();
  await server?.close();
  await rm(folder, { recursive: true, force: true });
});

async function codeOf(act: Promise<unknown>): Promise<string> {
  return act.then(
    () => 'let in',
    (error: unknown) => (error instanceof AppError ? error.message : String(error)),
  );
}

it('a proof from before the crash is refused after it, and one made since is taken', async () => {
  const identity = makeIdentity(database, { keys: makeKeys() });
  await identity.start();
  const client = await makeMachineClient(identity, database);
  const { url, close } = await listen(identity);
  const token = await getToken(url, client);
  const target = { method: 'GET', url: `${PUBLIC_URL}/v1/me`, token };
  const enter = (dpop: string) =>
    codeOf(
      identity.authenticateRequest({
        authorization: `DPoP ${token}`,
        dpop,
        method: target.method,
        url: target.url,
      }),
    );
  const used = await client.proof({}, target);
  const unused = await client.proof({}, target);
  expect(await enter(used)).toBe('let in');
  expect(await enter(used)).toContain('has been used before');

  // A backend that dies by SIGKILL makes the server recover as from a power cut.
  const [{ pid } = { pid: 0 }] = await selectRows<{ pid: number }>(
    database.db,
    sql`select pg_backend_pid() as pid`,
  );
  process.kill(pid, 'SIGKILL');
  const remembered = async () => {
    const rows = await selectRows<{ proofs: number }>(
      database.db,
      sql`select count(*)::int as proofs from identity.dpop_proofs`,
    ).catch(() => []);
    return rows[0]?.proofs;
  };
  await eventually(async () => (await remembered()) === 0, { timeoutMs: 20_000 });

  // What was made in the very second of the new epoch can't be told from what came after it.
  const second = Math.floor(Date.now() / 1000);
  await eventually(() => Math.floor(Date.now() / 1000) > second);
  expect(await enter(used)).toContain('older than the memory of proofs');
  expect(await enter(used)).toContain('has been used before');
  expect(await enter(unused)).toContain('older than the memory of proofs');
  expect(await enter(await client.proof({}, target))).toBe('let in');
  close();
});
