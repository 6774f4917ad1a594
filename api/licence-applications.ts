// Four eyes (contract section 4.1): licences that another officer of the issuer approves or refuses.
import { createRoute, OpenAPIHono, z } from '@hono/zod-openapi';
import type { Services } from './compose.ts';
import type { Env } from './env.ts';
import { Issued, issuedOnce } from './issued-licence.ts';
import { commonRefusals, jsonReply, refusals } from './shapes.ts';

const Application = z
  .object({
    id: z.string(),
    type: z.string(),
    requester: z.string(),
    requestedAt: z.string(),
  })
  .openapi('LicenceApplication');

const Decided = z.object({ id: z.string(), state: z.literal('refused') });

const decision = {
  tags: ['registry'],
  request: { params: z.object({ id: z.string().max(64) }) },
};
const decided = refusals({ 409: 'Decided before' });

const list = createRoute({
  method: 'get',
  path: '/',
  tags: ['registry'],
  summary: "What waits for approval in the officer's department; says nothing of the people",
  responses: {
    ...commonRefusals,
    200: jsonReply(z.object({ items: z.array(Application) }), 'Applications, oldest first'),
  },
});

const approve = createRoute({
  ...decision,
  method: 'post',
  path: '/{id}/approve',
  summary: "Approve another officer's application: the licence is issued",
  responses: { ...commonRefusals, ...decided, 201: jsonReply(Issued, 'Issued, signed and logged') },
});

const refuse = createRoute({
  ...decision,
  method: 'post',
  path: '/{id}/refuse',
  summary: "Refuse another officer's application",
  responses: { ...commonRefusals, ...decided, 200: jsonReply(Decided, 'Nothing is issued') },
});

/** Routes under /v1/licences/applications. */
export function licenceApplicationRoutes(services: Pick<Services, 'registry' | 'idempotency'>) {
  const { registry } = services;
  const routes = new OpenAPIHono<Env>();
  routes.post('/:id/approve', issuedOnce(services));
  return routes
    .openapi(list, async (c) =>
      c.json({ items: await registry.listApplications(c.get('actor')) }, 200),
    )
    .openapi(approve, async (c) => {
      const issued = await registry.approveApplication(c.get('actor'), c.req.valid('param').id);
      return c.json(issued, 201, { Location: `/v1/licences/${issued.number}` });
    })
    .openapi(refuse, async (c) =>
      c.json(await registry.refuseApplication(c.get('actor'), c.req.valid('param').id), 200),
    );
}
