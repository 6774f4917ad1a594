// A person's own: licences, who looked, receipts, consents (contract section 5).
import { createRoute, OpenAPIHono, z } from '@hono/zod-openapi';
import { EXPORT_FORMATS } from '../oversight/index.ts';
import { streamed } from '../platform/index.ts';
import type { OwnLicence } from '../registry/index.ts';
import type { Services } from './compose.ts';
import type { Env } from './env.ts';
import { commonRefusals, JsonObject, jsonReply, Paging, pageOf, shapeOf } from './shapes.ts';

const Items = z.object({ items: z.array(JsonObject) });

const OwnLicences = shapeOf<OwnLicence>(
  'OwnLicence',
  'number, verificationCode, type, status, validFrom, validTo, issuer, issuedAt, fields',
);

const me = createRoute({
  method: 'get',
  path: '/me',
  tags: ['me'],
  summary: 'Who is signed in',
  responses: {
    ...commonRefusals,
    200: jsonReply(JsonObject, 'The person, masked where it matters'),
  },
});

const licences = createRoute({
  method: 'get',
  path: '/me/licences',
  tags: ['me'],
  summary: 'My licences, with their verification codes',
  responses: {
    ...commonRefusals,
    200: jsonReply(z.object({ items: z.array(OwnLicences) }), 'Licences'),
  },
});

const AccessQuery = Paging.extend({
  from: z.string().max(40).optional(),
  to: z.string().max(40).optional(),
  department: z.string().max(64).optional(),
  service: z.string().max(64).optional(),
});

const accessLog = createRoute({
  method: 'get',
  path: '/me/access-log',
  tags: ['me'],
  summary: 'Who looked at my data, and why',
  request: { query: AccessQuery },
  responses: { ...commonRefusals, 200: jsonReply(pageOf(JsonObject), 'Looks, newest first') },
});

const receipt = createRoute({
  method: 'get',
  path: '/me/access-log/{index}/receipt',
  tags: ['me'],
  summary: 'The proof of one look: text/plain, or as JSON with the openings of its commitments',
  request: { params: z.object({ index: z.coerce.number().int().min(0) }) },
  responses: {
    ...commonRefusals,
    200: {
      description: 'tlog-proof or its JSON form',
      content: { 'text/plain': { schema: z.string() }, 'application/json': { schema: JsonObject } },
    },
  },
});

const completeness = createRoute({
  method: 'get',
  path: '/me/access-log/completeness',
  tags: ['me'],
  summary: 'The proof that my list of looks is whole, for the offline verifier',
  responses: {
    ...commonRefusals,
    200: jsonReply(JsonObject, 'Label, way through the map, list, and the entry with its root'),
  },
});

const exported = createRoute({
  method: 'get',
  path: '/me/export',
  tags: ['me'],
  summary:
    'All that is mine: as JSON; my looks as CSV, or as a bundle with proofs that the offline verifier checks',
  request: { query: z.object({ format: z.enum(EXPORT_FORMATS).default('json') }) },
  responses: {
    ...commonRefusals,
    200: {
      description: 'Written while it is read; that it was taken is an entry of my own log',
      content: {
        'application/json': { schema: JsonObject },
        'text/csv': { schema: z.string() },
        'application/x-ndjson': { schema: z.string() },
      },
    },
  },
});

const consents = createRoute({
  method: 'get',
  path: '/me/consents',
  tags: ['me'],
  summary: 'Questions that wait for my consent, and earlier ones',
  request: { query: z.object({ state: z.string().max(32).optional() }) },
  responses: { ...commonRefusals, 200: jsonReply(Items, 'Consents') },
});

const decideConsent = createRoute({
  method: 'post',
  path: '/me/consents/{id}/{decision}',
  tags: ['me'],
  summary: 'Agree, refuse or withdraw',
  request: {
    params: z.object({ id: z.string().max(64), decision: z.enum(['grant', 'refuse', 'withdraw']) }),
  },
  responses: { ...commonRefusals, 200: jsonReply(JsonObject, 'The consent as it is now') },
});

/** Whether the caller asked for JSON rather than the plain tlog-proof. */
function prefersJson(accept: string | undefined): boolean {
  return /application\/json/.test(accept ?? '');
}

/** Routes under /v1 of the signed-in person. */
export function meRoutes({
  identity,
  registry,
  oversight,
  exchange,
}: Pick<Services, 'identity' | 'registry' | 'oversight' | 'exchange'>) {
  return new OpenAPIHono<Env>()
    .openapi(me, async (c) => c.json(await identity.describeActor(c.get('actor')), 200))
    .openapi(licences, async (c) =>
      c.json({ items: await registry.ownLicences(c.get('actor')) }, 200),
    )
    .openapi(accessLog, async (c) =>
      c.json(await oversight.accessLog(c.get('actor'), c.req.valid('query')), 200),
    )
    .openapi(completeness, async (c) =>
      c.json((await oversight.completeness(c.get('actor'))).proof, 200),
    )
    .openapi(receipt, async (c) => {
      const { index } = c.req.valid('param');
      if (prefersJson(c.req.header('accept'))) {
        return c.json(await oversight.accessReceipt(c.get('actor'), index, 'json'), 200);
      }
      return c.text(await oversight.accessReceipt(c.get('actor'), index, 'text'), 200);
    })
    .openapi(exported, async (c) => {
      const { format } = c.req.valid('query');
      const file = await oversight.exportOwn(c.get('actor'), format);
      const reply = c.body(streamed(file.parts), 200, {
        'Content-Type': file.mediaType,
        'Content-Disposition': `attachment; filename="${file.name}"`,
        'Cache-Control': 'no-store',
      });
      return reply as never; // the types of routes know no streams
    })
    .openapi(consents, async (c) =>
      c.json(
        { items: await exchange.listConsents(c.get('actor'), c.req.valid('query').state) },
        200,
      ),
    )
    .openapi(decideConsent, async (c) => {
      const { id, decision } = c.req.valid('param');
      return c.json(await exchange.decideConsent(c.get('actor'), id, decision), 200);
    });
}
