// Before the doors: who is asking, and whether too often.
import type { Context } from 'hono';
import { createMiddleware } from 'hono/factory';
import { anonymousActor } from '../identity/index.ts';
import { AppError } from '../platform/index.ts';
import type { authenticate } from './authenticate.ts';
import type { Env } from './env.ts';
import type { Meter } from './rate-limit.ts';

/** Asked every few seconds by load balancers: never too often. */
const probes = new Set(['/healthz', '/readyz']);

/** Where a secret is tried: who was wrong here too often waits. */
const triesSecrets = new Set(['POST /sign-in', 'POST /oauth/token']);

export interface AdmitDeps {
  actorOf: ReturnType<typeof authenticate>;
  addressOf: (c: Context<Env>) => string;
  meter: Meter;
  /** Requests a minute of a client or session, and of an address; 0 is no limit. */
  perClient: number;
  perAddress: number;
}

/** Sets the actor of each request, and refuses who comes too often: by client or session, else by address. */
export function admit({ actorOf, addressOf, meter, perClient, perAddress }: AdmitDeps) {
  return createMiddleware<Env>(async (c, next) => {
    c.set('actor', anonymousActor(c.get('requestId')));
    if (probes.has(c.req.path)) return next();
    const address = addressOf(c);
    c.set('peerAddress', address);
    const failures = `failures of ${address}`;
    // Before any signature is checked, or wrong tokens would cost us more than their sender.
    const isTry =
      c.req.header('authorization') !== undefined ||
      triesSecrets.has(`${c.req.method} ${c.req.path}`);
    if (isTry) meter.check(failures, perAddress);
    const found = await actorOf(c).catch(async (error: unknown) => {
      if (error instanceof AppError && error.kind === 'unauthenticated') {
        await meter.note(failures, perAddress);
      }
      throw error;
    });
    const traceparent = c.get('traceparent');
    const actor = traceparent === undefined ? found : { ...found, traceparent };
    c.set('actor', actor);
    const { clientId, sessionId } = actor;
    const counted =
      actor.kind === 'anonymous'
        ? await meter.count(`address ${address}`, perAddress)
        : await meter.count(`caller ${clientId ?? sessionId}`, perClient);
    c.set('edgeHeaders', { ...c.get('edgeHeaders'), ...counted });
    await next();
    if (isTry && c.res.status === 401) await meter.note(failures, perAddress);
  });
}
