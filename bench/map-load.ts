// `npm run bench:map [-- SUBJECTS]`: what an edition of the map of looks costs by the distinct subjects in it, what
// a proof costs, and what it costs to check. On an embedded PostgreSQL of its own, fsync on.
import { generateKeyPairSync, hash, sign } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import postgres from 'postgres';
import { createAudit, type MapKey } from '../audit/index.ts';
import {
  connectDatabase,
  createLogger,
  migrate,
  migrateQueue,
  startEmbeddedPostgres,
  systemClock,
  systemIds,
} from '../platform/index.ts';
import { openVrf } from '../signing/index.ts';
import { verifyCompleteness } from '../verifier/index.ts';
import { machine } from './own-house.ts';

const subjects = Number(process.argv[2] ?? 50_000);
const sizes = [1, 10, 100, 1_000, 10_000];
const tagOf = (n: number) => hash('sha256', `subject ${n}`, 'buffer');

const dataDir = await mkdtemp(join(tmpdir(), 'yihao-bench-map-'));
const server = await startEmbeddedPostgres({ dataDir });
const roles = { app: systemIds.token(24), log: systemIds.token(24) };
const { appUrl, logUrl } = await migrate({ ownerUrl: server.url, roles, extra: migrateQueue });
const database = connectDatabase({ url: appUrl, max: 8, applicationName: 'bench-app' });
const logDatabase = connectDatabase({ url: logUrl, max: 3, applicationName: 'bench-log' });
const owner = postgres(server.url, { max: 1, onnotice: () => {} });

const vrf = openVrf(systemIds.bytes(32));
// A label costs the same whatever the map's size; for the many subjects that only fill it, a plain hash will do.
let isFilling = true;
const key: MapKey = {
  ...vrf,
  output: (tag) => (isFilling ? hash('sha512', tag, 'buffer') : vrf.output(tag)),
};
const { publicKey, privateKey } = generateKeyPairSync('ed25519');
const audit = createAudit({
  database,
  logDatabase,
  clock: systemClock,
  ids: systemIds,
  logger: createLogger({ level: 'error' }),
  signer: {
    publicKey: publicKey.export({ format: 'der', type: 'spki' }).subarray(-32),
    sign: (bytes) => sign(null, bytes, privateKey),
  },
  origin: 'bench.example/log',
  map: { key, everyMs: null },
});

const look = (n: number) => ({
  type: 'bench.looked',
  outcome: 'ok' as const,
  department: 'housing',
  actor: 'bench',
  commitments: {},
  tags: { subject: tagOf(n) },
});

/** Puts looks at these subjects into the tree. */
async function write(numbers: readonly number[]): Promise<void> {
  for (let at = 0; at < numbers.length; at += 10_000) {
    const drafts = numbers.slice(at, at + 10_000).map(look);
    const staged = await database.transaction((tx) => audit.appendMany(tx, drafts));
    const last = staged.at(-1);
    if (last) await audit.sequenced([last.stageId], 60_000);
  }
}

async function timed<T>(act: () => Promise<T>): Promise<{ ms: number; result: T }> {
  const start = performance.now();
  const result = await act();
  return { ms: performance.now() - start, result };
}

async function written(edition: number): Promise<{ pages: number; bytes: number }> {
  const [row] = await owner<{ pages: number; bytes: number }[]>`
    select count(*)::int as pages, coalesce(sum(octet_length(children)), 0)::int as bytes
    from audit.map_pages where edition = ${edition}`;
  return row ?? { pages: 0, bytes: 0 };
}

try {
  await audit.startSequencer();
  console.log(machine());
  await write(Array.from({ length: subjects }, (_, n) => n));
  const fill = await timed(() => audit.publishMap());
  console.log(
    `${subjects} subjects taken in, without their labels: ${(subjects / fill.ms) * 1000} per s`,
  );

  console.log(
    '\n| distinct subjects | entries | ms | ms per subject | pages | KB |\n|---|---|---|---|---|---|',
  );
  const measure = async (count: number, each: number) => {
    const offset = systemIds.int(subjects);
    await write(
      Array.from({ length: count * each }, (_, n) => (offset + (n % count) * 7) % subjects),
    );
    const { ms, result = 0 } = await timed(() => audit.publishMap());
    const { pages, bytes } = await written(result);
    console.log(
      `| ${count} | ${count * each} | ${ms.toFixed(0)} | ${(ms / count).toFixed(3)} | ${pages} | ${(bytes / 1024).toFixed(0)} |`,
    );
  };
  for (const count of sizes.filter((size) => size <= subjects)) await measure(count, 1);
  await measure(100, 100);
  await measure(1, 10_000);

  isFilling = false;
  const fresh = Array.from({ length: 50 }, (_, n) => subjects + n);
  const labels = await timed(async () => fresh.map((n) => vrf.output(tagOf(n))));
  console.log(`\nlabel of a new subject: ${(labels.ms / fresh.length).toFixed(2)} ms`);

  console.log('\n| list of | proof ms | proof KB | check ms |\n|---|---|---|---|');
  for (const [subject, more] of [
    [subjects + 1, 1],
    [subjects + 2, 1_000],
    [subjects + 3, 100_000],
  ] as const) {
    await write(Array.from({ length: more }, () => subject));
    const edition = await audit.publishMap();
    const tag = tagOf(subject);
    for (let tries = 0; tries < 600; tries++) {
      const proven = await audit.proveCompleteness(tag).catch(() => undefined);
      if (proven?.statement.edition === edition) break;
      await wait(50);
    }
    const { ms, result } = await timed(() => audit.proveCompleteness(tag));
    const check = await timed(() => verifyCompleteness(result.proof, audit.vkey));
    if (!check.result.valid) throw new Error(check.result.reasons.join());
    const size = JSON.stringify(result.proof).length / 1024;
    console.log(
      `| ${result.indexes.length} | ${ms.toFixed(0)} | ${size.toFixed(1)} | ${check.ms.toFixed(0)} |`,
    );
  }
} finally {
  await audit.stop();
  await Promise.all([database.close(), logDatabase.close(), owner.end()]);
  await server.close();
  await rm(dataDir, { recursive: true, force: true });
}
