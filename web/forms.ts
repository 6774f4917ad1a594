// Forms in: their texts, their token, and who may send them.
import { type Identity, identityErrors, requireRole } from '../identity/index.ts';
import { webErrors } from './errors.ts';
import type { PageContext } from './page.tsx';

/**
 * A form's fields as texts, the last of a name. Our forms send no files, so only the plain coding is
 * read: it costs nothing to take apart. What can't be read or stored is refused.
 */
export async function readForm(c: PageContext): Promise<Record<string, string>> {
  const type = (c.req.header('content-type') ?? '').split(';')[0]?.trim().toLowerCase();
  if (type !== undefined && type !== '' && type !== 'application/x-www-form-urlencoded') {
    throw webErrors.form_unreadable('The form could not be read. Go back and send it again.');
  }
  const text = await c.req.text();
  if (/%00|\0/.test(text)) {
    throw webErrors.form_unreadable('A text in the form holds a NUL. Type it anew.');
  }
  return Object.fromEntries(new URLSearchParams(text));
}

/** Reads a signed-in person's form; one without our token is refused (CSRF). */
export async function readOwnForm(
  c: PageContext,
  identity: Identity,
): Promise<Record<string, string>> {
  const form = await readForm(c);
  identity.checkFormToken(c.get('actor'), form.form_token);
  return form;
}

/** Sends strangers to sign in, and people to their own kind of page. */
export function requireKind(c: PageContext, kind: 'citizen' | 'officer'): void {
  const actor = c.get('actor');
  if (actor.kind === kind) return;
  if (actor.kind === 'anonymous') throw identityErrors.unauthenticated('Sign in first.');
  throw webErrors.other_account_needed(
    kind === 'citizen'
      ? 'This page is for people and companies; officers have the desk.'
      : 'This page is for officers.',
  );
}

/** Lets operators pass, and nobody else. */
export function requireOperator(c: PageContext): void {
  requireKind(c, 'officer');
  requireRole(c.get('actor'), 'operator');
}

/** Where to go after signing in: a path of ours, never another site. */
export function safeNext(next: string | undefined, fallback: string): string {
  return next && /^\/(?![/\\])[\x21-\x7e]*$/.test(next) ? next : fallback;
}
