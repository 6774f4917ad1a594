// Alarms of vigilance, for auditors (contract section 4.3).
import { createRoute, OpenAPIHono, z } from '@hono/zod-openapi';
import { type Alert, FINDINGS } from '../oversight/index.ts';
import type { Services } from './compose.ts';
import type { Env } from './env.ts';
import {
  commonRefusals,
  jsonBody,
  jsonReply,
  Paging,
  pageOf,
  refusals,
  shapeOf,
} from './shapes.ts';

const AlertShape = shapeOf<Alert>(
  'Alert',
  'id, rule, version, severity, title and text in zh and en, state: new, noted or closed; raisedAt, deadline, overdue, index of its own entry, evidence and later: indexes of entries; department, actor (pseudonym), note, closed with its finding',
);
const Id = z.object({ id: z.string().max(64) });
const conflicts = refusals({ 409: 'Closed already' });

const list = createRoute({
  method: 'get',
  path: '/alerts',
  tags: ['audit'],
  summary: 'Alarms, latest first',
  request: {
    query: Paging.extend({
      state: z.enum(['new', 'noted', 'closed', 'open', 'overdue']).optional(),
      rule: z.string().max(40).optional(),
    }),
  },
  responses: { ...commonRefusals, 200: jsonReply(pageOf(AlertShape), 'Alarms') },
});

const get = createRoute({
  method: 'get',
  path: '/alerts/{id}',
  tags: ['audit'],
  summary: 'One alarm',
  request: { params: Id },
  responses: { ...commonRefusals, 200: jsonReply(AlertShape, 'The alarm') },
});

const note = createRoute({
  method: 'post',
  path: '/alerts/{id}/note',
  tags: ['audit'],
  summary: 'Say that somebody looks into an alarm',
  request: { params: Id, ...jsonBody(z.strictObject({ note: z.string().max(500).optional() })) },
  responses: { ...commonRefusals, ...conflicts, 200: jsonReply(AlertShape, 'Noted') },
});

const close = createRoute({
  method: 'post',
  path: '/alerts/{id}/close',
  tags: ['audit'],
  summary: 'Close an alarm with what was found; final',
  request: {
    params: Id,
    ...jsonBody(
      z.strictObject({ finding: z.enum(FINDINGS), note: z.string().max(500).optional() }),
    ),
  },
  responses: { ...commonRefusals, ...conflicts, 200: jsonReply(AlertShape, 'Closed') },
});

/** Routes under /v1/audit: alarms. */
export function alertRoutes({ vigilance }: Pick<Services, 'vigilance'>) {
  return new OpenAPIHono<Env>()
    .openapi(list, async (c) =>
      c.json(await vigilance.listAlerts(c.get('actor'), c.req.valid('query')), 200),
    )
    .openapi(get, async (c) =>
      c.json(await vigilance.getAlert(c.get('actor'), c.req.valid('param').id), 200),
    )
    .openapi(note, async (c) => {
      const { id } = c.req.valid('param');
      return c.json(await vigilance.noteAlert(c.get('actor'), id, c.req.valid('json')), 200);
    })
    .openapi(close, async (c) => {
      const { id } = c.req.valid('param');
      return c.json(await vigilance.closeAlert(c.get('actor'), id, c.req.valid('json')), 200);
    });
}
