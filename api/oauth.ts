// The OAuth endpoints: identity's own node handler answers, in the error forms of its standards.
import { once } from 'node:events';
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response';
import { type Context, Hono } from 'hono';
import { clientCertificate } from './client-certificate.ts';
import type { Services } from './compose.ts';
import type { Env } from './env.ts';
import { bodyTooLarge } from './request-body.ts';

/** A token request is a few hundred bytes and an assertion; the handler stops reading at 56 KiB. */
const largestRequest = 56 * 1024;

/** Routes /oauth/token, /oauth/jwks and /.well-known/oauth-authorization-server. */
export function oauthRoutes({ identity, config }: Pick<Services, 'identity' | 'config'>) {
  const certificateOf = clientCertificate(config.trustedProxies);

  /** Hands over the connection itself; what every reply carries is set before. */
  async function handOver(c: Context<Env>): Promise<Response> {
    const { incoming, outgoing } = c.env;
    if (!incoming || !outgoing) throw new TypeError('The token endpoint needs a listening server.');
    if (Number(c.req.header('content-length') ?? 0) > largestRequest) {
      throw bodyTooLarge(largestRequest);
    }
    for (const [name, value] of Object.entries(c.get('edgeHeaders'))) {
      outgoing.setHeader(name, value);
    }
    // The library would answer an Origin with the same one; who may read what is said by the edge alone.
    delete incoming.headers.origin;
    const closed = once(outgoing, 'close');
    identity.tokenEndpoint(incoming, outgoing, certificateOf(c));
    await closed;
    const { headers } = RESPONSE_ALREADY_SENT;
    return new Response(null, { status: outgoing.statusCode, headers });
  }

  return new Hono<Env>()
    .post('/oauth/token', handOver)
    .get('/oauth/jwks', handOver)
    .get('/.well-known/oauth-authorization-server', handOver);
}
