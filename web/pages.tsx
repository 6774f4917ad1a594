// All pages in one application: the frame around them, and refusals as pages.
import { Hono } from 'hono';
import { AppError } from '../platform/index.ts';
import type { PageDeps } from './deps.ts';
import { ErrorPage, statusOf } from './error-page.tsx';
import { openRoutes } from './open-routes.tsx';
import { opsClientRoutes } from './ops-client-routes.tsx';
import { opsRoutes } from './ops-routes.tsx';
import { type PageEnv, pageFrame } from './page.tsx';
import { signInRoutes } from './sign-in-routes.tsx';
import { signedInRoutes } from './signed-in-routes.tsx';

/** The pages over the services; a JSON caller's refusals are left to the edge above. */
export function pages(deps: PageDeps) {
  const app = new Hono<PageEnv>();
  app.onError((error, c) => {
    if (!(error instanceof AppError)) throw error;
    const isJson = (c.req.header('content-type') ?? '').startsWith('application/json');
    if (isJson) throw error;
    if (error.kind === 'unauthenticated' && c.req.method === 'GET') {
      return c.redirect(`/sign-in?next=${encodeURIComponent(c.req.path)}`, 303);
    }
    for (const [name, value] of Object.entries(error.headers ?? {})) c.header(name, value);
    if (error.retryAfterSeconds !== undefined) {
      c.header('Retry-After', String(error.retryAfterSeconds));
    }
    return c.html(<ErrorPage c={c} error={error} />, statusOf(error));
  });
  const framed = new Hono<PageEnv>();
  for (const path of [
    '/',
    '/assets/*',
    '/sign-in',
    '/sign-out',
    '/me',
    '/me/*',
    '/desk',
    '/desk/*',
    '/audit',
    '/audit/*',
    '/ops',
    '/ops/*',
    '/verify',
    '/verify/*',
    '/catalogue',
    '/dataset/*',
    '/docs',
  ]) {
    framed.use(path, async (c, next) => {
      const actor = c.get('actor');
      c.set('formToken', actor.sessionId === undefined ? '' : deps.identity.formToken(actor));
      await pageFrame(c, next);
    });
  }
  framed.route('/', openRoutes(deps));
  framed.route('/', signInRoutes(deps));
  framed.route('/', signedInRoutes(deps));
  framed.route('/', opsRoutes());
  framed.route('/', opsClientRoutes(deps));
  app.route('/', framed);
  return app;
}
