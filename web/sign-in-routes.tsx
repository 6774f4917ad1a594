// /sign-in and /sign-out. The same address serves the form and JSON callers (contract section 5).
import { Hono } from 'hono';
import { getCookie } from 'hono/cookie';
import type { Actor } from '../identity/index.ts';
import { AppError } from '../platform/index.ts';
import type { PageDeps } from './deps.ts';
import { statusOf } from './error-page.tsx';
import { webErrors } from './errors.ts';
import { readForm, readOwnForm, safeNext } from './forms.ts';
import type { PageContext, PageEnv } from './page.tsx';
import { SignInPage } from './sign-in.tsx';

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
function homeOf(actor: Actor): string {
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
  return error.code === 'web.sign_in_incomplete' ? words.incomplete : words.failed;
}

export function signInRoutes(deps: Pick<PageDeps, 'identity' | 'sessionCookie' | 'deviceCookie'>) {
  const { identity, sessionCookie, deviceCookie } = deps;
  const isLocal = identity.isLocalSignInAllowed;

  /** Told after the session's, which simple clients take the first cookie for. */
  function keepDevice(c: PageContext, device: string): void {
    if (device === getCookie(c, deviceCookie.name)) return;
    c.header('Set-Cookie', deviceCookie.set(device), { append: true });
  }

  return new Hono<PageEnv>()
    .get('/sign-in', (c) =>
      c.html(<SignInPage c={c} next={safeNext(c.req.query('next'), '')} isLocal={isLocal} />),
    )
    .post('/sign-in', async (c) => {
      const isJson = (c.req.header('content-type') ?? '').startsWith('application/json');
      const body = isJson ? await readJsonBody(c) : await readForm(c);
      const next = typeof body.next === 'string' ? body.next : undefined;
      // Known before the first try, so that a browser's wrong tries count together from the first on.
      const device = identity.deviceCookie(getCookie(c, deviceCookie.name));
      try {
        const { cookie, actor } = await identity.signIn(credentialsFrom(body), {
          requestId: c.get('requestId'),
          address: c.get('peerAddress'),
          device,
          userAgent: c.req.header('user-agent'),
          before: c.get('actor'),
        });
        c.header('Set-Cookie', sessionCookie.set(cookie));
        keepDevice(c, device);
        c.header('Cache-Control', 'no-store');
        return isJson ? c.body(null, 204) : c.redirect(safeNext(next, homeOf(actor)), 303);
      } catch (error) {
        keepDevice(c, device);
        if (isJson || !(error instanceof AppError)) throw error;
        if (error.retryAfterSeconds !== undefined) {
          c.header('Retry-After', String(error.retryAfterSeconds));
        }
        return c.html(
          <SignInPage
            c={c}
            next={safeNext(next, '')}
            isLocal={isLocal}
            failure={failureOf(c, error)}
          />,
          statusOf(error),
        );
      }
    })
    .post('/sign-out', async (c) => {
      await readOwnForm(c, identity);
      await identity.signOut(c.get('actor'));
      return c.body(null, 303, { 'Set-Cookie': sessionCookie.clear(), Location: '/' });
    });
}
