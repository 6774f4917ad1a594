// Passkeys that officers have lost: one operator asks for a reset, another decides about it.
import { createRoute, OpenAPIHono, z } from '@hono/zod-openapi';
import type { DecidedPasskeyReset, PasskeyReset } from '../identity/index.ts';
import type { Services } from './compose.ts';
import type { Env } from './env.ts';
import { Decision, notPossible, RequestsQuery } from './four-eyes.ts';
import { idempotent } from './idempotent.ts';
import { commonRefusals, jsonBody, jsonReply, pageOf, shapeOf } from './shapes.ts';

const Reset = shapeOf<PasskeyReset>(
  'PasskeyReset',
  'id, officer, organisation, reason, state: open, approved or refused, requestedBy, requestedAt, decidedBy, decidedAt',
);
const Decided = shapeOf<DecidedPasskeyReset>(
  'DecidedPasskeyReset',
  'A PasskeyReset with enrolment: null, or url and expiresAt of the link to hand over to the officer. Told in this reply alone.',
);

const list = createRoute({
  method: 'get',
  path: '/',
  tags: ['operators'],
  summary: 'Resets of passkeys, newest first',
  request: { query: RequestsQuery },
  responses: { ...commonRefusals, 200: jsonReply(pageOf(Reset), 'Resets') },
});

const request = createRoute({
  method: 'post',
  path: '/',
  tags: ['operators'],
  summary: 'Ask for all passkeys of an officer to be ended; another operator decides',
  request: jsonBody(
    z
      .strictObject({ officer: z.string().max(64), reason: z.string().min(1).max(500) })
      .openapi('RequestPasskeyReset'),
  ),
  responses: { ...commonRefusals, ...notPossible, 202: jsonReply(Reset, 'Waits for a decision') },
});

const decide = createRoute({
  method: 'post',
  path: '/{id}/{decision}',
  tags: ['operators'],
  summary: 'Approve or refuse; approving ends her passkeys and sessions at once',
  request: Decision,
  responses: { ...commonRefusals, ...notPossible, 200: jsonReply(Decided, 'As it is now') },
});

/** Routes under /v1/passkey-resets. */
export function passkeyResetRoutes({
  identity,
  idempotency,
}: Pick<Services, 'identity' | 'idempotency'>) {
  const routes = new OpenAPIHono<Env>();
  routes.post('/', idempotent({ idempotency }));
  return routes
    .openapi(list, async (c) =>
      c.json(await identity.listPasskeyResets(c.get('actor'), c.req.valid('query')), 200),
    )
    .openapi(request, async (c) =>
      c.json(await identity.requestPasskeyReset(c.get('actor'), c.req.valid('json')), 202),
    )
    .openapi(decide, async (c) => {
      const { id, decision } = c.req.valid('param');
      const body = c.req.valid('json');
      return c.json(await identity.decidePasskeyReset(c.get('actor'), id, decision, body), 200);
    });
}
