// The signer as a process without its keys sees it: HTTP over a private socket.
import { Agent, request } from 'node:http';
import type { AppError } from '../platform/index.ts';
import { signingErrors } from './errors.ts';
import type { CredentialContent } from './issue-credential.ts';
import {
  type DocumentRequest,
  MOST_CREDENTIALS,
  type SignerPath,
  SignerReplies,
  writeContent,
} from './signer-protocol.ts';
import type { StampRequest } from './timestamp-request.ts';

/** Whoever signs for a process that holds no such key. */
export interface RemoteSigner {
  credential(content: CredentialContent): Promise<string>;
  /** The receipt of a verification that has its answer; the signer reads itself what it says. */
  receipt(verificationId: string): Promise<string>;
  statusListToken(listId: string): Promise<string | null>;
  /** DER. */
  crl(): Promise<Buffer>;
  /** A licence's document, sealed. */
  document(request: DocumentRequest): Promise<Buffer>;
  /** A time-stamp token as DER. */
  timestamp(request: StampRequest): Promise<Buffer>;
  /** Resolves when somebody answers at the socket. */
  reach(): Promise<void>;
  close(): void;
}

/** A document on a cold start waits for its thread. */
const PATIENCE_MS = 30_000;
const CONNECTIONS = 8;

interface Waiting {
  content: CredentialContent;
  resolve: (credential: string) => void;
  reject: (error: unknown) => void;
}

/** Asks the signer behind `socketPath`; `signing.signer_unavailable` (503) while nobody answers there. */
export function connectSigner(socketPath: string): RemoteSigner {
  const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });
  let waiting: Waiting[] = [];

  function post(
    path: SignerPath | '/health',
    body: unknown,
  ): Promise<{ status: number; text: string }> {
    return new Promise((resolve, reject) => {
      const sent = request(
        { socketPath, agent, path, method: 'POST', timeout: PATIENCE_MS },
        (reply) => {
          const parts: Buffer[] = [];
          reply.on('data', (part: Buffer) => parts.push(part));
          reply.on('error', reject);
          reply.on('end', () => {
            const text = Buffer.concat(parts).toString('utf8');
            resolve({ status: reply.statusCode ?? 0, text });
          });
        },
      );
      sent.on('timeout', () => sent.destroy(new Error('The signer did not answer in time.')));
      sent.on('error', reject);
      sent.end(JSON.stringify(body));
    });
  }

  /** The reply, not yet read. */
  async function ask(path: SignerPath | '/health', body: unknown): Promise<unknown> {
    const reply = await post(path, body).catch((cause: unknown) => {
      throw unavailable(cause);
    });
    if (reply.status === 503) throw unavailable(reply.text);
    // A refusal is a fault of ours or a break-in: nothing the caller can mend.
    if (reply.status !== 200) throw new Error(`The signer refused ${path}: ${reply.text}`);
    return JSON.parse(reply.text);
  }

  /** What was asked for in the same moment travels together and is recorded by one statement. */
  async function sendWaiting(): Promise<void> {
    const group = waiting.slice(0, MOST_CREDENTIALS);
    waiting = waiting.slice(MOST_CREDENTIALS);
    if (waiting.length > 0) void sendWaiting();
    try {
      const contents = group.map(({ content }) => writeContent(content));
      const reply = await ask('/credentials', { credentials: contents });
      const { credentials } = SignerReplies['/credentials'].parse(reply);
      for (const [at, { resolve, reject }] of group.entries()) {
        const credential = credentials[at];
        if (credential === undefined) reject(new TypeError('One content in, one credential out.'));
        else resolve(credential);
      }
    } catch (error) {
      for (const { reject } of group) reject(error);
    }
  }

  return {
    credential: (content) =>
      new Promise((resolve, reject) => {
        waiting.push({ content, resolve, reject });
        if (waiting.length === 1) queueMicrotask(() => void sendWaiting());
      }),
    receipt: async (verification) =>
      SignerReplies['/receipts'].parse(await ask('/receipts', { verification })).receipt,
    statusListToken: async (id) =>
      SignerReplies['/status-lists'].parse(await ask('/status-lists', { id })).token,
    crl: async () => Buffer.from(SignerReplies['/crl'].parse(await ask('/crl', {})).der, 'base64'),
    document: async (request) => {
      const reply = SignerReplies['/documents'].parse(await ask('/documents', request));
      return Buffer.from(reply.pdf, 'base64');
    },
    timestamp: async (request) => {
      const reply = SignerReplies['/timestamps'].parse(await ask('/timestamps', request));
      return Buffer.from(reply.token, 'base64');
    },
    reach: async () => void (await ask('/health', {})),
    close: () => agent.destroy(),
  };
}

function unavailable(cause: unknown): AppError {
  return signingErrors.signer_unavailable('Nothing can be signed at the moment: try again soon.', {
    cause,
    retryAfterSeconds: 5,
  });
}
