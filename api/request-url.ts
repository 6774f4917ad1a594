// The address of a request: what could not even be looked for is refused here.
import { createMiddleware } from 'hono/factory';
import type { Env } from './env.ts';
import { apiErrors } from './errors.ts';

/** The path as the caller wrote it: what a DPoP proof names (RFC 9449 section 4.3). */
export function writtenPath(url: string): string {
  return new URL(url).pathname;
}

/** Refuses an address with a NUL: no database takes one. */
export const checkUrl = createMiddleware<Env>(async (c, next) => {
  if (c.req.url.includes('%00')) {
    throw apiErrors.url_malformed('The address holds a NUL (%00). Encode what you put into it.');
  }
  await next();
});
