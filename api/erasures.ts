// Erasing people's data and holding it: one operator asks, another decides. Whom it is about comes in
// bodies and is told to nobody.
import { createRoute, OpenAPIHono, z } from '@hono/zod-openapi';
import { type Erasure, HOLD_ACTS, type LegalHold } from '../oversight/index.ts';
import type { Services } from './compose.ts';
import type { Env } from './env.ts';
import { idempotent } from './idempotent.ts';
import {
  commonRefusals,
  Identifier,
  jsonBody,
  jsonReply,
  Paging,
  Purpose,
  pageOf,
  refusals,
  shapeOf,
} from './shapes.ts';

const ErasureShape = shapeOf<Erasure>('Erasure', 'Who asked, who decided, and how far it is.');
const HoldShape = shapeOf<LegalHold>('LegalHold', 'Who placed, confirmed and lifted it.');
const conflicts = refusals({
  409: 'A licence is valid, a legal hold stands, or it is decided already',
});
const Id = z.object({ id: z.string().max(64) });
const About = z.strictObject({ subject: Identifier, reason: Purpose });
const Reason = z.strictObject({ reason: Purpose });

const list = createRoute({
  method: 'get',
  path: '/erasures',
  tags: ['operators'],
  summary: 'Erasures, latest first',
  request: { query: Paging },
  responses: { ...commonRefusals, 200: jsonReply(pageOf(ErasureShape), 'Erasures') },
});

const get = createRoute({
  method: 'get',
  path: '/erasures/{id}',
  tags: ['operators'],
  summary: 'One erasure',
  request: { params: Id },
  responses: { ...commonRefusals, 200: jsonReply(ErasureShape, 'The erasure') },
});

const request = createRoute({
  method: 'post',
  path: '/erasures',
  tags: ['operators'],
  summary: "Ask for the erasure of a person's data",
  request: jsonBody(About),
  responses: { ...commonRefusals, ...conflicts, 201: jsonReply(ErasureShape, 'Asked for') },
});

const approve = createRoute({
  method: 'post',
  path: '/erasures/{id}/approve',
  tags: ['operators'],
  summary: 'Approve what another operator asked for: the data can not be read from then on',
  request: { params: Id, ...jsonBody(z.strictObject({ subject: Identifier })) },
  responses: { ...commonRefusals, ...conflicts, 200: jsonReply(ErasureShape, 'Destroyed') },
});

const refuse = createRoute({
  method: 'post',
  path: '/erasures/{id}/refuse',
  tags: ['operators'],
  summary: 'Refuse what another operator asked for',
  request: { params: Id, ...jsonBody(Reason) },
  responses: { ...commonRefusals, ...conflicts, 200: jsonReply(ErasureShape, 'Refused') },
});

const listHolds = createRoute({
  method: 'get',
  path: '/legal-holds',
  tags: ['operators'],
  summary: 'Legal holds, latest first',
  request: { query: Paging },
  responses: { ...commonRefusals, 200: jsonReply(pageOf(HoldShape), 'Holds') },
});

const placeHold = createRoute({
  method: 'post',
  path: '/legal-holds',
  tags: ['operators'],
  summary: "Keep a person's data from erasure; works at once",
  request: jsonBody(About),
  responses: { ...commonRefusals, ...conflicts, 201: jsonReply(HoldShape, 'Placed') },
});

const actOnHold = createRoute({
  method: 'post',
  path: '/legal-holds/{id}/{act}',
  tags: ['operators'],
  summary: 'Confirm a hold, ask that it be lifted, lift it',
  request: { params: Id.extend({ act: z.enum(HOLD_ACTS) }), ...jsonBody(Reason) },
  responses: { ...commonRefusals, ...conflicts, 200: jsonReply(HoldShape, 'As it stands now') },
});

/** Routes under /v1: erasures and legal holds. */
export function erasureRoutes({
  erasures,
  idempotency,
}: Pick<Services, 'erasures' | 'idempotency'>) {
  const routes = new OpenAPIHono<Env>();
  routes.post('/erasures', idempotent({ idempotency }));
  routes.post('/legal-holds', idempotent({ idempotency }));
  return routes
    .openapi(list, async (c) =>
      c.json(await erasures.listErasures(c.get('actor'), c.req.valid('query')), 200),
    )
    .openapi(get, async (c) =>
      c.json(await erasures.getErasure(c.get('actor'), c.req.valid('param').id), 200),
    )
    .openapi(request, async (c) => {
      const erasure = await erasures.requestErasure(c.get('actor'), c.req.valid('json'));
      return c.json(erasure, 201, { Location: `/v1/erasures/${erasure.id}` });
    })
    .openapi(approve, async (c) => {
      const { id } = c.req.valid('param');
      return c.json(await erasures.approveErasure(c.get('actor'), id, c.req.valid('json')), 200);
    })
    .openapi(refuse, async (c) => {
      const { id } = c.req.valid('param');
      return c.json(await erasures.refuseErasure(c.get('actor'), id, c.req.valid('json')), 200);
    })
    .openapi(listHolds, async (c) =>
      c.json(await erasures.listHolds(c.get('actor'), c.req.valid('query')), 200),
    )
    .openapi(placeHold, async (c) =>
      c.json(await erasures.placeHold(c.get('actor'), c.req.valid('json')), 201),
    )
    .openapi(actOnHold, async (c) => {
      const { id, act } = c.req.valid('param');
      return c.json(await erasures.actOnHold(c.get('actor'), id, act, c.req.valid('json')), 200);
    });
}
