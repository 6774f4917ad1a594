// Acts on a licence, a route for each (contract section 4.1). If-Match holds one to what was read.
import { createRoute, OpenAPIHono, z } from '@hono/zod-openapi';
import { ACTS, type Act } from '../registry/index.ts';
import type { Services } from './compose.ts';
import type { Env } from './env.ts';
import { Issued, issuedOnce } from './issued-licence.ts';
import { ifMatch } from './preconditions.ts';
import {
  commonRefusals,
  Day,
  JsonObject,
  jsonBody,
  jsonReply,
  LicenceNumber,
  refusals,
} from './shapes.ts';

const ActInput = z
  .strictObject({
    reason: z.string().min(1).max(1000),
    legalBasis: z.string().min(1).max(64),
    fields: JsonObject.optional(),
    validTo: Day.nullable().optional(),
    toAuthority: z.string().max(64).optional(),
  })
  .openapi('LicenceAct');

const Changed = z
  .object({ number: z.string(), status: z.string(), changedAt: z.string() })
  .openapi('ChangedLicence');

const summaries = {
  renew: 'Renew: the next version, for a new term',
  amend: 'Amend: the next version, with changed fields',
  transfer: 'Transfer: the next version, issued by another authority',
  suspend: 'Suspend for a while',
  resume: 'Resume after a suspension',
  cancel: 'Cancel 注销: it ends on request or by its own cause',
  rescind: 'Rescind 撤销: it should not have been issued',
  revoke: 'Revoke 吊销: it ends as a penalty',
} as const satisfies Record<Act, string>;

function routeOf<A extends Act>(act: A) {
  return createRoute({
    method: 'post',
    path: `/{number}/${act}`,
    tags: ['registry'],
    summary: summaries[act],
    request: {
      params: LicenceNumber,
      headers: z.object({ 'if-match': z.string().max(200).optional() }),
      ...jsonBody(ActInput),
    },
    responses: {
      ...commonRefusals,
      ...refusals({ 409: 'Not possible in this state', 412: 'Changed since it was read' }),
      200: jsonReply(Changed, 'The status has changed'),
      201: jsonReply(Issued, 'The next version was issued; the old one is superseded'),
    },
  });
}

/** Routes /v1/licences/{number}/{act}. */
export function licenceActRoutes(services: Pick<Services, 'registry' | 'idempotency'>) {
  const { registry } = services;
  const routes = new OpenAPIHono<Env>();
  const once = issuedOnce(services);
  for (const act of ACTS) {
    routes.post(`/:number/${act}`, once);
    routes.openapi(routeOf(act), async (c) => {
      const { number } = c.req.valid('param');
      const result = await registry.act(c.get('actor'), number, act, c.req.valid('json'), {
        ifMatch: ifMatch(c.req.header('if-match')),
      });
      return 'credential' in result
        ? c.json(result, 201, { Location: `/v1/licences/${result.number}` })
        : c.json(result, 200);
    });
  }
  return routes;
}
