// Requests per minute and caller, in a fixed window of this process. 429 tells when to come back.
import { createMiddleware } from 'hono/factory';
import { AppError, type Clock } from '../platform/index.ts';
import type { Env } from './env.ts';

const windowSeconds = 60;
/** More callers than this in one minute are counted together: memory stays bounded. */
const mostCallers = 50_000;

/** Counts by client or session; anonymous callers by address. 0 means no limit. */
export function rateLimit(deps: {
  clock: Clock;
  perClient: number;
  perAddress: number;
  addressOf: (c: unknown) => string;
}) {
  const { clock, perClient, perAddress, addressOf } = deps;
  let windowStart = 0;
  let counts = new Map<string, number>();
  return createMiddleware<Env>(async (c, next) => {
    const actor = c.get('actor');
    const isAnonymous = actor.kind === 'anonymous';
    const limit = isAnonymous ? perAddress : perClient;
    if (limit === 0) return next();
    const nowSeconds = Math.floor(clock.now().getTime() / 1000);
    if (nowSeconds - windowStart >= windowSeconds) {
      windowStart = nowSeconds;
      counts = new Map();
    }
    const caller = isAnonymous
      ? `address ${addressOf(c)}`
      : `caller ${actor.clientId ?? actor.sessionId ?? ''}`;
    const key = counts.has(caller) || counts.size < mostCallers ? caller : 'others';
    const count = (counts.get(key) ?? 0) + 1;
    counts.set(key, count);
    const reset = Math.max(1, windowStart + windowSeconds - nowSeconds);
    const headers = {
      'RateLimit-Limit': String(limit),
      'RateLimit-Remaining': String(Math.max(0, limit - count)),
      'RateLimit-Reset': String(reset),
    };
    if (count > limit) {
      throw new AppError(
        'rate_limited',
        'platform.rate_limited',
        'Too many requests in this minute.',
        {
          retryAfterSeconds: reset,
          headers,
        },
      );
    }
    await next();
    for (const [name, value] of Object.entries(headers)) c.header(name, value);
  });
}
