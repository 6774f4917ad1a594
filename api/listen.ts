// The listening server over the application.
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { getRequestListener } from '@hono/node-server';
import type { Config } from '../platform/index.ts';
import { createApp } from './app.ts';
import type { Services } from './compose.ts';
import { apiErrors } from './errors.ts';

/**
 * Slow senders may not hold a connection: headers within 10 s, a whole request within a minute, looked
 * at every second (Node's own default is 30). An unused connection stays open longer than the minute
 * that proxies keep theirs, so that no request is sent into one just closed.
 */
const patience = {
  headersTimeout: 10_000,
  requestTimeout: 60_000,
  keepAliveTimeout: 65_000,
  connectionsCheckingInterval: 1_000,
  // Both also bound what a request may cost before anything of ours runs.
  maxHeaderSize: 16 * 1024,
  insecureHTTPParser: false,
};

export interface HttpServer {
  readonly address: AddressInfo;
  close(): Promise<void>;
}

/**
 * Listens at HOST and PORT, or at another port, 0 for any; close() lets running requests end. The
 * times, in milliseconds, are given only by tests that can't wait as long.
 */
export async function listen(
  services: Services,
  {
    port = services.config.port,
    headersTimeout = patience.headersTimeout,
    requestTimeout = patience.requestTimeout,
  }: { port?: number; headersTimeout?: number; requestTimeout?: number } = {},
): Promise<HttpServer> {
  const server = createServer(
    { ...patience, headersTimeout, requestTimeout },
    getRequestListener(createApp(services).fetch),
  );
  const running = new Set<ServerResponse>();
  server.prependListener('request', (_request, response: ServerResponse) => {
    running.add(response);
    response.once('close', () => running.delete(response));
  });
  server.maxConnections = services.config.maxConnections;
  await listening(server, port, services.config.host);
  const address = server.address();
  if (address === null || typeof address === 'string')
    throw new TypeError('The server listens on no port.');
  return { address, close: () => closeGently(server, running) };
}

/**
 * Takes no new connection and lets what runs end, each on a connection that is then closed: else callers that
 * keep theirs open would be served, and hold the process, for as long as they go on calling.
 */
function closeGently(server: Server, running: ReadonlySet<ServerResponse>): Promise<void> {
  const endAfter = (response: ServerResponse): void => {
    response.shouldKeepAlive = false;
  };
  for (const response of running) endAfter(response);
  server.prependListener('request', (_request, response: ServerResponse) => endAfter(response));
  return new Promise((resolve) => {
    // Those that have sent nothing for a moment, and what came in while the door was closing.
    const closing = setInterval(() => server.closeIdleConnections(), 100);
    server.close(() => {
      clearInterval(closing);
      resolve();
    });
    server.closeIdleConnections();
  });
}

/** Resolves once the server listens; what keeps it from it is told in words. */
function listening(server: Server, port: number, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const why = { EADDRINUSE: 'is taken', EACCES: 'needs more rights' }[error.code ?? ''];
      reject(
        apiErrors.address_unusable(
          `Port ${port} at ${host} ${why ?? "can't be listened on"}. Set PORT (or HOST) to another.`,
          { cause: error },
        ),
      );
    });
    server.listen(port, host, resolve);
  });
}

/** Refuses an address that can't be listened on, before a start has done anything else. */
export async function checkAddress({ port, host }: Pick<Config, 'port' | 'host'>): Promise<void> {
  const server = createServer();
  await listening(server, port, host);
  await new Promise((resolve) => server.close(resolve));
}
