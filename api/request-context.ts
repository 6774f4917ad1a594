// The first and last thing done with a request: its id, its safe headers, its log line, its metric.
import type { Context } from 'hono';
import { createMiddleware } from 'hono/factory';
import { containsCitizenId } from '../identity/index.ts';
import type { Ids, Logger, Metrics } from '../platform/index.ts';
import type { Env } from './env.ts';
import { safeHeaders } from './safe-headers.ts';

const wellFormedId = /^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$/;
const wellFormedTrace = /^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/;

/** The caller's request id when it is harmless, else none. */
export function usableRequestId(asked: string | undefined): string | undefined {
  if (asked === undefined || !wellFormedId.test(asked)) return undefined;
  // An ID may be cut into groups, and stay one.
  const joined = asked.replace(/[^A-Za-z0-9]/g, '');
  return containsCitizenId(asked) || containsCitizenId(joined) ? undefined : asked;
}

/** Gives the request its id and trace, its reply the safe headers, and writes it down (contract 3). */
export function requestContext(deps: {
  ids: Ids;
  logger: Logger;
  metrics: Metrics;
  publicUrl: string;
}) {
  const { ids, logger, metrics, publicUrl } = deps;
  const seconds = metrics.histogram(
    'http_request_seconds',
    'Time to answer, by route and status.',
    ['method', 'route', 'status'],
  );
  const headers = safeHeaders(publicUrl);
  return createMiddleware<Env>(async (c, next) => {
    const started = performance.now();
    const requestId = usableRequestId(c.req.header('x-request-id')) ?? ids.uuid();
    const traceparent = c.req.header('traceparent');
    c.set('requestId', requestId);
    c.set(
      'traceparent',
      traceparent && wellFormedTrace.test(traceparent) ? traceparent : undefined,
    );
    c.set('edgeHeaders', { ...headers, 'X-Request-Id': requestId });
    await next();
    for (const [name, value] of Object.entries(c.get('edgeHeaders'))) {
      if (!c.res.headers.has(name)) c.header(name, value);
    }
    if (c.req.path.startsWith('/v1/') && !c.res.headers.has('Cache-Control')) {
      c.header('Cache-Control', 'no-store');
    }
    const elapsed = (performance.now() - started) / 1000;
    // The route's pattern, never the path: a path may hold a code that opens a public look-up.
    const route = routePattern(c);
    const { status } = c.res;
    seconds.observe({ method: c.req.method, route, status: String(status) }, elapsed);
    logger.info(
      {
        requestId,
        method: c.req.method,
        route,
        status,
        milliseconds: Math.round(elapsed * 1000),
        ...actorFields(c.get('actor')),
      },
      'request',
    );
  });
}

function routePattern(c: Context<Env>): string {
  return (
    c.req.matchedRoutes
      .map((route) => route.path)
      .filter((path) => !path.endsWith('*'))
      .at(-1) ?? 'none'
  );
}

function actorFields(actor: Env['Variables']['actor'] | undefined): Record<string, string | null> {
  return actor ? { actor: actor.kind, organisation: actor.organisationId } : {};
}
