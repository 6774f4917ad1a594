// /sign-in and /sign-out. The same address serves the form and JSON callers (contract section 5).
import { Hono } from 'hono';
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

export function signInRoutes(deps: Pick<PageDeps, 'identity' | 'sessionCookie'>) {
  const { identity, sessionCookie } = deps;
  return new Hono<PageEnv>()
    .get('/sign-in', (c) => c.html(<SignInPage c={c} next={safeNext(c.req.query('next'), '')} />))
    .post('/sign-in', async (c) => {
      const isJson = (c.req.header('content-type') ?? '').startsWith('application/json');
      const body = isJson ? await readJsonBody(c) : await readForm(c);
      const next = typeof body.next === 'string' ? body.next : undefined;
      try {
        const { cookie, actor } = await identity.signIn(credentialsFrom(body), {
          requestId: c.get('requestId'),
        });
        const headers = { 'Set-Cookie': sessionCookie.set(cookie), 'Cache-Control': 'no-store' };
        if (isJson) return c.body(null, 204, headers);
        return c.body(null, 303, { ...headers, Location: safeNext(next, homeOf(actor)) });
      } catch (error) {
        if (isJson || !(error instanceof AppError)) throw error;
        const page = (
          <SignInPage c={c} next={safeNext(next, '')} failure={c.get('text').signInPage.failed} />
        );
        return c.html(page, statusOf(error));
      }
    })
    .post('/sign-out', async (c) => {
      await readOwnForm(c, identity);
      await identity.signOut(c.get('actor'));
      return c.body(null, 303, { 'Set-Cookie': sessionCookie.clear(), Location: '/' });
    });
}
