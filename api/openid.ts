// The provider of sign-ins for relying parties: identity's own node handler answers, in the forms of
// OpenID Connect; the pages a browser meets on the way are ours.
import { Hono } from 'hono';
import { openIdPages, pageHeaders } from '../web/index.ts';
import type { Services } from './compose.ts';
import type { Env } from './env.ts';
import { handOver } from './node-handler.ts';

/** Everything below /openid. */
export function openIdRoutes({ identity }: Pick<Services, 'identity'>) {
  const pagesOf = openIdPages({ identity });
  return new Hono<Env>().on(['GET', 'POST'], '/openid/*', (c) => {
    const pages = pagesOf(c);
    // Said before the library answers; a page whose form leads further says so itself.
    c.set('edgeHeaders', { ...c.get('edgeHeaders'), ...pageHeaders });
    return handOver(c, (req, res) => identity.openId(req, res, { actor: c.get('actor'), pages }));
  });
}
