// Which addresses scripts of other sites may read (CORS, Fetch standard 3.3): public facts, the same for
// everyone. Everything else says nothing, so that a browser keeps it from them.
import { createMiddleware } from 'hono/factory';
import type { Env } from './env.ts';

/** A path, and whether reading it may take a POST. */
const open: { path: RegExp; byPost?: true }[] = [
  { path: /^\/status-lists\// },
  { path: /^\/pki\// },
  { path: /^\/vct\// },
  { path: /^\/\.well-known\// },
  { path: /^\/log\/(vkey|checkpoint|tile\/(?!entries\/))/ },
  { path: /^\/oauth\/jwks$/ },
  { path: /^\/openapi\.json$/ },
  { path: /^\/v1\/public\/licences\/[^/]+$/ },
  { path: /^\/v1\/(licence-types|verification-services)(\/[^/]+)?$/ },
  { path: /^\/api(\/3)?\/action\//, byPost: true },
  { path: /^\/datastore\/dump\// },
];

/** No credentials: what a visitor's session may see is never another site's. */
const readable = {
  'Access-Control-Allow-Origin': '*',
  'Access-Control-Expose-Headers':
    'ETag, RateLimit-Limit, RateLimit-Remaining, RateLimit-Reset, Retry-After, X-Request-Id',
  'Cross-Origin-Resource-Policy': 'cross-origin',
};

/** Opens the public addresses to any origin, refusals included, and answers their preflights. */
export const crossOrigin = createMiddleware<Env>(async (c, next) => {
  const entry = open.find(({ path }) => path.test(c.req.path));
  if (!entry) return next();
  const methods = entry.byPost ? ['GET', 'HEAD', 'POST'] : ['GET', 'HEAD'];
  const wanted = c.req.header('access-control-request-method');
  if (c.req.method === 'OPTIONS' && wanted !== undefined) {
    return c.body(null, 204, {
      ...readable,
      'Access-Control-Allow-Methods': methods.join(', '),
      'Access-Control-Allow-Headers':
        'Authorization, Content-Type, If-None-Match, X-CKAN-API-Key, X-Request-Id',
      'Access-Control-Max-Age': '86400',
    });
  }
  if (methods.includes(c.req.method)) {
    c.set('edgeHeaders', { ...c.get('edgeHeaders'), ...readable });
  }
  return next();
});
