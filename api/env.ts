// What the HTTP edge keeps for one request, and what all routes are handed.
import type { HttpBindings } from '@hono/node-server';
import type { Actor } from '../identity/index.ts';

export interface Env {
  /** Node's own request and response; absent where no server listens. */
  Bindings: Partial<HttpBindings>;
  Variables: {
    actor: Actor;
    requestId: string;
    /** Where the request comes from, as callers without a name are counted by. */
    peerAddress: string;
    traceparent: string | undefined;
    /** What every reply to this request carries, whoever makes it. */
    edgeHeaders: Record<string, string>;
  };
}
