// Cases in which a department keeps looks from their subjects for a time (docs/adr/0019).
import { createRoute, OpenAPIHono, z } from '@hono/zod-openapi';
import type { CovertCase } from '../exchange/index.ts';
import type { Services } from './compose.ts';
import type { Env } from './env.ts';
import {
  commonRefusals,
  jsonBody,
  jsonReply,
  Paging,
  pageOf,
  Reference,
  refusals,
  shapeOf,
} from './shapes.ts';

const Shown = shapeOf<CovertCase>(
  'CovertCase',
  'id, state: open or closed, openedAt, closedAt, discloseBy: when its last look is told without a closing, looks: how many were delayed',
);

const list = createRoute({
  method: 'get',
  path: '/cases',
  tags: ['exchange'],
  summary: "The department's cases with delayed looks; their numbers are not told",
  request: { query: Paging },
  responses: { ...commonRefusals, 200: jsonReply(pageOf(Shown), 'Newest first') },
});

const close = createRoute({
  method: 'post',
  path: '/cases/close',
  tags: ['exchange'],
  summary:
    'Close a case: its subjects read of its looks from now on, and nothing more can be delayed in it',
  request: jsonBody(z.strictObject({ caseId: Reference, officer: Reference.optional() })),
  responses: {
    ...commonRefusals,
    ...refusals({ 409: 'It was closed before' }),
    200: jsonReply(z.object({ looks: z.int() }), 'Closed; how many delayed looks it held'),
  },
});

/** Routes under /v1 for cases. */
export function caseRoutes({ exchange }: Pick<Services, 'exchange'>) {
  return new OpenAPIHono<Env>()
    .openapi(list, async (c) =>
      c.json(await exchange.listCovertCases(c.get('actor'), c.req.valid('query')), 200),
    )
    .openapi(close, async (c) =>
      c.json(await exchange.closeCase(c.get('actor'), c.req.valid('json')), 200),
    );
}
