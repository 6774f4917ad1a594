// Relying parties as operators see them. What becomes of one is proposed and decided at
// /v1/clients/changes.
import { createRoute, OpenAPIHono, z } from '@hono/zod-openapi';
import type { RelyingParty } from '../identity/index.ts';
import type { Services } from './compose.ts';
import type { Env } from './env.ts';
import { commonRefusals, jsonReply, Paging, pageOf, shapeOf } from './shapes.ts';

const PartyShape = shapeOf<RelyingParty>(
  'RelyingParty',
  'A system that has people signed in here: state, addresses, public keys.',
);

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
  request: { params: z.object({ party: z.string().max(64) }) },
  responses: { ...commonRefusals, 200: jsonReply(PartyShape, 'The relying party') },
});

/** Routes under /v1/relying-parties. */
export function relyingPartyRoutes({ identity }: Pick<Services, 'identity'>) {
  return new OpenAPIHono<Env>()
    .openapi(list, async (c) =>
      c.json(await identity.listRelyingPartiesAs(c.get('actor'), c.req.valid('query')), 200),
    )
    .openapi(get, async (c) =>
      c.json(await identity.getRelyingParty(c.get('actor'), c.req.valid('param').party), 200),
    );
}
