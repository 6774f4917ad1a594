// Agreements between departments: to ask a question, or to use a licence type (contract section 4.2).
import { createRoute, OpenAPIHono, z } from '@hono/zod-openapi';
import type { Services } from './compose.ts';
import type { Env } from './env.ts';
import { idempotent } from './idempotent.ts';
import {
  commonRefusals,
  Day,
  JsonObject,
  jsonBody,
  jsonReply,
  Paging,
  pageOf,
  Reference,
} from './shapes.ts';

const Agreement = z
  .looseObject({
    id: z.string(),
    state: z.string(),
    requester: z.string(),
    provider: z.string(),
    version: z.number(),
    hash: z.string(),
  })
  .openapi('Agreement');

const ProposeInput = z
  .strictObject({
    service: z.string().max(64).optional(),
    licenceType: z.string().max(64).optional(),
    legalBases: z.array(z.string().max(64)).min(1).max(20),
    fields: z.array(z.string().max(100)).max(100),
    purposes: z.array(z.string().max(500)).max(100),
    quota: z.strictObject({ perDay: z.number().int().min(1).max(100_000_000) }),
    validFrom: Day,
    validTo: Day,
    paramLimits: JsonObject.optional(),
    cacheAnswers: z.boolean().optional(),
    signedRequests: z.boolean().optional(),
  })
  .openapi('ProposeAgreement');

const DecideInput = z.strictObject({
  reason: z.string().min(1).max(1000),
  officer: Reference.optional(),
});

const propose = createRoute({
  method: 'post',
  path: '/',
  tags: ['exchange'],
  summary: 'Propose an agreement to a provider',
  request: jsonBody(ProposeInput),
  responses: { ...commonRefusals, 201: jsonReply(Agreement, 'Proposed') },
});

const list = createRoute({
  method: 'get',
  path: '/',
  tags: ['exchange'],
  summary: 'Agreements the caller is a party of',
  request: { query: Paging },
  responses: { ...commonRefusals, 200: jsonReply(pageOf(Agreement), 'Agreements') },
});

const get = createRoute({
  method: 'get',
  path: '/{id}',
  tags: ['exchange'],
  summary: 'One agreement',
  request: { params: z.object({ id: z.string().max(64) }) },
  responses: { ...commonRefusals, 200: jsonReply(Agreement, 'The agreement') },
});

const decide = createRoute({
  method: 'post',
  path: '/{id}/{decision}',
  tags: ['exchange'],
  summary: 'Approve or refuse a proposal; suspend, resume or revoke an agreement',
  request: {
    params: z.object({
      id: z.string().max(64),
      decision: z.enum(['approve', 'refuse', 'suspend', 'resume', 'revoke']),
    }),
    ...jsonBody(DecideInput),
  },
  responses: { ...commonRefusals, 200: jsonReply(Agreement, 'The agreement as it is now') },
});

/** Routes under /v1/agreements. */
export function agreementRoutes({
  exchange,
  idempotency,
}: Pick<Services, 'exchange' | 'idempotency'>) {
  const routes = new OpenAPIHono<Env>();
  routes.post('/', idempotent({ idempotency }));
  return routes
    .openapi(propose, async (c) => {
      const agreement = await exchange.proposeAgreement(c.get('actor'), c.req.valid('json'));
      return c.json(agreement, 201, { Location: `/v1/agreements/${agreement.id}` });
    })
    .openapi(list, async (c) =>
      c.json(await exchange.listAgreements(c.get('actor'), c.req.valid('query')), 200),
    )
    .openapi(get, async (c) =>
      c.json(await exchange.getAgreement(c.get('actor'), c.req.valid('param').id), 200),
    )
    .openapi(decide, async (c) => {
      const { id, decision } = c.req.valid('param');
      return c.json(
        await exchange.decideAgreement(c.get('actor'), id, decision, c.req.valid('json')),
        200,
      );
    });
}
