// Handing a request over to a handler of Node's own kind, as the OAuth and OpenID library is.
import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response';
import type { Context } from 'hono';
import type { Env } from './env.ts';
import { bodyTooLarge } from './request-body.ts';

/** A token request is a few hundred bytes and an assertion; the library stops reading at 56 KiB. */
const largestRequest = 56 * 1024;

/** Hands over the connection itself; what every reply carries is set before. */
export async function handOver(
  c: Context<Env>,
  handle: (req: IncomingMessage, res: ServerResponse) => void,
): Promise<Response> {
  const { incoming, outgoing } = c.env;
  if (!incoming || !outgoing) throw new TypeError('This endpoint needs a listening server.');
  if (Number(c.req.header('content-length') ?? 0) > largestRequest) {
    throw bodyTooLarge(largestRequest);
  }
  for (const [name, value] of Object.entries(c.get('edgeHeaders'))) {
    outgoing.setHeader(name, value);
  }
  // The library would answer an Origin with the same one; who may read what is said by the edge alone.
  delete incoming.headers.origin;
  const closed = once(outgoing, 'close');
  handle(incoming, outgoing);
  await closed;
  const { headers } = RESPONSE_ALREADY_SENT;
  return new Response(null, { status: outgoing.statusCode, headers });
}
