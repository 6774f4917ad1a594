// Officers and their roles: operators open accounts, and two of them grant and revoke. Where an officer
// sits in her session.
import { createRoute, OpenAPIHono, z } from '@hono/zod-openapi';
import {
  type DecidedRoleRequest,
  type ListedOfficer,
  ROLES,
  type RoleRequest,
} from '../identity/index.ts';
import type { Services } from './compose.ts';
import type { Env } from './env.ts';
import { Decision, notPossible, RequestsQuery, Why } from './four-eyes.ts';
import { idempotent } from './idempotent.ts';
import { commonRefusals, Day, jsonBody, jsonReply, Paging, pageOf, shapeOf } from './shapes.ts';

const Officer = shapeOf<ListedOfficer>(
  'Officer',
  'key, username, organisation, duty: work, audit or operate, hasLeft, roles: role, reach, validFrom, validTo',
);
const Request = shapeOf<RoleRequest>(
  'RoleRequest',
  'id, act, officer, organisation, role, reach, validFrom, validTo, reason, state, requestedBy, requestedAt, decidedBy, decidedAt',
);

const Decided = shapeOf<DecidedRoleRequest>(
  'DecidedRoleRequest',
  'A RoleRequest with enrolment: null, or url and expiresAt of the link to hand over to an officer who was given a role and has no way in. Told in this reply alone.',
);

const Key = z.object({ key: z.string().max(64) });

const OfficerInput = z
  .strictObject({
    key: z.string().max(64),
    username: z.string().max(64),
    organisation: z.string().max(32),
    duty: z.enum(['work', 'audit', 'operate']).optional(),
  })
  .openapi('NewOfficer');

const RoleInput = z
  .strictObject({
    act: z.enum(['grant', 'revoke']),
    officer: z.string().max(64),
    role: z.enum(ROLES),
    reach: z.enum(['own', 'below']).optional(),
    validFrom: Day.optional(),
    validTo: Day.optional(),
    reason: z.string().min(1).max(500),
  })
  .openapi('RequestRole');

const list = createRoute({
  method: 'get',
  path: '/officers',
  tags: ['operators'],
  summary: 'Officers with their roles',
  request: { query: Paging.extend({ organisation: z.string().max(32).optional() }) },
  responses: { ...commonRefusals, 200: jsonReply(pageOf(Officer), 'Officers by key') },
});

const get = createRoute({
  method: 'get',
  path: '/officers/{key}',
  tags: ['operators'],
  summary: 'One officer',
  request: { params: Key },
  responses: { ...commonRefusals, 200: jsonReply(Officer, 'The officer') },
});

const add = createRoute({
  method: 'post',
  path: '/officers',
  tags: ['operators'],
  summary: 'Open an account without any role',
  request: jsonBody(OfficerInput),
  responses: { ...commonRefusals, ...notPossible, 201: jsonReply(Officer, 'The account') },
});

const leave = createRoute({
  method: 'post',
  path: '/officers/{key}/leave',
  tags: ['operators'],
  summary: 'The officer has left: her roles and sessions end at once',
  request: { params: Key, ...jsonBody(Why) },
  responses: { ...commonRefusals, ...notPossible, 200: jsonReply(Officer, 'As she is now') },
});

const listRequests = createRoute({
  method: 'get',
  path: '/role-requests',
  tags: ['operators'],
  summary: 'Roles asked for, newest first',
  request: { query: RequestsQuery },
  responses: { ...commonRefusals, 200: jsonReply(pageOf(Request), 'Requests') },
});

const request = createRoute({
  method: 'post',
  path: '/role-requests',
  tags: ['operators'],
  summary: 'Ask for a role to be granted or revoked; another operator decides',
  request: jsonBody(RoleInput),
  responses: { ...commonRefusals, ...notPossible, 202: jsonReply(Request, 'Waits for a decision') },
});

const decide = createRoute({
  method: 'post',
  path: '/role-requests/{id}/{decision}',
  tags: ['operators'],
  summary: "Approve or refuse another operator's request",
  request: Decision,
  responses: { ...commonRefusals, ...notPossible, 200: jsonReply(Decided, 'As it is now') },
});

const Post = z.object({ id: z.string(), nameZh: z.string(), nameEn: z.string() });

const posts = createRoute({
  method: 'get',
  path: '/session/organisations',
  tags: ['me'],
  summary:
    'The organisations an officer may act for: her own, and those below it that a role reaches',
  responses: {
    ...commonRefusals,
    200: jsonReply(z.object({ items: z.array(Post) }), 'Hers first'),
  },
});

const takePost = createRoute({
  method: 'put',
  path: '/session/organisation',
  tags: ['me'],
  summary: 'Act for one of these organisations from now on, in this session',
  request: jsonBody(z.strictObject({ organisation: z.string().max(32) })),
  responses: { ...commonRefusals, 204: { description: 'Done' } },
});

/** Routes under /v1 for officers, requests for roles, and where an officer sits. */
export function officerRoutes({
  identity,
  idempotency,
}: Pick<Services, 'identity' | 'idempotency'>) {
  const routes = new OpenAPIHono<Env>();
  routes.post('/officers', idempotent({ idempotency }));
  routes.post('/role-requests', idempotent({ idempotency }));
  return routes
    .openapi(list, async (c) =>
      c.json(await identity.listOfficersAs(c.get('actor'), c.req.valid('query')), 200),
    )
    .openapi(get, async (c) =>
      c.json(await identity.getOfficer(c.get('actor'), c.req.valid('param').key), 200),
    )
    .openapi(add, async (c) => {
      const officer = await identity.addOfficer(c.get('actor'), c.req.valid('json'));
      const location = `/v1/officers/${encodeURIComponent(officer.key)}`;
      return c.json(officer, 201, { Location: location });
    })
    .openapi(leave, async (c) =>
      c.json(
        await identity.endOfficer(c.get('actor'), c.req.valid('param').key, c.req.valid('json')),
        200,
      ),
    )
    .openapi(listRequests, async (c) =>
      c.json(await identity.listRoleRequests(c.get('actor'), c.req.valid('query')), 200),
    )
    .openapi(request, async (c) =>
      c.json(await identity.requestRole(c.get('actor'), c.req.valid('json')), 202),
    )
    .openapi(decide, async (c) => {
      const { id, decision } = c.req.valid('param');
      return c.json(
        await identity.decideRole(c.get('actor'), id, decision, c.req.valid('json')),
        200,
      );
    })
    .openapi(posts, async (c) => c.json({ items: await identity.listPosts(c.get('actor')) }, 200))
    .openapi(takePost, async (c) => {
      await identity.takePost(c.get('actor'), c.req.valid('json').organisation);
      return c.body(null, 204);
    });
}
