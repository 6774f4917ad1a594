// Idempotency-Key on calls that create (contract section 3): the first result again, never a second act.
import { createMiddleware } from 'hono/factory';
import type { Actor } from '../identity/index.ts';
import { type Idempotency, type Json, requestFingerprint } from '../platform/index.ts';
import type { Env } from './env.ts';

/**
 * Logs the look that a repeated answer is, given the first one, and refuses where it may not be shown
 * any more. What it resolves with, if anything, is sent instead of the first body.
 */
type LogReplay = (actor: Actor, first: Record<string, Json>) => Promise<object | undefined>;

function scopeOf(actor: Actor): string {
  const caller = actor.clientId ?? actor.sessionId ?? actor.kind;
  return actor.actingFor ? `${caller} ${actor.actingFor.delegationId}` : caller;
}

/** Runs the rest of the chain at most once per caller and key. */
export function idempotent(deps: { idempotency: Idempotency; logReplay?: LogReplay }) {
  const { idempotency, logReplay } = deps;
  return createMiddleware<Env>(async (c, next) => {
    const key = c.req.header('idempotency-key');
    // Whose delegation has ended is refused by the act, not given what she once got.
    if (key === undefined || c.get('actor').actingFor?.hasEnded) return next();
    const { pathname, search } = new URL(c.req.url);
    const fingerprint = requestFingerprint(c.req.method, pathname + search, await c.req.text());
    const actor = c.get('actor');
    const act = async () => {
      await next();
      // An AppError became a response inside next(); it is stored like any other result.
      return {
        status: c.res.status,
        headers: keptHeaders(c.res.headers),
        body: await c.res.clone().text(),
      };
    };
    const { response, isReplay } = await idempotency.run(scopeOf(actor), key, fingerprint, act);
    if (!isReplay) return;
    const first = response.status < 300 ? readObject(response.body) : undefined;
    const instead = first && (await logReplay?.(actor, first));
    c.res = new Response(instead ? JSON.stringify(instead) : response.body, {
      status: response.status,
      headers: { ...response.headers, 'Idempotent-Replayed': 'true' },
    });
  });
}

/** The stored body: JSON of our own making. */
function readObject(body: string): Record<string, Json> | undefined {
  const value: unknown = JSON.parse(body);
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? { ...value }
    : undefined;
}

function keptHeaders(headers: Headers): Record<string, string> {
  const kept: Record<string, string> = {};
  for (const name of ['content-type', 'location', 'retry-after', 'cache-control', 'etag']) {
    const value = headers.get(name);
    if (value !== null) kept[name] = value;
  }
  return kept;
}
