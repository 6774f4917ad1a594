// Emergencies: a department without an agreement reads or asks what it must, for hours, told afterwards
// and reviewed by a second officer.
import { createRoute, OpenAPIHono, z } from '@hono/zod-openapi';
import { type Emergency, type EmergencyLook, isFinal } from '../exchange/index.ts';
import type { Services } from './compose.ts';
import type { Env } from './env.ts';
import { idempotent } from './idempotent.ts';
import {
  commonRefusals,
  Identifier,
  JsonObject,
  jsonBody,
  jsonReply,
  Paging,
  pageOf,
  Reference,
  refusals,
  shapeOf,
} from './shapes.ts';
import { Verification, waitSeconds } from './verifications.ts';

const Shown = shapeOf<Emergency>(
  'Emergency',
  'id, state: open, to_review, overdue, justified or not_justified, organisation, licenceType or service, fields, legalBasis, reason, caseId, openedBy, openedAt, endsAt, reviewDue, discloseAt, looks, reviewedBy, reviewedAt, isMine',
);
const Look = shapeOf<EmergencyLook>(
  'EmergencyLook',
  'items: number, type, status, validTo and the fields asked for when it was opened',
);

const OpenInput = z
  .strictObject({
    licenceType: z.string().min(1).max(64).optional(),
    fields: z.array(z.string().min(1).max(100)).min(1).max(50).optional(),
    service: z.string().min(1).max(64).optional(),
    subject: Identifier,
    legalBasis: z.string().min(1).max(64),
    caseId: Reference,
    reason: z.string().min(1).max(500),
    minutes: z.number().int().min(5).max(240),
  })
  .openapi('OpenEmergency', {
    description: 'Either `licenceType` and `fields`, or `service`.',
  });

const ReviewInput = z
  .strictObject({
    verdict: z.enum(['justified', 'not_justified']),
    note: z.string().min(1).max(500),
  })
  .openapi('ReviewEmergency');

const Id = z.object({ id: z.string().max(64) });
const conflict = refusals({ 409: 'Not possible as things are' });

const open = createRoute({
  method: 'post',
  path: '/emergencies',
  tags: ['exchange'],
  summary:
    'Open an emergency: some fields of one licence type of one person, or one question about her, for at most 4 hours',
  request: jsonBody(OpenInput),
  responses: { ...commonRefusals, ...conflict, 201: jsonReply(Shown, 'Open until `endsAt`') },
});

const list = createRoute({
  method: 'get',
  path: '/emergencies',
  tags: ['exchange'],
  summary: "The officer's own emergencies; those of the department for who reviews them",
  request: { query: Paging },
  responses: { ...commonRefusals, 200: jsonReply(pageOf(Shown), 'Newest first') },
});

const look = createRoute({
  method: 'post',
  path: '/emergencies/{id}/read',
  tags: ['exchange'],
  summary: 'Look; each look is logged, and told to its subject within 7 days',
  request: { params: Id },
  responses: { ...commonRefusals, ...conflict, 200: jsonReply(Look, 'What was asked for') },
});

const ask = createRoute({
  method: 'post',
  path: '/emergencies/{id}/ask',
  tags: ['exchange'],
  summary:
    'Ask the question it was opened for; logged, told to its subject within 7 days. `Prefer: wait=N` as for questions',
  request: { params: Id, ...jsonBody(z.strictObject({ params: JsonObject })) },
  responses: {
    ...commonRefusals,
    ...conflict,
    200: jsonReply(Verification, 'Ended in time'),
    202: jsonReply(Verification, 'Accepted; poll Location until the emergency is reviewed'),
  },
});

const review = createRoute({
  method: 'post',
  path: '/emergencies/{id}/review',
  tags: ['exchange'],
  summary: 'Say whether it was justified; another officer than who opened it. It ends for good',
  request: { params: Id, ...jsonBody(ReviewInput) },
  responses: { ...commonRefusals, ...conflict, 200: jsonReply(Shown, 'As it is now') },
});

const listAll = createRoute({
  method: 'get',
  path: '/audit/emergencies',
  tags: ['audit'],
  summary: 'Emergencies of all departments, with their reasons and reviews',
  request: { query: Paging },
  responses: { ...commonRefusals, 200: jsonReply(pageOf(Shown), 'Newest first') },
});

/** Routes under /v1 for emergencies. */
export function emergencyRoutes({
  exchange,
  idempotency,
}: Pick<Services, 'exchange' | 'idempotency'>) {
  const routes = new OpenAPIHono<Env>();
  routes.post('/emergencies', idempotent({ idempotency }));
  return routes
    .openapi(open, async (c) =>
      c.json(await exchange.openEmergency(c.get('actor'), c.req.valid('json')), 201),
    )
    .openapi(list, async (c) =>
      c.json(await exchange.listEmergencies(c.get('actor'), c.req.valid('query')), 200),
    )
    .openapi(look, async (c) =>
      c.json(await exchange.readEmergency(c.get('actor'), c.req.valid('param').id), 200),
    )
    .openapi(ask, async (c) => {
      const wait = waitSeconds(c.req.header('prefer'));
      const verification = await exchange.askEmergency(
        c.get('actor'),
        c.req.valid('param').id,
        c.req.valid('json'),
        { waitSeconds: wait },
      );
      return isFinal(verification.state)
        ? c.json(verification, 200)
        : c.json(verification, 202, {
            Location: `/v1/verifications/${verification.id}`,
            'Retry-After': '1',
          });
    })
    .openapi(review, async (c) =>
      c.json(
        await exchange.reviewEmergency(
          c.get('actor'),
          c.req.valid('param').id,
          c.req.valid('json'),
        ),
        200,
      ),
    )
    .openapi(listAll, async (c) =>
      c.json(await exchange.listAllEmergencies(c.get('actor'), c.req.valid('query')), 200),
    );
}
