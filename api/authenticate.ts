// Who is asking: a department's system by its bound token, or a person by the session cookie.
import { getCookie } from 'hono/cookie';
import { createMiddleware } from 'hono/factory';
import { type Actor, anonymousActor, type Identity } from '../identity/index.ts';
import { AppError } from '../platform/index.ts';
import type { Env } from './env.ts';

const safeMethods = new Set(['GET', 'HEAD', 'OPTIONS']);

/** Sets the actor of each request. A wrong token is refused even where none is needed. */
export function authenticate(deps: { identity: Identity; cookieName: string; publicUrl: string }) {
  const { identity, cookieName, publicUrl } = deps;
  return createMiddleware<Env>(async (c, next) => {
    const authorization = c.req.header('authorization');
    const session = getCookie(c, cookieName);
    const base = { requestId: c.get('requestId'), traceparent: c.get('traceparent') };
    let actor: Actor = anonymousActor(base.requestId);
    if (authorization !== undefined) {
      actor = await identity.authenticateRequest({
        authorization,
        dpop: c.req.header('dpop'),
        method: c.req.method,
        url: `${publicUrl}${c.req.path}`,
        requestId: base.requestId,
        onBehalfOf: c.req.header('x-on-behalf-of'),
      });
    } else if (session !== undefined) {
      const found = await identity.findSession(session, base.requestId);
      if (found) {
        refuseForeignOrigin(c.req.method, c.req.header('origin'), c.req.path, publicUrl);
        actor = found;
      }
    }
    c.set('actor', { ...actor, ...(base.traceparent ? { traceparent: base.traceparent } : {}) });
    await next();
  });
}

/** Unsafe JSON calls with a cookie must come from our own pages (contract section 5). */
function refuseForeignOrigin(
  method: string,
  origin: string | undefined,
  path: string,
  publicUrl: string,
): void {
  if (safeMethods.has(method) || !path.startsWith('/v1/')) return;
  if (origin !== publicUrl) {
    throw new AppError(
      'forbidden',
      'identity.foreign_origin',
      'A call with a session must come from a page of this site (Origin header).',
    );
  }
}

/** For routes that are nobody's but a known caller's: 401 before anything is validated. */
export const requireActor = createMiddleware<Env>(async (c, next) => {
  if (c.get('actor').kind === 'anonymous') {
    throw new AppError(
      'unauthenticated',
      'identity.sign_in_required',
      'Send a DPoP-bound token or sign in.',
      {
        headers: { 'WWW-Authenticate': 'DPoP algs="ES256"' },
      },
    );
  }
  await next();
});
