// The table of contents of the HTTP edge: what is done with every request, and which routes there are.
import type { HttpBindings } from '@hono/node-server';
import { OpenAPIHono } from '@hono/zod-openapi';
import { AppError } from '../platform/index.ts';
import { pages } from '../web/index.ts';
import { agreementRoutes } from './agreements.ts';
import { allowedMethods } from './allowed-methods.ts';
import { auditRoutes } from './audit.ts';
import { authenticate, requireActor } from './authenticate.ts';
import { ckanRoutes } from './ckan.ts';
import type { Services } from './compose.ts';
import type { Env } from './env.ts';
import { healthRoutes } from './health.ts';
import { licenceTypeRoutes } from './licence-types.ts';
import { licenceRoutes } from './licences.ts';
import { meRoutes } from './me.ts';
import { invalidInput, problemResponse, unexpectedResponse } from './problem.ts';
import { publicRoutes } from './public.ts';
import { rateLimit } from './rate-limit.ts';
import { limitBody, readJson } from './request-body.ts';
import { requestContext } from './request-context.ts';
import { trustMaterialRoutes } from './trust-material.ts';
import { verificationRoutes } from './verifications.ts';

const ownErrorForm = /^\/api(\/3)?\/action\//;
/** What under /v1 anyone may read without signing in. */
const open = [/^\/v1\/public\//, /^\/v1\/licence-types/, /^\/v1\/verification-services/];

/** The peer's address: only of the socket, never of a header a caller may write. */
function addressOf(c: unknown): string {
  const bindings = (c as { env?: Partial<HttpBindings> }).env; // unknown by hono's type, set by node-server
  return bindings?.incoming?.socket.remoteAddress ?? 'unknown';
}

/** Builds the whole HTTP application over the services; it listens nowhere by itself. */
export function createApp(services: Services) {
  const { config, logger, clock, ids, metrics, identity } = services;
  const app = new OpenAPIHono<Env>({
    defaultHook: (result) => {
      if (!result.success) throw invalidInput(result.error.issues);
    },
  });

  app.onError((error, c) =>
    error instanceof AppError ? problemResponse(c, error) : unexpectedResponse(c, error, logger),
  );
  app.use(requestContext({ ids, logger, metrics }));
  app.use(limitBody);
  app.use(
    authenticate({
      identity,
      cookieName: services.sessionCookie.name,
      publicUrl: config.publicUrl,
    }),
  );
  app.use(
    rateLimit({ clock, perClient: config.rateLimit, perAddress: config.ratePublic, addressOf }),
  );
  app.use('/v1/*', (c, next) => {
    const isOpen = c.req.method !== 'POST' || c.req.path.startsWith('/v1/public/');
    return isOpen && open.some((pattern) => pattern.test(c.req.path))
      ? next()
      : requireActor(c, next);
  });
  app.use('/v1/*', readJson);

  app.route('/', healthRoutes(services));
  app.route('/', trustMaterialRoutes(services));
  app.route('/', ckanRoutes(services));
  const v1 = app
    .route('/v1/licence-types', licenceTypeRoutes(services))
    .route('/v1/licences', licenceRoutes(services))
    .route('/v1/agreements', agreementRoutes(services))
    .route('/v1/audit', auditRoutes(services))
    .route('/v1/public', publicRoutes(services))
    .route('/v1', verificationRoutes(services))
    .route('/v1', meRoutes({ services, clearedCookie: services.sessionCookie.clear() }));

  app.doc31('/openapi.json', {
    openapi: '3.1.0',
    info: {
      title: 'Yihao',
      version: '1',
      description:
        'E-licences, questions between departments, who looked, and the open-data catalogue. ' +
        'Errors are RFC 9457 problem details with a stable `code`.',
    },
    servers: [{ url: config.publicUrl }],
  });
  app.route(
    '/',
    pages({
      ...services,
      openApi: () =>
        app.getOpenAPI31Document({
          openapi: '3.1.0',
          info: { title: 'Yihao', version: '1' },
        }),
    }),
  );

  const allowed = allowedMethods(app.routes);
  app.notFound((c) => {
    const methods = allowed(c.req.path);
    if (methods.length > 0 && !methods.includes(c.req.method)) {
      return problemResponse(
        c,
        new AppError(
          'method_not_allowed',
          'platform.method_not_allowed',
          'This path takes other methods.',
          {
            headers: { Allow: methods.join(', ') },
          },
        ),
      );
    }
    if (ownErrorForm.test(c.req.path)) return c.json('Bad request: Action name not known', 400);
    return problemResponse(
      c,
      new AppError('not_found', 'platform.not_found', 'There is nothing at this path.'),
    );
  });
  return v1;
}

export type App = ReturnType<typeof createApp>;
