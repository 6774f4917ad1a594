// Every form proves that it came from a page of ours, a stranger's too (OWASP CSRF; RFC 6265bis).
import type { Next } from 'hono';
import { getCookie } from 'hono/cookie';
import { identityErrors } from '../identity/index.ts';
import type { PageDeps } from './deps.ts';
import { webErrors } from './errors.ts';
import { readForm } from './forms.ts';
import type { PageContext } from './page.tsx';
import { isUpload } from './upload-form.ts';

const safeMethods = new Set(['GET', 'HEAD', 'OPTIONS']);
const tokenBytes = 32;
const wellFormed = /^[\w-]{43}$/;

/**
 * Gives pages the token for their forms and refuses every form without it, before any page sees it.
 * A signed-in person's forms carry the session's token. A stranger's carry what a cookie of the same
 * page holds, which no other site can read or plant (`__Host-` where the house speaks https). Who has
 * no such cookie must come from our origin, or be no browser at all: nothing can be forged through it.
 */
export function formGuard({
  identity,
  ids,
  config,
  readUpload,
}: Pick<PageDeps, 'identity' | 'ids' | 'config' | 'readUpload'>) {
  const origins = [config.publicUrl, ...config.publicUrlAliases];
  const isSecure = config.publicUrl.startsWith('https:');
  const cookieName = isSecure ? '__Host-yihao_form' : 'yihao_form';
  const attributes = `Path=/; HttpOnly; SameSite=Lax${isSecure ? '; Secure' : ''}`;

  async function check(c: PageContext, kept: string | undefined): Promise<void> {
    const actor = c.get('actor');
    const origin = c.req.header('origin');
    if (origin !== undefined && !origins.includes(origin)) {
      throw webErrors.foreign_origin(
        'This was sent from another site. Open the page here instead.',
      );
    }
    // Another site's script can't send this type unasked, and we allow it to none.
    if ((c.req.header('content-type') ?? '').startsWith('application/json')) return;
    const given = isUpload(c.req.path, c.req.header('content-type'))
      ? await uploadToken(c)
      : (await readForm(c)).form_token;
    if (actor.sessionId !== undefined) return identity.checkFormToken(actor, given);
    const isBrowser = [origin, c.req.header('sec-fetch-site'), c.req.header('cookie')].some(
      Boolean,
    );
    const isOurs = kept === undefined ? origin !== undefined || !isBrowser : given === kept;
    if (!isOurs) {
      throw identityErrors.form_token_invalid(
        'This form is too old or from elsewhere. Go back, reload the page and send it again.',
      );
    }
  }

  async function uploadToken(c: PageContext): Promise<string | undefined> {
    const parts = await readUpload(c.req.raw);
    c.set('upload', parts);
    return parts.find(({ name }) => name === 'form_token')?.text;
  }

  return async (c: PageContext, next: Next): Promise<void> => {
    const actor = c.get('actor');
    const cookie = getCookie(c, cookieName);
    const kept = cookie !== undefined && wellFormed.test(cookie) ? cookie : undefined;
    let made: string | undefined;
    c.set('formToken', () => {
      if (actor.sessionId !== undefined) return identity.formToken(actor);
      if (kept !== undefined) return kept;
      made ??= ids.token(tokenBytes);
      return made;
    });
    if (!safeMethods.has(c.req.method)) await check(c, kept);
    await next();
    if (made !== undefined) {
      c.header('Set-Cookie', `${cookieName}=${made}; ${attributes}`, { append: true });
    }
  };
}
