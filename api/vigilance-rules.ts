// Rules of vigilance and their replays over history, for auditors (contract section 4.3).
import { createRoute, OpenAPIHono, z } from '@hono/zod-openapi';
import {
  type Mark,
  type PublishedRule,
  type Replay,
  type ReplayResult,
  RuleProposal,
} from '../oversight/index.ts';
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

const RuleShape = shapeOf<PublishedRule>(
  'VigilanceRule',
  'id, version, expression (CEL over look, actor, subject and params), params, group, severity, deadlineDays, isOn, titles and texts, hash, origin, state, who proposed and decided and when',
);
const ReplayShape = shapeOf<Replay>(
  'Replay',
  'id, rule, version (null: a draft), expression, params, group, from, to, askedBy, askedAt, state: queued, running, done or failed; progress: done of total entries; fault, endedAt',
);
const ReplayResultShape = shapeOf<ReplayResult>(
  'ReplayResult',
  'A replay with alarms: what it has found so far, and difference: onlyFound and onlyRaised',
);
const conflicts = refusals({ 409: 'Not possible as it stands' });
const Version = z.object({
  rule: z.string().max(40),
  version: z.coerce.number().int().min(1).max(1_000_000),
});
const Id = z.object({ id: z.string().max(64) });

const listRules = createRoute({
  method: 'get',
  path: '/rules',
  tags: ['audit'],
  summary: 'All versions of the rules of vigilance, and what a rule lately could not judge',
  responses: {
    ...commonRefusals,
    200: jsonReply(z.object({ items: z.array(RuleShape), faults: z.array(JsonObject) }), 'Rules'),
  },
});

const propose = createRoute({
  method: 'post',
  path: '/rules',
  tags: ['audit'],
  summary: 'Propose the next version of a rule, or a new one; a second auditor publishes it',
  request: jsonBody(RuleProposal),
  responses: { ...commonRefusals, ...conflicts, 201: jsonReply(RuleShape, 'Proposed') },
});

const approve = createRoute({
  method: 'post',
  path: '/rules/{rule}/{version}/approve',
  tags: ['audit'],
  summary: 'Publish what another auditor proposed',
  request: { params: Version },
  responses: { ...commonRefusals, ...conflicts, 200: jsonReply(RuleShape, 'In force') },
});

const refuse = createRoute({
  method: 'post',
  path: '/rules/{rule}/{version}/refuse',
  tags: ['audit'],
  summary: 'Refuse what another auditor proposed',
  request: { params: Version },
  responses: { ...commonRefusals, ...conflicts, 200: jsonReply(RuleShape, 'Refused') },
});

const MarkShape = shapeOf<Mark>(
  'WatchMark',
  'id, kind: listed or officer, reason, department and officer of an officer’s own person, addedBy, addedAt; never who it is about',
);
const reason = z.string().min(1).max(500);

const listMarks = createRoute({
  method: 'get',
  path: '/watch-list',
  tags: ['audit'],
  summary: 'The watch list and officers’ own persons, as marks',
  request: { query: Paging },
  responses: { ...commonRefusals, 200: jsonReply(pageOf(MarkShape), 'Marks') },
});

const addMark = createRoute({
  method: 'post',
  path: '/watch-list',
  tags: ['audit'],
  summary: 'Put a person on the watch list, or say which person an officer is',
  request: jsonBody(
    z
      .discriminatedUnion('kind', [
        z.strictObject({ kind: z.literal('listed'), subject: Identifier, reason }),
        z.strictObject({
          kind: z.literal('officer'),
          subject: Identifier,
          reason,
          department: z.string().min(1).max(32),
          officer: Reference,
        }),
      ])
      .openapi('WatchMarkInput'),
  ),
  responses: { ...commonRefusals, ...conflicts, 201: jsonReply(MarkShape, 'Added') },
});

const removeMark = createRoute({
  method: 'delete',
  path: '/watch-list/{id}',
  tags: ['audit'],
  summary: 'Take a mark away',
  request: { params: Id },
  responses: { ...commonRefusals, 204: { description: 'Taken away' } },
});

const ReplayInput = z
  .strictObject({
    rule: z.string().min(1).max(40),
    version: z.number().int().min(1).max(1_000_000).optional(),
    expression: z.string().min(1).max(4000).optional(),
    params: z
      .record(z.string(), z.union([z.string().max(100), z.number(), z.boolean()]))
      .optional(),
    group: z.enum(['look', 'actor', 'subject']).optional(),
    from: z.string().max(40),
    to: z.string().max(40),
  })
  .openapi('ReplayInput');

const start = createRoute({
  method: 'post',
  path: '/replays',
  tags: ['audit'],
  summary: 'Run a version of a rule, or a draft expression, over history',
  request: jsonBody(ReplayInput),
  responses: { ...commonRefusals, ...conflicts, 202: jsonReply(ReplayShape, 'Begun') },
});

const list = createRoute({
  method: 'get',
  path: '/replays',
  tags: ['audit'],
  summary: 'Replays, latest first',
  request: { query: Paging },
  responses: { ...commonRefusals, 200: jsonReply(pageOf(ReplayShape), 'Replays') },
});

const get = createRoute({
  method: 'get',
  path: '/replays/{id}',
  tags: ['audit'],
  summary: 'How far a replay is, its alarms, and the difference to what was raised',
  request: { params: Id },
  responses: { ...commonRefusals, 200: jsonReply(ReplayResultShape, 'The replay') },
});

/** Routes under /v1/audit: rules and replays. */
export function vigilanceRuleRoutes({
  vigilance,
  idempotency,
}: Pick<Services, 'vigilance' | 'idempotency'>) {
  const routes = new OpenAPIHono<Env>();
  routes.post('/rules', idempotent({ idempotency }));
  routes.post('/replays', idempotent({ idempotency }));
  routes.post('/watch-list', idempotent({ idempotency }));
  return routes
    .openapi(listRules, async (c) => c.json(await vigilance.listRules(c.get('actor')), 200))
    .openapi(propose, async (c) =>
      c.json(await vigilance.proposeRule(c.get('actor'), c.req.valid('json')), 201),
    )
    .openapi(approve, async (c) => {
      const { rule, version } = c.req.valid('param');
      return c.json(await vigilance.approveRule(c.get('actor'), rule, version), 200);
    })
    .openapi(refuse, async (c) => {
      const { rule, version } = c.req.valid('param');
      return c.json(await vigilance.refuseRule(c.get('actor'), rule, version), 200);
    })
    .openapi(listMarks, async (c) =>
      c.json(await vigilance.listMarks(c.get('actor'), c.req.valid('query')), 200),
    )
    .openapi(addMark, async (c) =>
      c.json(await vigilance.addMark(c.get('actor'), c.req.valid('json')), 201),
    )
    .openapi(removeMark, async (c) => {
      await vigilance.removeMark(c.get('actor'), c.req.valid('param').id);
      return c.body(null, 204);
    })
    .openapi(start, async (c) => {
      const replay = await vigilance.startReplay(c.get('actor'), c.req.valid('json'));
      return c.json(replay, 202, { Location: `/v1/audit/replays/${replay.id}` });
    })
    .openapi(list, async (c) =>
      c.json(await vigilance.listReplays(c.get('actor'), c.req.valid('query')), 200),
    )
    .openapi(get, async (c) =>
      c.json(await vigilance.getReplay(c.get('actor'), c.req.valid('param').id), 200),
    );
}
