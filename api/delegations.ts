// Who may act for whom: delegations given and received, and the session that acts for another (contract section 5).
import { createRoute, OpenAPIHono, z } from '@hono/zod-openapi';
import { type Delegation, DelegationInput } from '../identity/index.ts';
import type { RepresentedCompany } from '../registry/index.ts';
import type { Services } from './compose.ts';
import type { Env } from './env.ts';
import { idempotent } from './idempotent.ts';
import { commonRefusals, jsonBody, jsonReply, refusals, shapeOf } from './shapes.ts';

const DelegationShape = shapeOf<Delegation>(
  'Delegation',
  'id, side (principal or agent), principal, agent, items, validFrom, validTo, state, proposedAt, acceptedAt, endedAt',
);

const CompanyShape = shapeOf<Omit<RepresentedCompany, 'id'>>(
  'RepresentedCompany',
  'uscc, name, licence (the one that names me), delegations',
);

const list = createRoute({
  method: 'get',
  path: '/me/delegations',
  tags: ['me'],
  summary: 'Delegations I gave and was given, newest first',
  responses: {
    ...commonRefusals,
    200: jsonReply(z.object({ items: z.array(DelegationShape) }), 'Delegations'),
  },
});

const give = createRoute({
  method: 'post',
  path: '/me/delegations',
  tags: ['me'],
  summary: 'Propose that someone act for me; it holds once she accepts',
  request: jsonBody(DelegationInput),
  responses: {
    ...commonRefusals,
    ...refusals({ 409: 'This agent has an open one, or too many are open' }),
    201: jsonReply(DelegationShape, 'The delegation, proposed'),
  },
});

/** By the licence that names the representative: what names a company itself stands in no address. */
const Company = z.object({ licence: z.string().max(160) });

const companies = createRoute({
  method: 'get',
  path: '/me/companies',
  tags: ['me'],
  summary:
    'Companies whose licence names me as legal representative, with whom they let act for them',
  responses: {
    ...commonRefusals,
    200: jsonReply(z.object({ items: z.array(CompanyShape) }), 'Companies'),
  },
});

const giveForCompany = createRoute({
  method: 'post',
  path: '/me/companies/{licence}/delegations',
  tags: ['me'],
  summary: 'Let someone act for a company I speak for; myself at once, others once they accept',
  request: { params: Company, ...jsonBody(DelegationInput) },
  responses: {
    ...commonRefusals,
    ...refusals({ 409: 'This agent has an open one, or too many are open' }),
    201: jsonReply(DelegationShape, 'The delegation'),
  },
});

const revokeForCompany = createRoute({
  method: 'post',
  path: '/me/companies/{licence}/delegations/{id}/revoke',
  tags: ['me'],
  summary: 'Revoke in the name of a company I speak for',
  request: { params: Company.extend({ id: z.string().max(64) }) },
  responses: {
    ...commonRefusals,
    ...refusals({ 409: 'It has ended' }),
    200: jsonReply(DelegationShape, 'The delegation as it is now'),
  },
});

const decide = createRoute({
  method: 'post',
  path: '/me/delegations/{id}/{decision}',
  tags: ['me'],
  summary: 'The agent accepts or refuses; either side revokes, at once',
  request: {
    params: z.object({ id: z.string().max(64), decision: z.enum(['accept', 'refuse', 'revoke']) }),
  },
  responses: {
    ...commonRefusals,
    ...refusals({ 409: 'Not possible in its state' }),
    200: jsonReply(DelegationShape, 'The delegation as it is now'),
  },
});

const actFor = createRoute({
  method: 'post',
  path: '/me/act-for',
  tags: ['me'],
  summary: 'From now on this session acts for the principal of a delegation',
  request: jsonBody(z.strictObject({ delegation: z.string().max(64) }).openapi('ActFor')),
  responses: {
    ...commonRefusals,
    ...refusals({ 409: 'The delegation is not in force' }),
    204: { description: 'Acting for her; every act is logged as done for her' },
  },
});

const stop = createRoute({
  method: 'delete',
  path: '/me/act-for',
  tags: ['me'],
  summary: 'From now on this session acts for its own person again',
  responses: { ...commonRefusals, 204: { description: 'Acting for nobody else' } },
});

/** Routes under /v1. */
export function delegationRoutes({
  identity,
  registry,
  idempotency,
}: Pick<Services, 'identity' | 'registry' | 'idempotency'>) {
  const routes = new OpenAPIHono<Env>();
  routes.post('/me/delegations', idempotent({ idempotency }));
  routes.post('/me/companies/:licence/delegations', idempotent({ idempotency }));
  return routes
    .openapi(list, async (c) =>
      c.json({ items: await identity.listDelegations(c.get('actor')) }, 200),
    )
    .openapi(give, async (c) =>
      c.json(await identity.giveDelegation(c.get('actor'), c.req.valid('json')), 201),
    )
    .openapi(companies, async (c) => {
      const represented = await registry.representedCompanies(c.get('actor'));
      return c.json({ items: represented.map(({ id: _, ...company }) => company) }, 200);
    })
    .openapi(giveForCompany, async (c) => {
      const { licence } = c.req.valid('param');
      return c.json(
        await registry.giveForCompany(c.get('actor'), licence, c.req.valid('json')),
        201,
      );
    })
    .openapi(revokeForCompany, async (c) => {
      const { licence, id } = c.req.valid('param');
      return c.json(await registry.revokeForCompany(c.get('actor'), licence, id), 200);
    })
    .openapi(decide, async (c) => {
      const { id, decision } = c.req.valid('param');
      return c.json(await identity.decideDelegation(c.get('actor'), id, decision), 200);
    })
    .openapi(actFor, async (c) => {
      await identity.actFor(c.get('actor'), c.req.valid('json').delegation);
      return c.body(null, 204);
    })
    .openapi(stop, async (c) => {
      await identity.stopActing(c.get('actor'));
      return c.body(null, 204);
    });
}
