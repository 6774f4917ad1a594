// The address of a request: what could not even be looked for is refused here.
import type { Context } from 'hono';
import { createMiddleware } from 'hono/factory';
import type { Env } from './env.ts';
import { apiErrors } from './errors.ts';

/** The path as the caller wrote it: what a DPoP proof names (RFC 9449 section 4.3). */
export function writtenPath(url: string): string {
  return new URL(url).pathname;
}

/** Where programs call: the answer to them is never a page. */
const forPrograms =
  /^\/(v1|api|oauth|\.well-known|log|pki|vct|status-lists|datastore|healthz|readyz|metrics)(\/|$)/;

/** Whether a browser asks for a page, and may be told of a refusal by one. */
export function isForPeople(c: Context<Env>): boolean {
  return !forPrograms.test(c.req.path) && /\btext\/html\b/.test(c.req.header('accept') ?? '');
}

/** RFC 9110 section 4.1 asks for 8,000 octets at least; what is longer belongs into a body. */
const longestUrl = 8_192;

/** Refuses an address that is too long, or has a NUL: no database takes one. */
export const checkUrl = createMiddleware<Env>(async (c, next) => {
  if (c.req.url.length > longestUrl) {
    throw apiErrors.url_too_long(`The address is longer than ${longestUrl} characters.`);
  }
  if (c.req.url.includes('%00')) {
    throw apiErrors.url_malformed('The address holds a NUL (%00). Encode what you put into it.');
  }
  await next();
});
