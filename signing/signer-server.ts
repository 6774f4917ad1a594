// The signer's door: a socket in the file system that its owner alone may open, and behind it the
// requests of signer-protocol.ts. No bytes to be signed come in here.
import { lstat, unlink } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { connect, type Server } from 'node:net';
import { ZodError } from 'zod';
import { AppError, type Logger } from '../platform/index.ts';
import { signingErrors } from './errors.ts';
import type { SignerDesk } from './signer-desk.ts';
import { SignerRequests } from './signer-protocol.ts';

// 500 credentials of 40 kB; nothing else comes near.
const LONGEST_BODY = 20 * 1_048_576;
/** Longest path of a socket on Linux and macOS. */
const LONGEST_PATH = 103;
const STAND_BY_MS = 2_000;

export interface SignerServer {
  close(): Promise<void>;
}

/**
 * Listens at `path`, mode 0600. Where another process listens already this one stands by and takes
 * over when the other has gone; a socket left behind by a killed process is replaced.
 */
export async function serveSigner(
  path: string,
  desk: SignerDesk,
  logger: Logger,
): Promise<SignerServer> {
  if (Buffer.byteLength(path) > LONGEST_PATH) {
    throw signingErrors.signer_unavailable(
      `The path of the signer's socket has more than ${LONGEST_PATH} bytes: set SIGNER_SOCKET to a shorter one.`,
    );
  }
  const server = createServer((request, response) => {
    answer(desk, request, response).catch((error: unknown) => {
      logger.error({ err: error }, 'The signer could not answer.');
      response.destroy();
    });
  });
  let isClosed = false;
  let timer: NodeJS.Timeout | undefined;

  async function tryListen(): Promise<void> {
    if (isClosed || server.listening) return;
    if (await isAnswered(path)) return;
    await removeSocket(path);
    await listenPrivately(server, path);
    logger.info({ path }, 'The signer listens.');
  }
  await tryListen();
  if (!server.listening) logger.info({ path }, 'Another process signs; this one stands by.');
  timer = setInterval(() => {
    tryListen().catch((error: unknown) =>
      logger.warn({ err: error }, 'The signer could not listen; it tries again.'),
    );
  }, STAND_BY_MS);
  timer.unref();

  return {
    close: async () => {
      isClosed = true;
      clearInterval(timer);
      if (!server.listening) return;
      server.closeIdleConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** True when somebody answers at the socket. */
function isAnswered(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = connect(path);
    probe.once('connect', () => {
      probe.destroy();
      resolve(true);
    });
    probe.once('error', () => resolve(false));
  });
}

/** Removes a socket nobody answers at; any other kind of file is left alone. */
async function removeSocket(path: string): Promise<void> {
  const stats = await lstat(path).catch(() => undefined);
  if (stats?.isSocket()) await unlink(path);
}

/** The mask makes the socket private from its first moment: it is bound before listen returns. */
function listenPrivately(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const mask = process.umask(0o177);
    try {
      server.once('error', reject);
      server.listen(path, () => {
        server.off('error', reject);
        resolve();
      });
    } finally {
      process.umask(mask);
    }
  });
}

async function answer(
  desk: SignerDesk,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const handle = routes.get(`${request.method} ${request.url}`);
  if (!handle) return reply(response, 404, { detail: 'There is no such request.' });
  const text = await readBody(request);
  if (text === undefined) return reply(response, 413, { detail: 'The request is too long.' });
  try {
    reply(response, 200, await handle(desk, JSON.parse(text)));
  } catch (error) {
    if (error instanceof AppError) {
      const status = error.kind === 'unavailable' ? 503 : 422;
      return reply(response, status, { code: error.code, detail: error.detail });
    }
    if (error instanceof SyntaxError || error instanceof ZodError) {
      return reply(response, 400, { detail: 'The request is not of its form.' });
    }
    throw error;
  }
}

const routes = new Map<string, (desk: SignerDesk, body: unknown) => Promise<unknown>>([
  [
    'POST /credentials',
    (desk, body) => desk.credentials(SignerRequests['/credentials'].parse(body)),
  ],
  ['POST /receipts', (desk, body) => desk.receipts(SignerRequests['/receipts'].parse(body))],
  [
    'POST /status-lists',
    (desk, body) => desk.statusLists(SignerRequests['/status-lists'].parse(body)),
  ],
  ['POST /crl', (desk) => desk.crl()],
  ['POST /documents', (desk, body) => desk.documents(SignerRequests['/documents'].parse(body))],
  ['POST /health', async () => ({ ok: true })],
  ['POST /timestamps', (desk, body) => desk.timestamps(SignerRequests['/timestamps'].parse(body))],
]);

/** The body as text; undefined when it is too long. */
async function readBody(request: IncomingMessage): Promise<string | undefined> {
  const parts: Buffer[] = [];
  let length = 0;
  for await (const part of request) {
    if (!Buffer.isBuffer(part)) throw new TypeError('A body comes in bytes.');
    length += part.length;
    if (length > LONGEST_BODY) return undefined;
    parts.push(part);
  }
  return Buffer.concat(parts).toString('utf8');
}

function reply(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(body));
}
