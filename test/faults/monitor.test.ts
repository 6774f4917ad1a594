// A monitor as anyone runs it, against a log served over HTTP: what it proves, and what it writes down.
import { spawn } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { signCheckpoint } from '../../audit/checkpoint.ts';
import { type Audit, Evidence, judgeEvidence, parseTilePath } from '../../audit/index.ts';
import { aDraft, aLog, aSigner, origin, signer, write } from '../integration/audit/a-log.ts';
import { withDatabase } from '../support/database.ts';
import { eventually } from '../support/eventually.ts';

const { database, logDatabase } = withDatabase();
let audit: Audit;
let server: Server;
let url: string;
let dir: string;
/** Shown in place of the log's own checkpoint, as a dishonest operator would. */
let shownInstead: string | undefined;

beforeAll(async () => {
  audit = aLog({ database, logDatabase });
  await audit.startSequencer();
  server = createServer(async (request, response) => {
    const path = request.url ?? '';
    const address = parseTilePath(path.replace('/log/tile/', ''));
    const body =
      path === '/log/checkpoint'
        ? (shownInstead ?? (await audit.checkpoint()))
        : address && (await audit.tile(address.level, address.n, address.width));
    response.writeHead(body ? 200 : 404).end(body ?? '');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}/log`;
});
afterAll(async () => {
  server.close();
  await audit.stop();
});
beforeEach(async () => {
  shownInstead = undefined;
  dir = await mkdtemp(join(tmpdir(), 'yihao-monitor-'));
  return () => rm(dir, { recursive: true });
});

const cli = join(import.meta.dirname, '..', '..', 'cli', 'yihao.ts');

function monitor(...args: string[]): Promise<{ code: number; output: string }> {
  const child = spawn(
    process.execPath,
    ['--import', 'tsx', cli, 'monitor', '--log', audit.vkey, ...args],
    {
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk) => {
      output += String(chunk);
    });
  }
  return new Promise((resolve) => {
    child.once('close', (code) => resolve({ code: code ?? -1, output }));
  });
}

const look = () => monitor('--url', url, '--dir', dir, '--once');

async function grow(entries: number): Promise<string> {
  await write(
    audit,
    database,
    Array.from({ length: entries }, () => aDraft()),
  );
  const { size } = await audit.head();
  return eventually(async () => {
    const note = await audit.checkpoint();
    return note?.split('\n')[1] === String(size) ? note : null;
  });
}

async function evidence(): Promise<Evidence> {
  const [file = ''] = (await readdir(dir)).filter((name) => name.startsWith('evidence-'));
  return Evidence.parse(JSON.parse(await readFile(join(dir, file), 'utf8')));
}

test('an honest log is followed from the first look on', async () => {
  const first = Number((await grow(300)).split('\n')[1]);
  expect(await look()).toEqual({
    code: 0,
    output: expect.stringContaining(`has ${first} entries`),
  });
  await grow(700);
  expect(await look()).toEqual({
    code: 0,
    output: expect.stringContaining(`Grown from ${first} to ${first + 700} entries`),
  });
  expect(await look()).toEqual({ code: 0, output: '' });
}, 60_000);

test('a changed history is written down, and the file convicts the log without it', async () => {
  await grow(3);
  const { size } = await audit.head();
  // What the monitor saw before: another tree, signed by the log's own key.
  shownInstead = signCheckpoint(origin, { size: size - 2, root: Buffer.alloc(32, 7) }, signer);
  await look();
  shownInstead = undefined;
  const { code, output } = await look();
  expect([code, output]).toEqual([
    1,
    expect.stringContaining(`whose first ${size - 2} are not those`),
  ]);
  const found = await evidence();
  expect(found.kind).toBe('fork');
  const file = join(dir, 'copy.json');
  await writeFile(file, JSON.stringify(found));
  expect((await monitor('--evidence', file)).code).toBe(0);
  // Nobody can make such a file against an honest log.
  const honest = { ...found, known: found.shown };
  expect(judgeEvidence(honest, audit.vkey)).toBeUndefined();
  const hashes = found.subtrees ?? { before: [], after: [] };
  for (const subtrees of [
    undefined,
    { ...hashes, before: hashes.after },
    { before: [], after: [] },
  ]) {
    expect(judgeEvidence({ ...found, subtrees }, audit.vkey)).toBeUndefined();
  }
  const foreign = signCheckpoint(origin, { size: 1, root: Buffer.alloc(32, 7) }, aSigner());
  expect(() => judgeEvidence({ ...found, known: foreign }, audit.vkey)).toThrow(
    'audit.note_invalid',
  );
}, 60_000);

test('two trees of one size are written down', async () => {
  const note = await grow(1);
  await look();
  const size = Number(note.split('\n')[1]);
  shownInstead = signCheckpoint(origin, { size, root: Buffer.alloc(32, 7) }, signer);
  expect((await look()).code).toBe(1);
  expect((await evidence()).kind).toBe('two_roots');
}, 60_000);

test('a log that shows fewer entries than it signed is written down, when it stays so', async () => {
  const older = await audit.checkpoint();
  await grow(1);
  await look();
  shownInstead = older ?? undefined;
  const { code, output } = await look();
  expect([code, output]).toEqual([1, expect.stringContaining('though it had signed')]);
  expect((await evidence()).kind).toBe('rollback');
}, 60_000);

test('a log that can’t be reached is no evidence', async () => {
  const { code, output } = await monitor('--url', 'http://127.0.0.1:1', '--dir', dir, '--once');
  expect([code, output]).toEqual([0, expect.stringContaining('Not seen this time')]);
}, 60_000);
