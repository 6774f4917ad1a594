// The listening server: the OAuth endpoints go to identity's own handler, all else to the application.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { getRequestListener } from '@hono/node-server';
import { createApp } from './app.ts';
import type { Services } from './compose.ts';

const oauthPaths = ['/oauth/', '/.well-known/oauth-authorization-server'];
/** Slow senders may not hold a connection: headers within 10 s, a whole request within a minute. */
const headersTimeoutMs = 10_000;
const requestTimeoutMs = 60_000;

export interface HttpServer {
  readonly address: AddressInfo;
  close(): Promise<void>;
}

/** Listens at HOST and PORT; resolves when it does. close() lets running requests end. */
export async function listen(services: Services): Promise<HttpServer> {
  const { config, identity } = services;
  const app = createApp(services);
  const answer = getRequestListener(app.fetch);
  const server = createServer((request, response) => {
    const path = request.url ?? '/';
    if (oauthPaths.some((prefix) => path.startsWith(prefix)))
      identity.tokenEndpoint(request, response);
    else answer(request, response);
  });
  server.headersTimeout = headersTimeoutMs;
  server.requestTimeout = requestTimeoutMs;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(config.port, config.host, resolve);
  });
  const address = server.address();
  if (address === null || typeof address === 'string')
    throw new TypeError('The server listens on no port.');
  return {
    address,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeIdleConnections();
      }),
  };
}
