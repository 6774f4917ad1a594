// The table of contents of the HTTP edge: what is done with every request, and which routes there are.
import { OpenAPIHono } from '@hono/zod-openapi';
import { pageOfError, pages } from '../web/index.ts';
import { admit } from './admit.ts';
import { agreementRoutes } from './agreements.ts';
import { alertRoutes } from './alerts.ts';
import { allowedMethods } from './allowed-methods.ts';
import { answerProposalRoutes } from './answer-proposals.ts';
import { auditRoutes } from './audit.ts';
import { auditActRoutes } from './audit-acts.ts';
import { authenticate } from './authenticate.ts';
import { caseRoutes } from './cases.ts';
import { ckanRoutes } from './ckan.ts';
import { clientCertificate } from './client-certificate.ts';
import { clientRoutes } from './clients.ts';
import type { Services } from './compose.ts';
import { crossOrigin } from './cross-origin.ts';
import { delegationRoutes } from './delegations.ts';
import { checkRouteRights, doors } from './doors.ts';
import { emergencyRoutes } from './emergencies.ts';
import { entryBundleRoutes } from './entry-bundles.ts';
import type { Env } from './env.ts';
import { erasureRoutes } from './erasures.ts';
import { apiErrors, INTERNAL_CODE } from './errors.ts';
import { healthRoutes } from './health.ts';
import { integrityRoutes } from './integrity.ts';
import { licenceActRoutes } from './licence-acts.ts';
import { licenceApplicationRoutes } from './licence-applications.ts';
import { licenceTypeRoutes } from './licence-types.ts';
import { licenceRoutes } from './licences.ts';
import { meRoutes } from './me.ts';
import { oauthRoutes } from './oauth.ts';
import { officerRoutes } from './officers.ts';
import { apiDescription } from './openapi.ts';
import { openIdRoutes } from './openid.ts';
import { passkeyResetRoutes } from './passkey-resets.ts';
import { peerAddress } from './peer-address.ts';
import { invalidInput, problemOf } from './problem.ts';
import { publicRoutes } from './public.ts';
import { createMeter } from './rate-limit.ts';
import { relyingPartyRoutes } from './relying-parties.ts';
import { limitBody, readJson } from './request-body.ts';
import { requestContext } from './request-context.ts';
import { checkUrl, isForPeople } from './request-url.ts';
import { securityTxtRoutes } from './security-txt.ts';
import { sessionRoutes } from './sessions.ts';
import { ticketRoutes } from './tickets.ts';
import { trustMaterialRoutes } from './trust-material.ts';
import { readMultipart } from './upload.ts';
import { verificationRoutes } from './verifications.ts';
import { vigilanceRuleRoutes } from './vigilance-rules.ts';

const ckanAction = /^\/api(\/3)?\/action\//;

/** Builds the whole HTTP application over the services; it listens nowhere by itself. */
export function createApp(services: Services) {
  const { config, logger, clock, ids, metrics, identity, sessionCookie } = services;
  const { publicUrl, publicUrlAliases } = config;
  const app = new OpenAPIHono<Env>({
    defaultHook: (result) => {
      if (!result.success) throw invalidInput(result.error.issues);
    },
  });
  // Asked while requests run, when all routes are known.
  let allowed: ReturnType<typeof allowedMethods> | undefined;
  const methodsAt = (path: string): string[] => {
    allowed ??= allowedMethods(app.routes);
    return allowed(path);
  };
  const isRefusedMethod = (path: string, method: string): boolean => {
    const methods = methodsAt(path);
    return methods.length > 0 && !methods.includes(method);
  };

  const errorPage = pageOfError(services);
  app.onError((error, c) => {
    const problem = problemOf(c, error, logger);
    return isForPeople(c) ? errorPage(c, error, INTERNAL_CODE) : problem;
  });
  app.use(requestContext({ ids, logger, metrics, publicUrl }));
  app.use(crossOrigin);
  app.use(checkUrl);
  app.use(
    admit({
      actorOf: authenticate({
        identity,
        certificateOf: clientCertificate(config.trustedProxies),
        cookieName: sessionCookie.name,
        publicUrl,
        publicUrlAliases,
      }),
      addressOf: peerAddress(config.trustedProxies),
      meter: createMeter({ clock, logger, tickets: services.rateTickets }),
      perClient: config.rateLimit,
      perAddress: config.ratePublic,
    }),
  );
  // Before bodies are read: their handlers read their own.
  app.route('/', oauthRoutes(services));
  app.route('/', openIdRoutes(services));
  const door = doors({ identity, isRefusedMethod });
  app.use('/v1/*', door);
  app.use('/log/tile/entries/*', door);
  app.use(limitBody);
  app.use('/v1/*', readJson);

  app.route('/', healthRoutes(services));
  app.route('/', securityTxtRoutes(services));
  app.route('/', entryBundleRoutes(services));
  app.route('/', trustMaterialRoutes(services));
  app.route('/', ckanRoutes(services));
  app
    .route('/v1/licence-types', licenceTypeRoutes(services))
    .route('/v1/licences/applications', licenceApplicationRoutes(services))
    .route('/v1/licences', licenceRoutes(services))
    .route('/v1/licences', licenceActRoutes(services))
    .route('/v1/agreements', agreementRoutes(services))
    .route('/v1/audit', auditRoutes(services))
    .route('/v1', auditActRoutes(services))
    .route('/v1/audit', alertRoutes(services))
    .route('/v1/audit', vigilanceRuleRoutes(services))
    .route('/v1', ticketRoutes(services))
    .route('/v1', integrityRoutes(services))
    .route('/v1/clients', clientRoutes(services))
    .route('/v1/passkey-resets', passkeyResetRoutes(services))
    .route('/v1/relying-parties', relyingPartyRoutes(services))
    .route('/v1', erasureRoutes(services))
    .route('/v1/public', publicRoutes(services))
    .route('/v1', verificationRoutes(services))
    .route('/v1', answerProposalRoutes(services))
    .route('/v1', delegationRoutes(services))
    .route('/v1', officerRoutes(services))
    .route('/v1', emergencyRoutes(services))
    .route('/v1', caseRoutes(services))
    .route('/v1', meRoutes(services))
    .route('/v1', sessionRoutes(services));
  checkRouteRights(app.routes);
  const openApi = apiDescription(app, publicUrl);
  app.get('/openapi.json', (c) => c.json(openApi()));
  app.route('/', pages({ ...services, openApi, readUpload: readMultipart }));

  app.notFound((c) => {
    const { path, method } = c.req;
    if (isRefusedMethod(path, method)) {
      throw apiErrors.method_not_allowed('This address takes other methods; see Allow.', {
        headers: { Allow: methodsAt(path).join(', ') },
      });
    }
    if (ckanAction.test(path)) return c.json('Bad request: Action name not known', 400);
    throw apiErrors.not_found('There is nothing at this address.');
  });
  return app;
}
