// `witness`: what any department can run to keep the log honest. One process with a key and a disk of
// its own; it needs no database, and nothing of the house but the log's public key (C2SP tlog-witness).
import { createPrivateKey, createPublicKey, generateKeyPairSync, sign } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import { join } from 'node:path';
import { z } from 'zod';
import {
  createWitness,
  followKeys,
  keysInUse,
  type NoteSigner,
  type NoteVerifier,
  parseVkey,
  type WitnessRecords,
  type WitnessReply,
} from '../audit/index.ts';
import {
  createLogger,
  createShutdown,
  lockInstance,
  readIfThere,
  replaceFile,
  systemClock,
} from '../platform/index.ts';
import { type Command, readArgs, UsageError } from './command.ts';
import { readVkey } from './vkey-argument.ts';

/** Far more than 63 hashes and a checkpoint with many signatures. */
const longestBody = 65_536;
const lookEveryMs = 60_000;

export const witnessCommand: Command = {
  name: 'witness',
  summary: 'Watch logs, and sign their checkpoints while they only grow',
  help: `witness --log VKEY [--log VKEY …] [--dir DIR] [--name NAME] [--port N] [--host H]
        [--keys URL …]

Runs until Ctrl-C. Signs a checkpoint of a named log only if it grows out of the one signed before,
which stands on disk before the signature leaves (C2SP tlog-witness: POST /add-checkpoint, GET
/<origin hash>/checkpoint). Run it on a machine the log's operator has no power over: that is its point.

  --log VKEY   a log to watch: its key (from its /log/vkey) or a file that holds it
  --keys URL   where a watched log publishes its keys (its /log/vkeys): a key that a watched one leads to
               under the same name counts too, looked up at the start and every minute. A new name,
               after a restore that lost entries, never does: decide on it, and add its --log
  --dir DIR    its key, made on the first start, and its records, mode 0700 (default .witness)
  --name NAME  the name of its key, usually its address without the scheme (default HOST:PORT/witness);
               kept with the key, and never changed
  --port N     (default 4110), --host H (default 127.0.0.1)

The first line printed is what the log's operator puts into the file that LOG_POLICY names.
Keep a backup of the key, but never start from an old copy of the records: a witness that forgets
would sign a second history.`,
  async run(args) {
    const { values } = readArgs(args, {
      log: { type: 'string', multiple: true },
      keys: { type: 'string', multiple: true },
      dir: { type: 'string', default: '.witness' },
      name: { type: 'string' },
      port: { type: 'string', default: '4110' },
      host: { type: 'string', default: '127.0.0.1' },
    });
    const port = Number(values.port);
    if (!Number.isInteger(port) || port < 0 || port > 65_535) throw new UsageError('No such port.');
    if (!values.log) throw new UsageError('Say which --log to watch.');
    const vkeys = await Promise.all(values.log.map(readVkey));
    const logs = watchedKeys(vkeys, values.keys ?? []);
    await logs.look();
    await mkdir(values.dir, { recursive: true, mode: 0o700 });
    const lock = await lockInstance(values.dir);
    const key = await holdKey(values.dir, values.name ?? `${values.host}:${port}/witness`);
    const witness = createWitness({
      ...key,
      logs: logs.now,
      records: recordsIn(values.dir),
      clock: systemClock,
    });
    const server = witnessServer(witness);
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, values.host, resolve);
    });
    const address = server.address();
    const at = typeof address === 'object' && address ? address.port : port;
    console.log(
      `witness ${key.name.replaceAll(/\W+/g, '-')} ${witness.vkey} http://${values.host}:${at}`,
    );
    console.log(
      `Watching ${[...new Set(logs.now().map(({ name }) => name))].join(', ')}; records in ${values.dir}`,
    );
    const shutdown = createShutdown({ logger: createLogger({ level: 'warn' }) });
    const looking = setInterval(() => void logs.look(), lookEveryMs);
    shutdown.onClose('keys', () => clearInterval(looking));
    shutdown.onClose('lock', () => lock.release());
    shutdown.onClose('http', () => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    });
    shutdown.listen();
    return new Promise<number>(() => {});
  },
};

