// Who is asking: a department's system by its bound token, or a person by the session cookie.
import type { Context } from 'hono';
import { getCookie } from 'hono/cookie';
import { type Actor, anonymousActor, containsCitizenId, type Identity } from '../identity/index.ts';
import { hasDoor } from './doors.ts';
import type { Env } from './env.ts';
import { apiErrors } from './errors.ts';
import { writtenPath } from './request-url.ts';

const safeMethods = new Set(['GET', 'HEAD', 'OPTIONS']);
/** These know no callers of ours, whatever their standards' clients send along. */
const ownStandards = /^\/(oauth\/|\.well-known\/|api\/|datastore\/)/;
const officerKey = /^[A-Za-z0-9._:/-]{1,64}$/;

export interface AuthenticateDeps {
  identity: Identity;
  certificateOf: (c: Context<Env>) => Buffer | undefined;
  cookieName: string;
  publicUrl: string;
  publicUrlAliases: readonly string[];
}

/**
 * Gives a function that finds the actor of a request. Tokens open what has a door alone (/v1, entry
 * bundles), where a wrong one is refused even if none is needed; sessions open /v1 and the pages.
 */
export function authenticate(deps: AuthenticateDeps) {
  const { identity, certificateOf, cookieName, publicUrl } = deps;
  const origins = [publicUrl, ...deps.publicUrlAliases];
  return async (c: Context<Env>): Promise<Actor> => {
    const requestId = c.get('requestId');
    const { path } = c.req;
    const authorization = c.req.header('authorization');
    refuseTokenInUrl(c);
    if (authorization !== undefined && hasDoor(path)) {
      return identity.authenticateRequest({
        authorization,
        dpop: c.req.header('dpop'),
        certificate: certificateOf(c),
        method: c.req.method,
        url: `${publicUrl}${writtenPath(c.req.url)}`,
        requestId,
        onBehalfOf: namedOfficer(c.req.header('x-on-behalf-of')),
      });
    }
    const session = ownStandards.test(path) ? undefined : getCookie(c, cookieName);
    const actor = session && (await identity.findSession(session, requestId));
    if (!actor) return anonymousActor(requestId);
    refuseForeignOrigin(c, origins);
    return actor;
  };
}

/** FAPI 2.0: a token in an address ends up in histories and logs, so it is refused even if it holds. */
function refuseTokenInUrl(c: Context<Env>): void {
  if (!hasDoor(c.req.path) || c.req.query('access_token') === undefined) return;
  const reason = 'a token travels in the Authorization header alone';
  throw apiErrors.token_in_url(
    `The request was refused: ${reason}. Get a new one: this one is spoilt.`,
    {
      // RFC 6750 section 3.1.
      headers: {
        'WWW-Authenticate': `DPoP error="invalid_request", error_description="${reason}", algs="ES256"`,
      },
    },
  );
}

/** The officer a system acts for: stored as it is, so it may name nobody. */
function namedOfficer(key: string | undefined): string | undefined {
  if (key === undefined || (officerKey.test(key) && !containsCitizenId(key))) return key;
  throw apiErrors.header_malformed(
    'X-On-Behalf-Of is an officer key: 1 to 64 letters, digits and . _ : / -, and no citizen ID.',
  );
}

/** Unsafe JSON calls with a cookie must come from our own pages (contract section 5). */
function refuseForeignOrigin(c: Context<Env>, origins: readonly string[]): void {
  if (safeMethods.has(c.req.method) || !c.req.path.startsWith('/v1/')) return;
  const origin = c.req.header('origin');
  if (origin !== undefined && origins.includes(origin)) return;
  throw apiErrors.foreign_origin(
    'A call with a session must come from a page of this site (Origin header).',
  );
}
