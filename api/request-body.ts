// Bodies: how large, of which type, and readable; checked before any route sees them.
import { bodyLimit } from 'hono/body-limit';
import { createMiddleware } from 'hono/factory';
import { AppError } from '../platform/index.ts';
import type { Env } from './env.ts';

const oneMebibyte = 1024 * 1024;
/** Uploads and imports may be larger (contract section 3). */
const uploadPaths = /^\/v1\/(imports|public\/verify|datasets\/[^/]+\/rows)$/;

function tooLarge(limit: number): AppError {
  return new AppError(
    'too_large',
    'platform.body_too_large',
    `The body is larger than ${limit / oneMebibyte} MiB.`,
  );
}

function limited(limit: number) {
  return bodyLimit({
    maxSize: limit,
    onError: () => {
      throw tooLarge(limit);
    },
  });
}

const small = limited(oneMebibyte);
const large = limited(20 * oneMebibyte);

/** Refuses bodies over the limit: 413 `platform.body_too_large`. */
export const limitBody = createMiddleware<Env>((c, next) =>
  uploadPaths.test(c.req.path) ? large(c, next) : small(c, next),
);

/**
 * For JSON routes: another content type is 415, unreadable JSON 400; an absent body reads as {}.
 * Runs after authentication, so a stranger learns nothing from it.
 */
export const readJson = createMiddleware<Env>(async (c, next) => {
  const hasBody = ['POST', 'PUT', 'PATCH'].includes(c.req.method);
  if (hasBody && !uploadPaths.test(c.req.path) && !c.req.path.endsWith('/batch')) {
    const text = await c.req.text();
    if (text !== '') {
      const type = (c.req.header('content-type') ?? '').split(';')[0]?.trim().toLowerCase();
      if (type !== 'application/json') {
        throw new AppError(
          'unsupported_type',
          'platform.content_type',
          'Send the body as application/json.',
        );
      }
      parseJson(text);
    }
  }
  await next();
});

function parseJson(text: string): void {
  try {
    JSON.parse(text);
  } catch {
    throw new AppError('malformed', 'platform.json_malformed', 'The body is not readable as JSON.');
  }
}