/** The keys that were given, and those of the same names that they lead to. */
function watchedKeys(vkeys: readonly string[], urls: readonly string[]) {
  const given = vkeys.map((vkey) => parseVkey(vkey));
  let now: readonly NoteVerifier[] = given;
  return {
    now: () => now,
    /** Looks the lists up; one that can't be read or doesn't hold changes nothing. */
    async look(): Promise<void> {
      const found = await Promise.all(
        urls.map((url) =>
          readKeyList(url, vkeys).catch((error: unknown) => {
            console.error(`${url}: ${error instanceof Error ? error.message : String(error)}`);
            return [];
          }),
        ),
      );
      // What a list says of a log's keys replaces what was said of them before: a retired key is one no more.
      for (const keys of found.filter(({ length }) => length > 0)) {
        now = [...now.filter(({ name }) => name !== keys[0]?.name), ...keys];
      }
    },
  };
}

async function readKeyList(url: string, vkeys: readonly string[]): Promise<NoteVerifier[]> {
  const reply = await fetch(url, { signal: AbortSignal.timeout(10_000), redirect: 'error' });
  if (!reply.ok) throw new Error(`answers ${reply.status}`);
  const text = await reply.text();
  for (const vkey of vkeys) {
    try {
      const { epochs } = followKeys(vkey, text);
      const { name } = parseVkey(vkey);
      return epochs
        .filter(({ origin }) => origin === name)
        .flatMap((epoch) => keysInUse(epoch).map(({ verifier }) => verifier));
    } catch {
      // Of another log, perhaps.
    }
  }
  throw new Error('no watched key leads to this list');
}

const KeyFile = z.object({ name: z.string(), pem: z.string() });

/** The key of the folder with its name; made when there is none yet. */
async function holdKey(dir: string, name: string): Promise<{ name: string; signer: NoteSigner }> {
  const path = join(dir, 'witness.key.json');
  const kept = await readIfThere(path);
  if (kept === undefined) {
    const { privateKey } = generateKeyPairSync('ed25519');
    const pem = privateKey.export({ format: 'pem', type: 'pkcs8' });
    await replaceFile(path, `${JSON.stringify({ name, pem })}\n`);
    return holdKey(dir, name);
  }
  const { name: own, pem } = KeyFile.parse(JSON.parse(kept));
  const privateKey = createPrivateKey(pem);
  const spki = createPublicKey(privateKey).export({ format: 'der', type: 'spki' });
  const signer = {
    publicKey: spki.subarray(-32),
    sign: (bytes: Buffer) => sign(null, bytes, privateKey),
  };
  return { name: own, signer };
}

/** One file a log, named by the hash of its origin. */
function recordsIn(dir: string): WitnessRecords {
  const pathOf = (originHash: string) => join(dir, `${originHash}.checkpoint`);
  return {
    find: (originHash) => readIfThere(pathOf(originHash)),
    keep: (originHash, note) => replaceFile(pathOf(originHash), note),
  };
}

function witnessServer(witness: ReturnType<typeof createWitness>): Server {
  const server = createServer((request, response) => {
    const answer = (status: number, contentType: string, body: string) => {
      response.writeHead(status, { 'Content-Type': contentType, 'Cache-Control': 'no-store' });
      response.end(body);
    };
    reply(witness, request).then(
      ({ status, contentType, body }) => answer(status, contentType, body),
      (error: unknown) => {
        // Nothing was signed: what could not be kept is not let out.
        console.error(error);
        answer(500, 'text/plain; charset=utf-8', 'The witness could not keep its record.\n');
      },
    );
  });
  server.requestTimeout = 10_000;
  server.headersTimeout = 5000;
  return server;
}

async function reply(
  witness: ReturnType<typeof createWitness>,
  request: IncomingMessage,
): Promise<WitnessReply | { status: number; contentType: string; body: string }> {
  const { pathname } = new URL(request.url ?? '/', 'http://witness');
  const originHash = /^\/([0-9a-f]{64})\/checkpoint$/.exec(pathname)?.[1];
  if (request.method === 'GET' && originHash) return witness.checkpoint(originHash);
  if (request.method === 'POST' && pathname === '/add-checkpoint') {
    const body = await readBody(request);
    if (body !== undefined) return witness.addCheckpoint(body);
    return plain(413, 'That is too long for a checkpoint.');
  }
  return plain(404, 'A witness answers POST /add-checkpoint and GET /<origin hash>/checkpoint.');
}

function plain(status: number, text: string) {
  return { status, contentType: 'text/plain; charset=utf-8', body: `${text}\n` };
}

async function readBody(request: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request) {
    size += chunk.length;
    if (size > longestBody) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
