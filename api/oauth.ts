// The OAuth endpoints: identity's own node handler answers, in the error forms of its standards.
import { type Context, Hono } from 'hono';
import { clientCertificate } from './client-certificate.ts';
import type { Services } from './compose.ts';
import type { Env } from './env.ts';
import { handOver } from './node-handler.ts';

/** Routes /oauth/token, /oauth/jwks and /.well-known/oauth-authorization-server. */
export function oauthRoutes({ identity, config }: Pick<Services, 'identity' | 'config'>) {
  const certificateOf = clientCertificate(config.trustedProxies);

  const toTokenEndpoint = (c: Context<Env>) =>
    handOver(c, (req, res) => identity.tokenEndpoint(req, res, certificateOf(c)));

  return new Hono<Env>()
    .post('/oauth/token', toTokenEndpoint)
    .get('/oauth/jwks', toTokenEndpoint)
    .get('/.well-known/oauth-authorization-server', toTokenEndpoint);
}
