// The provider of sign-ins for relying parties: identity's own node handler answers, in the forms of
// OpenID Connect; the pages a browser meets on the way are ours.
import { Hono } from 'hono';
import { openIdMethods } from '../identity/index.ts';
import { openIdPages, pageHeaders } from '../web/index.ts';
import type { Services } from './compose.ts';
import type { Env } from './env.ts';
import { apiErrors } from './errors.ts';
import { handOver } from './node-handler.ts';

/** Everything below /openid. */
export function openIdRoutes({ identity }: Pick<Services, 'identity'>) {
  const pagesOf = openIdPages({ identity });
  return new Hono<Env>().on(['GET', 'POST'], '/openid/*', (c) => {
    const { path, method } = c.req;
    const methods = openIdMethods(path);
    // Nothing else of the library can be reached, and these are refusals like any other of the house.
    if (methods.length === 0) throw apiErrors.not_found('There is nothing at this address.');
    if (!methods.includes(method)) {
      throw apiErrors.method_not_allowed('This address takes other methods; see Allow.', {
        headers: { Allow: methods.join(', ') },
      });
    }
    const pages = pagesOf(c);
    // Said before the library answers; a page whose form leads further says so itself.
    c.set('edgeHeaders', { ...c.get('edgeHeaders'), ...pageHeaders });
    return handOver(c, (req, res) => identity.openId(req, res, { actor: c.get('actor'), pages }));
  });
}
