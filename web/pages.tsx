// All pages in one application: the frame around them, and refusals as pages.
import { Hono, type Next } from 'hono';
import { AppError } from '../platform/index.ts';
import { auditRoutes } from './audit-routes.tsx';
import { auditSamplesRoutes } from './audit-samples-routes.tsx';
import { casePages } from './cases.tsx';
import { completenessRoutes } from './completeness-routes.tsx';
import { delegationRoutes } from './delegation-routes.tsx';
import type { PageDeps } from './deps.ts';
import { emergencyPages } from './emergency-routes.tsx';
import { enrolmentRoutes } from './enrolment-routes.tsx';
import { refusalReply } from './error-page.tsx';
import { formGuard } from './form-guard.ts';
import { issuedLicenceRoutes } from './issued-licence-routes.tsx';
import { openRoutes } from './open-routes.tsx';
import { opsClientRoutes } from './ops-client-routes.tsx';
import { opsErasureRoutes } from './ops-erasure-routes.tsx';
import { opsPartyRoutes } from './ops-party-routes.tsx';
import { opsRightsRoutes } from './ops-rights-routes.tsx';
import { opsRoutes } from './ops-routes.tsx';
import { orgRoutes } from './org-routes.tsx';
import { type PageContext, type PageEnv, pageFrame } from './page.tsx';
import { PAGE_RIGHTS } from './page-rights.ts';
import { passkeyRoutes } from './passkey-routes.tsx';
import { questionPages } from './question-routes.tsx';
import { sessionsRoutes } from './sessions-routes.tsx';
import { signInRoutes } from './sign-in-routes.tsx';
import { signedInRoutes } from './signed-in-routes.tsx';
import { ticketPages } from './ticket-routes.tsx';
import { alertCounts, vigilanceRoutes } from './vigilance-routes.tsx';

/** The pages over the services; a JSON caller's refusals are left to the edge above. */
export function pages(deps: PageDeps) {
  const app = new Hono<PageEnv>();
  app.onError((error, c) => {
    if (!(error instanceof AppError)) throw error;
    const isJson = (c.req.header('content-type') ?? '').startsWith('application/json');
    if (isJson) throw error;
    return refusalReply(c, error);
  });
  const frame = pageFrame({ isSecure: deps.config.publicUrl.startsWith('https:') });
  const guard = formGuard(deps);
  const acting = async (c: PageContext, next: Next) => {
    c.set('actingFor', await deps.identity.describePrincipal(c.get('actor')));
    await next();
  };
  const framed = new Hono<PageEnv>();
  for (const path of [
    '/',
    '/sign-in',
    '/sign-in/*',
    '/sign-out',
    '/enrol',
    '/enrol/*',
    '/me',
    '/me/*',
    '/org',
    '/org/*',
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
    framed.use(path, frame, acting, guard);
  }
  for (const [path, door] of Object.entries(PAGE_RIGHTS)) {
    const enter = async (c: PageContext, next: Next) => {
      await deps.identity.admitAt(door, c.get('actor'), `${c.req.method} ${path}`);
      await next();
    };
    framed.use(path, enter).use(`${path}/*`, enter);
  }
  framed.route('/', openRoutes(deps));
  framed.route('/', signInRoutes(deps));
  framed.route('/', sessionsRoutes(deps));
  framed.route('/', signedInRoutes(deps));
  framed.route('/', issuedLicenceRoutes(deps));
  framed.route('/', completenessRoutes(deps));
  framed.use('/audit', alertCounts(deps)).use('/audit/*', alertCounts(deps));
  framed.route('/', auditSamplesRoutes(deps));
  framed.route('/', auditRoutes(deps));
  framed.route('/', vigilanceRoutes(deps));
  framed.route('/', ticketPages(deps));
  framed.route('/', opsRoutes(deps));
  framed.route('/', opsClientRoutes(deps));
  framed.route('/', opsPartyRoutes(deps));
  framed.route('/', opsRightsRoutes(deps));
  framed.route('/', emergencyPages(deps));
  framed.route('/', casePages(deps));
  framed.route('/', questionPages(deps));
  framed.route('/', opsErasureRoutes(deps));
  framed.route('/', delegationRoutes(deps));
  framed.route('/', passkeyRoutes(deps));
  framed.route('/', enrolmentRoutes(deps));
  framed.route('/', orgRoutes(deps));
  app.route('/', framed);
  return app;
}
