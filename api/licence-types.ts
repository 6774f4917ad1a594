// Licence types: read by anyone, published by the platform's operator (contract section 4.1).
import { createRoute, OpenAPIHono, z } from '@hono/zod-openapi';
import type { Services } from './compose.ts';
import type { Env } from './env.ts';
import { idempotent } from './idempotent.ts';
import { commonRefusals, JsonObject, jsonBody, jsonReply } from './shapes.ts';

const LicenceType = JsonObject.openapi('LicenceType', {
  description: 'A licence type with its schema, validity rule, issuer, face and public fields.',
});

const list = createRoute({
  method: 'get',
  path: '/',
  tags: ['registry'],
  summary: 'All licence types',
  responses: { 200: jsonReply(z.object({ items: z.array(LicenceType) }), 'The types') },
});

const get = createRoute({
  method: 'get',
  path: '/{code}',
  tags: ['registry'],
  summary: 'One licence type, by its id or GB type code',
  request: { params: z.object({ code: z.string().max(64) }) },
  responses: { ...commonRefusals, 200: jsonReply(LicenceType, 'The type') },
});

const publish = createRoute({
  method: 'post',
  path: '/',
  tags: ['registry'],
  summary: 'Publish a licence type, or a new version of one',
  request: jsonBody(JsonObject),
  responses: { ...commonRefusals, 201: jsonReply(LicenceType, 'The type as it is live now') },
});

/** Routes under /v1/licence-types. */
export function licenceTypeRoutes({
  registry,
  idempotency,
}: Pick<Services, 'registry' | 'idempotency'>) {
  const routes = new OpenAPIHono<Env>();
  routes.post('/', idempotent({ idempotency }));
  return routes
    .openapi(list, async (c) => c.json({ items: await registry.listTypes() }, 200))
    .openapi(get, async (c) => {
      const type = await registry.getType(c.req.valid('param').code);
      return c.json(type, 200, { ETag: `"${type.version}"` });
    })
    .openapi(publish, async (c) =>
      c.json(await registry.publishType(c.get('actor'), c.req.valid('json')), 201),
    );
}
