// Departments' systems as operators run them: one proposes a change, another decides about it.
import { createRoute, OpenAPIHono, z } from '@hono/zod-openapi';
import {
  type Client,
  type ClientChange,
  ClientDecision,
  ClientProposal,
} from '../identity/index.ts';
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

const ClientShape = shapeOf<Client>('Client', "A department's system: state, scopes, public keys.");
export const ChangeShape = shapeOf<ClientChange>(
  'ClientChange',
  'A proposed change of a client or relying party, who proposed it, and what was decided by whom.',
);
const conflicts = refusals({ 409: 'Not possible in the present state, or decided already' });
const ChangeId = z.object({ id: z.string().max(64) });
const ClientId = z.object({ client: z.string().max(64) });

const list = createRoute({
  method: 'get',
  path: '/',
  tags: ['operators'],
  summary: 'All clients',
  request: { query: Paging },
  responses: { ...commonRefusals, 200: jsonReply(pageOf(ClientShape), 'Clients by id') },
});

const listChanges = createRoute({
  method: 'get',
  path: '/changes',
  tags: ['operators'],
  summary: 'Proposed changes, latest first',
  request: {
    query: Paging.extend({
      open: z.enum(['true', 'false']).default('false'),
      client: z.string().max(64).optional(),
    }),
  },
  responses: { ...commonRefusals, 200: jsonReply(pageOf(ChangeShape), 'Changes') },
});

const getChange = createRoute({
  method: 'get',
  path: '/changes/{id}',
  tags: ['operators'],
  summary: 'One proposed change',
  request: { params: ChangeId },
  responses: { ...commonRefusals, 200: jsonReply(ChangeShape, 'The change') },
});

const propose = createRoute({
  method: 'post',
  path: '/changes',
  tags: ['operators'],
  summary:
    'Propose to register, suspend, resume or hold a client, to change its keys or scopes; likewise a relying party and its addresses',
  request: jsonBody(ClientProposal),
  responses: { ...commonRefusals, ...conflicts, 201: jsonReply(ChangeShape, 'Proposed') },
});

const decide = createRoute({
  method: 'post',
  path: '/changes/{id}/{decision}',
  tags: ['operators'],
  summary: 'Approve or refuse what another operator proposed',
  request: {
    params: ChangeId.extend({ decision: z.enum(['approve', 'refuse']) }),
    ...jsonBody(ClientDecision),
  },
  responses: { ...commonRefusals, ...conflicts, 200: jsonReply(ChangeShape, 'As decided') },
});

const get = createRoute({
  method: 'get',
  path: '/{client}',
  tags: ['operators'],
  summary: 'One client',
  request: { params: ClientId },
  responses: { ...commonRefusals, 200: jsonReply(ClientShape, 'The client') },
});

const hold = createRoute({
  method: 'post',
  path: '/{client}/hold',
  tags: ['operators'],
  summary: 'Hold a client at once; without a second operator it lifts itself after 24 hours',
  request: { params: ClientId, ...jsonBody(ClientDecision) },
  responses: { ...commonRefusals, ...conflicts, 201: jsonReply(ChangeShape, 'Held') },
});

/** Routes under /v1/clients. */
export function clientRoutes({
  identity,
  idempotency,
}: Pick<Services, 'identity' | 'idempotency'>) {
  const routes = new OpenAPIHono<Env>();
  routes.post('/changes', idempotent({ idempotency }));
  routes.post('/:client/hold', idempotent({ idempotency }));
  const location = ({ id }: ClientChange) => ({ Location: `/v1/clients/changes/${id}` });
  return routes
    .openapi(list, async (c) =>
      c.json(await identity.listClientsAs(c.get('actor'), c.req.valid('query')), 200),
    )
    .openapi(listChanges, async (c) => {
      const { open, ...query } = c.req.valid('query');
      const page = { ...query, open: open === 'true' };
      return c.json(await identity.listClientChanges(c.get('actor'), page), 200);
    })
    .openapi(getChange, async (c) =>
      c.json(await identity.getClientChange(c.get('actor'), c.req.valid('param').id), 200),
    )
    .openapi(propose, async (c) => {
      const change = await identity.proposeClientChange(c.get('actor'), c.req.valid('json'));
      return c.json(change, 201, location(change));
    })
    .openapi(decide, async (c) => {
      const { id, decision } = c.req.valid('param');
      const body = c.req.valid('json');
      return c.json(await identity.decideClientChange(c.get('actor'), id, decision, body), 200);
    })
    .openapi(get, async (c) =>
      c.json(await identity.getClient(c.get('actor'), c.req.valid('param').client), 200),
    )
    .openapi(hold, async (c) => {
      const { client } = c.req.valid('param');
      const change = await identity.proposeClientChange(c.get('actor'), {
        kind: 'hold',
        client,
        ...c.req.valid('json'),
      });
      return c.json(change, 201, location(change));
    });
}
