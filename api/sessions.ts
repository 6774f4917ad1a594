// The caller's own sessions: listed, ended one by one or all at once (contract section 5).
import { createRoute, OpenAPIHono, z } from '@hono/zod-openapi';
import { ASSURANCES } from '../identity/index.ts';
import type { Services } from './compose.ts';
import type { Env } from './env.ts';
import { commonRefusals, jsonReply } from './shapes.ts';

const Session = z
  .object({
    id: z.string(),
    device: z.object({ browser: z.string(), system: z.string() }),
    since: z.string(),
    lastSeen: z.string(),
    assurance: z.enum(ASSURANCES),
    method: z.enum(['secret', 'passkey', 'provider']),
    isCurrent: z.boolean(),
  })
  .openapi('Session');

const list = createRoute({
  method: 'get',
  path: '/me/sessions',
  tags: ['me'],
  summary: 'Where I am signed in',
  responses: {
    ...commonRefusals,
    200: jsonReply(z.object({ items: z.array(Session) }), 'Running sessions, last seen first'),
  },
});

const endOne = createRoute({
  method: 'delete',
  path: '/me/sessions/{id}',
  tags: ['me'],
  summary: 'End one of my sessions, at once and everywhere',
  request: { params: z.object({ id: z.string().max(64) }) },
  responses: { ...commonRefusals, 204: { description: 'Ended' } },
});

const endAll = createRoute({
  method: 'delete',
  path: '/me/sessions',
  tags: ['me'],
  summary: 'Sign out everywhere, or everywhere but here',
  request: {
    query: z.object({ where: z.enum(['everywhere', 'elsewhere']).default('everywhere') }),
  },
  responses: { ...commonRefusals, 204: { description: 'Ended' } },
});

const signOut = createRoute({
  method: 'delete',
  path: '/session',
  tags: ['me'],
  summary: 'Sign out',
  responses: { ...commonRefusals, 204: { description: 'Signed out' } },
});

/** Routes under /v1 of the caller's own sessions. */
export function sessionRoutes({
  identity,
  sessionCookie,
}: Pick<Services, 'identity' | 'sessionCookie'>) {
  const cleared = { 'Set-Cookie': sessionCookie.clear() };
  return new OpenAPIHono<Env>()
    .openapi(list, async (c) => c.json({ items: await identity.listSessions(c.get('actor')) }, 200))
    .openapi(endOne, async (c) => {
      const { id } = c.req.valid('param');
      const actor = c.get('actor');
      await identity.endSession(actor, id);
      return c.body(null, 204, id === actor.sessionId ? cleared : {});
    })
    .openapi(endAll, async (c) => {
      const { where } = c.req.valid('query');
      await identity.endSessions(c.get('actor'), where);
      return c.body(null, 204, where === 'everywhere' ? cleared : {});
    })
    .openapi(signOut, async (c) => {
      await identity.signOut(c.get('actor'));
      return c.body(null, 204, cleared);
    });
}
