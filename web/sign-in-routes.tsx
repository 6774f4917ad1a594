// /sign-in and /sign-out. The same address serves the form and JSON callers (contract section 5).
import { Hono } from 'hono';
import { getCookie } from 'hono/cookie';
import type { Actor } from '../identity/index.ts';
import { AppError } from '../platform/index.ts';
import type { PageDeps } from './deps.ts';
import { statusOf } from './error-page.tsx';
import { webErrors } from './errors.ts';
import { readForm, readOwnForm, safeNext } from './forms.ts';
import { OnwardPage } from './openid-pages.tsx';
import type { PageContext, PageEnv } from './page.tsx';
import { isForParty, SignInPage } from './sign-in.tsx';
import { signInPlaces } from './sign-in-place.ts';

type Credentials = Parameters<PageDeps['identity']['signIn']>[0];

/** Either a person's number and PIN or an officer's name and password; anything else is refused. */
function credentialsFrom(body: Record<string, unknown>): Credentials {
  const text = (name: string): string => (typeof body[name] === 'string' ? body[name] : '');
  if (text('username') !== '') return { username: text('username'), password: text('password') };
  const scheme = text('scheme');
  if (scheme === 'cn-id' || scheme === 'uscc') {
    return { scheme, value: text('value').trim(), pin: text('pin') };
  }
  throw webErrors.sign_in_incomplete('Give scheme, value and pin, or username and password.');
}

/** The page a person starts from: citizens on /me, auditors on /audit, operators on /ops, others on /desk. */
export function homeOf(actor: Actor): string {
  if (actor.kind === 'citizen') return '/me';
  if (actor.roles.includes('auditor')) return '/audit';
  return actor.roles.includes('operator') ? '/ops' : '/desk';
}

async function readJsonBody(c: PageContext): Promise<Record<string, unknown>> {
  const body: unknown = await c.req.json().catch(() => {
    throw webErrors.json_malformed('The body is not readable as JSON.');
  });
  return typeof body === 'object' && body !== null ? { ...body } : {};
}

/** What a refusal says on the page; who is locked out is told when to come back. */
function failureOf(c: PageContext, error: AppError): string {
  const words = c.get('text').signInPage;
  if (error.retryAfterSeconds !== undefined) {
    return words.locked(Math.ceil(error.retryAfterSeconds / 60));
  }
  if (error.code === 'identity.sign_in_off') return words.off;
  if (error.code === 'web.sign_in_incomplete') return words.incomplete;
  const failures: Record<string, string> = words.providerFailures;
  return failures[error.code] ?? words.failed;
}

export function signInRoutes(
  deps: Pick<PageDeps, 'identity' | 'sessionCookie' | 'deviceCookie' | 'flowCookie'>,
) {
  const { identity, sessionCookie, flowCookie } = deps;
  const { placeOf, keepDevice } = signInPlaces(deps);
  const ways = {
    isLocal: identity.isLocalSignInAllowed,
    hasPasskeys: identity.hasPasskeys,
    providers: identity.identityProviders,
  };

  /** The sign-in page again, with what was wrong. */
  function refused(c: PageContext, error: AppError, next: string) {
    if (error.retryAfterSeconds !== undefined) {
      c.header('Retry-After', String(error.retryAfterSeconds));
    }
    const page = <SignInPage c={c} next={next} {...ways} failure={failureOf(c, error)} />;
    return c.html(page, statusOf(error));
  }

  return new Hono<PageEnv>()
    .get('/sign-in', (c) =>
      c.html(<SignInPage c={c} next={safeNext(c.req.query('next'), '')} {...ways} />),
    )
    .post('/sign-in', async (c) => {
      const isJson = (c.req.header('content-type') ?? '').startsWith('application/json');
      const body = isJson ? await readJsonBody(c) : await readForm(c);
      const next = typeof body.next === 'string' ? body.next : undefined;
      // Known before the first try, so that a browser's wrong tries count together from the first on.
      const place = placeOf(c);
      try {
        const { cookie, actor } = await identity.signIn(credentialsFrom(body), place);
        c.header('Set-Cookie', sessionCookie.set(cookie));
        keepDevice(c, place);
        c.header('Cache-Control', 'no-store');
        if (isJson) return c.body(null, 204);
        const goal = safeNext(next, homeOf(actor));
        return isForParty(goal) ? c.html(<OnwardPage c={c} next={goal} />) : c.redirect(goal, 303);
      } catch (error) {
        keepDevice(c, place);
        if (isJson || !(error instanceof AppError)) throw error;
        return refused(c, error, safeNext(next, ''));
      }
    })
    .get('/sign-in/with/:provider', async (c) => {
      const next = safeNext(c.req.query('next'), '');
      try {
        const { url, browser } = await identity.beginProviderSignIn(c.req.param('provider'), {
          browser: getCookie(c, flowCookie.name),
          next,
        });
        c.header('Set-Cookie', flowCookie.set(browser));
        return c.redirect(url, 303);
      } catch (error) {
        if (!(error instanceof AppError) || error.kind === 'not_found') throw error;
        return refused(c, error, next);
      }
    })
    .get('/sign-in/from/:provider', async (c) => {
      try {
        const { cookie, actor, next } = await identity.endProviderSignIn(c.req.param('provider'), {
          query: new URL(c.req.url).search,
          browser: getCookie(c, flowCookie.name),
          requestId: c.get('requestId'),
          userAgent: c.req.header('user-agent'),
          before: c.get('actor'),
        });
        c.header('Set-Cookie', sessionCookie.set(cookie));
        return c.redirect(safeNext(next, homeOf(actor)), 303);
      } catch (error) {
        if (!(error instanceof AppError) || error.kind === 'not_found') throw error;
        return refused(c, error, '');
      }
    })
    .post('/sign-out', async (c) => {
      await readOwnForm(c, identity);
      await identity.signOut(c.get('actor'));
      return c.body(null, 303, { 'Set-Cookie': sessionCookie.clear(), Location: '/' });
    });
}
