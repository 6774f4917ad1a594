// Runs of the integrity check over any range, as jobs.
import { createRoute, OpenAPIHono, z } from '@hono/zod-openapi';
import type { IntegrityRun } from '../oversight/index.ts';
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

const RunShape = shapeOf<IntegrityRun>(
  'IntegrityRun',
  'id, state: running, done or cancelled; from, to, done of total; ok, firstBadIndex, faults, root, requestedBy, requestedAt, endedAt',
);
const Index = z.number().int().min(0).max(Number.MAX_SAFE_INTEGER).optional();
const Id = z.object({ id: z.string().max(64) });

const start = createRoute({
  method: 'post',
  path: '/audit/integrity-runs',
  tags: ['audit'],
  summary: 'Check a range of the log, all of it without one; `to` is the index after the last',
  request: jsonBody(z.strictObject({ from: Index, to: Index }).openapi('IntegrityRange')),
  responses: { ...commonRefusals, 202: jsonReply(RunShape, 'Running; ask for it at Location') },
});
const list = createRoute({
  method: 'get',
  path: '/audit/integrity-runs',
  tags: ['audit'],
  summary: 'Runs, latest first',
  request: { query: Paging },
  responses: { ...commonRefusals, 200: jsonReply(pageOf(RunShape), 'Runs') },
});
const get = createRoute({
  method: 'get',
  path: '/audit/integrity-runs/{id}',
  tags: ['audit'],
  summary: 'How far a run is, and what it found',
  request: { params: Id },
  responses: { ...commonRefusals, 200: jsonReply(RunShape, 'The run') },
});
const cancel = createRoute({
  method: 'post',
  path: '/audit/integrity-runs/{id}/cancel',
  tags: ['audit'],
  summary: 'End a run before its end',
  request: { params: Id },
  responses: {
    ...commonRefusals,
    ...refusals({ 409: 'It has ended' }),
    200: jsonReply(RunShape, 'Cancelled'),
  },
});

/** Routes under /v1. */
export function integrityRoutes({
  oversight,
  idempotency,
}: Pick<Services, 'oversight' | 'idempotency'>) {
  const routes = new OpenAPIHono<Env>();
  routes.post('/audit/integrity-runs', idempotent({ idempotency }));
  return routes
    .openapi(start, async (c) => {
      const run = await oversight.startIntegrityRun(c.get('actor'), c.req.valid('json'));
      return c.json(run, 202, { Location: `/v1/audit/integrity-runs/${run.id}` });
    })
    .openapi(list, async (c) =>
      c.json(await oversight.listIntegrityRuns(c.get('actor'), c.req.valid('query')), 200),
    )
    .openapi(get, async (c) =>
      c.json(await oversight.integrityRun(c.get('actor'), c.req.valid('param').id), 200),
    )
    .openapi(cancel, async (c) =>
      c.json(await oversight.cancelIntegrityRun(c.get('actor'), c.req.valid('param').id), 200),
    );
}
