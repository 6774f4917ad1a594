// The listening server over the application.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { getRequestListener } from '@hono/node-server';
import { createApp } from './app.ts';
import type { Services } from './compose.ts';

/** Slow senders may not hold a connection: headers within 10 s, a whole request within a minute. */
const headersTimeoutMs = 10_000;
const requestTimeoutMs = 60_000;

export interface HttpServer {
  readonly address: AddressInfo;
  close(): Promise<void>;
}

/** Listens at HOST and PORT, or at another port, 0 for any; close() lets running requests end. */
export async function listen(
  services: Services,
  { port = services.config.port }: { port?: number } = {},
): Promise<HttpServer> {
  const server = createServer(getRequestListener(createApp(services).fetch));
  server.headersTimeout = headersTimeoutMs;
  server.requestTimeout = requestTimeoutMs;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, services.config.host, resolve);
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
