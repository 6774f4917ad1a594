// Relying parties as operators see them, the hold at once, and what they were told of sign-outs. What
// becomes of one otherwise is proposed and decided at /v1/clients/changes.
import { createRoute, OpenAPIHono, z } from '@hono/zod-openapi';
import { ClientDecision, type RelyingParty, type SignOutNotices } from '../identity/index.ts';
import { ChangeShape } from './clients.ts';
import type { Services } from './compose.ts';
import type { Env } from './env.ts';
import { idempotent } from './idempotent.ts';
import {
  commonRefusals,
  jsonBody,
  jsonReply,
  Paging,
  pageOf,
  refusals,
  shapeOf,
} from './shapes.ts';

const PartyShape = shapeOf<RelyingParty>(
  'RelyingParty',
  'A system that has people signed in here: state, addresses, public keys.',
);

const conflicts = refusals({ 409: 'Not possible in the present state, or decided already' });
const PartyId = z.object({ party: z.string().max(64) });

const list = createRoute({
  method: 'get',
  path: '/',
  tags: ['operators'],
  summary: 'All relying parties of the sign-in',
  request: { query: Paging },
  responses: { ...commonRefusals, 200: jsonReply(pageOf(PartyShape), 'Relying parties by id') },
});

const get = createRoute({
  method: 'get',
  path: '/{party}',
  tags: ['operators'],
  summary: 'One relying party',
  request: { params: PartyId },
  responses: { ...commonRefusals, 200: jsonReply(PartyShape, 'The relying party') },
});

const NoticesShape = shapeOf<SignOutNotices>(
  'SignOutNotices',
  'Sign-out notices that a relying party has not taken: still tried, and given up.',
);

const hold = createRoute({
  method: 'post',
  path: '/{party}/hold',
  tags: ['operators'],
  summary: 'Hold a relying party at once; without a second operator it lifts itself after 24 hours',
  request: { params: PartyId, ...jsonBody(ClientDecision) },
  responses: { ...commonRefusals, ...conflicts, 201: jsonReply(ChangeShape, 'Held') },
});

const notices = createRoute({
  method: 'get',
  path: '/{party}/notices',
  tags: ['operators'],
  summary: 'Sign-out notices that were not taken',
  request: { params: PartyId },
  responses: { ...commonRefusals, 200: jsonReply(NoticesShape, 'What is not delivered') },
});

const resend = createRoute({
  method: 'post',
  path: '/{party}/notices/resend',
  tags: ['operators'],
  summary: 'Try given-up sign-out notices again',
  request: { params: PartyId },
  responses: {
    ...commonRefusals,
    200: jsonReply(z.object({ resent: z.int() }), 'How many there were'),
  },
});

/** Routes under /v1/relying-parties. */
export function relyingPartyRoutes({
  identity,
  idempotency,
}: Pick<Services, 'identity' | 'idempotency'>) {
  const routes = new OpenAPIHono<Env>();
  routes.post('/:party/hold', idempotent({ idempotency }));
  return routes
    .openapi(list, async (c) =>
      c.json(await identity.listRelyingPartiesAs(c.get('actor'), c.req.valid('query')), 200),
    )
    .openapi(get, async (c) =>
      c.json(await identity.getRelyingParty(c.get('actor'), c.req.valid('param').party), 200),
    )
    .openapi(hold, async (c) => {
      const change = await identity.proposeClientChange(c.get('actor'), {
        kind: 'hold_party',
        client: c.req.valid('param').party,
        ...c.req.valid('json'),
      });
      return c.json(change, 201, { Location: `/v1/clients/changes/${change.id}` });
    })
    .openapi(notices, async (c) =>
      c.json(await identity.getSignOutNotices(c.get('actor'), c.req.valid('param').party), 200),
    )
    .openapi(resend, async (c) =>
      c.json(await identity.resendSignOutNotices(c.get('actor'), c.req.valid('param').party), 200),
    );
}
