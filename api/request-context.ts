// The first and last thing done with a request: its id, its safe headers, its log line, its metric.
import { createMiddleware } from 'hono/factory';
import { containsCitizenId } from '../identity/index.ts';
import type { Ids, Logger, Metrics } from '../platform/index.ts';
import type { Env } from './env.ts';

const wellFormedId = /^[A-Za-z0-9][A-Za-z0-9._:-]{7,127}$/;
const wellFormedTrace = /^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/;

/** Keeps the caller's X-Request-Id when it is harmless; else makes one (contract section 3). */
export function requestContext(deps: { ids: Ids; logger: Logger; metrics: Metrics }) {
  const { ids, logger, metrics } = deps;
  const seconds = metrics.histogram(
    'http_request_seconds',
    'Time to answer, by route and status.',
    ['method', 'route', 'status'],
  );
  return createMiddleware<Env>(async (c, next) => {
    const started = performance.now();
    const asked = c.req.header('x-request-id') ?? '';
    const requestId = wellFormedId.test(asked) && !containsCitizenId(asked) ? asked : ids.uuid();
    const traceparent = c.req.header('traceparent');
    c.set('requestId', requestId);
    c.set(
      'traceparent',
      traceparent && wellFormedTrace.test(traceparent) ? traceparent : undefined,
    );
    await next();
    c.header('X-Request-Id', requestId);
    c.header('X-Content-Type-Options', 'nosniff');
    c.header('Referrer-Policy', 'no-referrer');
    c.header('Cross-Origin-Resource-Policy', 'same-site', { append: false });
    const elapsed = (performance.now() - started) / 1000;
    // The route's pattern, never the path: a path may hold a code that opens a public look-up.
    const route = routePattern(c.req.matchedRoutes);
    seconds.observe({ method: c.req.method, route, status: String(c.res.status) }, elapsed);
    logger.info(
      {
        requestId,
        method: c.req.method,
        route,
        status: c.res.status,
        milliseconds: Math.round(elapsed * 1000),
        ...actorFields(c.get('actor')),
      },
      'request',
    );
  });
}

function routePattern(matched: { path: string }[]): string {
  return (
    matched
      .map((route) => route.path)
      .filter((path) => !path.endsWith('*'))
      .at(-1) ?? 'none'
  );
}

function actorFields(actor: Env['Variables']['actor'] | undefined): Record<string, string | null> {
  return actor ? { actor: actor.kind, organisation: actor.organisationId } : {};
}
