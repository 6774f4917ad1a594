// What the HTTP edge keeps for one request, and what all routes are handed.
import type { Actor } from '../identity/index.ts';

export interface Env {
  Variables: {
    actor: Actor;
    requestId: string;
    traceparent: string | undefined;
  };
}
