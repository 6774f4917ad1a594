// Idempotency-Key on calls that create (contract section 3): the first result again, never a second act.
import { createHash } from 'node:crypto';
import { createMiddleware } from 'hono/factory';
import type { Actor } from '../identity/index.ts';
import { AppError, type Idempotency, type Json } from '../platform/index.ts';
import type { Env } from './env.ts';

/** Logs the look that a repeated answer is; the first result is handed over parsed. */
type LogReplay = (actor: Actor, body: Json) => Promise<void>;

const wellFormedKey = /^[\x21-\x7e]{1,255}$/;

function scopeOf(actor: Actor): string {
  return actor.clientId ?? actor.sessionId ?? actor.kind;
}

/** Runs the rest of the chain at most once per caller and key. */
export function idempotent(deps: { idempotency: Idempotency; logReplay?: LogReplay }) {
  const { idempotency, logReplay } = deps;
  return createMiddleware<Env>(async (c, next) => {
    const key = c.req.header('idempotency-key');
    if (key === undefined) return next();
    if (!wellFormedKey.test(key)) {
      throw new AppError(
        'invalid',
        'idempotency.key_invalid',
        'Idempotency-Key is 1 to 255 visible ASCII characters.',
      );
    }
    const body = await c.req.text();
    const fingerprint = createHash('sha256')
      .update(`${c.req.method}\n${c.req.path}\n${body}`)
      .digest('hex');
    const actor = c.get('actor');
    const { response, isReplay } = await idempotency.run(
      scopeOf(actor),
      key,
      fingerprint,
      async () => {
        await next();
        // An AppError became a response inside next(); it is stored like any other result.
        return {
          status: c.res.status,
          headers: keptHeaders(c.res.headers),
          body: await c.res.clone().text(),
        };
      },
    );
    if (!isReplay) return;
    if (logReplay && response.status < 300) await logReplay(actor, JSON.parse(response.body));
    c.res = new Response(response.body, {
      status: response.status,
      headers: { ...response.headers, 'Idempotent-Replayed': 'true' },
    });
  });
}

function keptHeaders(headers: Headers): Record<string, string> {
  const kept: Record<string, string> = {};
  for (const name of ['content-type', 'location', 'retry-after', 'cache-control', 'etag']) {
    const value = headers.get(name);
    if (value !== null) kept[name] = value;
  }
  return kept;
}
