// What auditors do by two and what they keep: unmaskings, exports, saved searches.
import { createRoute, OpenAPIHono, z } from '@hono/zod-openapi';
import type {
  AuditExport,
  AuditItem,
  SavedSearch,
  Unmasking,
  UnmaskingNotice,
} from '../oversight/index.ts';
import { streamed } from '../platform/index.ts';
import { conditions } from './audit.ts';
import type { Services } from './compose.ts';
import type { Env } from './env.ts';
import { idempotent } from './idempotent.ts';
import {
  commonRefusals,
  jsonBody,
  jsonReply,
  Paging,
  Purpose,
  pageOf,
  refusals,
  shapeOf,
} from './shapes.ts';

const UnmaskingShape = shapeOf<Unmasking>(
  'Unmasking',
  'id, state: requested, approved or refused, index, actor, department, reason, who asked and decided and when, shownUntil; officer for the two auditors until then, else null',
);
const NoticeShape = shapeOf<UnmaskingNotice>(
  'UnmaskingNotice',
  'id, index, at, verification, unmaskedAt',
);
const ExportShape = shapeOf<AuditExport>(
  'AuditExport',
  'id, state: requested, refused, running, ready, failed, expired or withdrawn; conditions, reason, who asked and decided and when, done of total, bytes, failure, readyAt, expiresAt',
);
const SearchShape = shapeOf<SavedSearch>(
  'SavedSearch',
  'id, name, conditions, isByPerson, isShared, isMine, savedAt, lastRunAt',
);
const ItemShape = shapeOf<AuditItem>('FoundEntry', 'An entry, as the search gives it');

const Id = z.object({ id: z.string().max(64) });
const conflicts = refusals({ 409: 'Not possible as it stands' });
const gone = refusals({ 410: 'The file ran out or was withdrawn' });
const auditing = { tags: ['audit'] };

const unmaskingInput = z
  .strictObject({
    index: z.number().int().min(0).optional(),
    actor: z.string().min(1).max(128).optional(),
    reason: Purpose,
  })
  .refine(({ index, actor }) => (index === undefined) !== (actor === undefined), {
    path: ['index'],
    message: 'Give either the index of an entry or a pseudonym.',
  })
  .openapi('UnmaskingRequest');

const requestUnmasking = createRoute({
  method: 'post',
  path: '/audit/unmaskings',
  ...auditing,
  summary: 'Ask who acted in an entry; another auditor decides',
  request: jsonBody(unmaskingInput),
  responses: { ...commonRefusals, ...conflicts, 201: jsonReply(UnmaskingShape, 'Asked for') },
});
const listUnmaskings = createRoute({
  method: 'get',
  path: '/audit/unmaskings',
  ...auditing,
  summary: 'Unmaskings, latest first; no name is among them',
  request: { query: Paging },
  responses: { ...commonRefusals, 200: jsonReply(pageOf(UnmaskingShape), 'Unmaskings') },
});
const getUnmasking = createRoute({
  method: 'get',
  path: '/audit/unmaskings/{id}',
  ...auditing,
  summary: 'One unmasking; with the officer for the two auditors, for 24 hours',
  request: { params: Id },
  responses: { ...commonRefusals, 200: jsonReply(UnmaskingShape, 'The unmasking') },
});
const approveUnmasking = createRoute({
  method: 'post',
  path: '/audit/unmaskings/{id}/approve',
  ...auditing,
  summary: 'Approve what another auditor asked for; the department is told',
  request: { params: Id },
  responses: {
    ...commonRefusals,
    ...conflicts,
    200: jsonReply(UnmaskingShape, 'With the officer'),
  },
});
const refuseUnmasking = createRoute({
  method: 'post',
  path: '/audit/unmaskings/{id}/refuse',
  ...auditing,
  summary: 'Refuse what another auditor asked for',
  request: { params: Id },
  responses: { ...commonRefusals, ...conflicts, 200: jsonReply(UnmaskingShape, 'Refused') },
});
const notices = createRoute({
  method: 'get',
  path: '/unmaskings',
  tags: ['desk'],
  summary: "Which of the department's looks had their officer unmasked by auditors",
  request: { query: Paging },
  responses: { ...commonRefusals, 200: jsonReply(pageOf(NoticeShape), 'Latest first') },
});

const requestExport = createRoute({
  method: 'post',
  path: '/audit/exports',
  ...auditing,
  summary: 'Ask for entries with their proofs as a file; another auditor approves',
  request: jsonBody(
    z.strictObject({ ...conditions, reason: Purpose }).openapi('AuditExportRequest'),
  ),
  responses: { ...commonRefusals, 201: jsonReply(ExportShape, 'Asked for') },
});
const listExports = createRoute({
  method: 'get',
  path: '/audit/exports',
  ...auditing,
  summary: 'Exports, latest first',
  request: { query: Paging },
  responses: { ...commonRefusals, 200: jsonReply(pageOf(ExportShape), 'Exports') },
});
const getExport = createRoute({
  method: 'get',
  path: '/audit/exports/{id}',
  ...auditing,
  summary: 'How far an export is',
  request: { params: Id },
  responses: { ...commonRefusals, 200: jsonReply(ExportShape, 'The export') },
});
const exportFile = createRoute({
  method: 'get',
  path: '/audit/exports/{id}/file',
  ...auditing,
  summary:
    'The bundle, for the two auditors; the offline verifier checks it. Each taking is logged',
  request: { params: Id },
  responses: {
    ...commonRefusals,
    ...conflicts,
    ...gone,
    200: {
      description: 'Lines of JSON: the checkpoint, each entry with its proof, the sealed manifest',
      content: { 'application/x-ndjson': { schema: z.string() } },
    },
  },
});
const approveExport = createRoute({
  method: 'post',
  path: '/audit/exports/{id}/approve',
  ...auditing,
  summary: 'Approve what another auditor asked for; the file is written',
  request: { params: Id },
  responses: { ...commonRefusals, ...conflicts, 200: jsonReply(ExportShape, 'Being written') },
});
const refuseExport = createRoute({
  method: 'post',
  path: '/audit/exports/{id}/refuse',
  ...auditing,
  summary: 'Refuse what another auditor asked for',
  request: { params: Id },
  responses: { ...commonRefusals, ...conflicts, 200: jsonReply(ExportShape, 'Refused') },
});

const saveSearch = createRoute({
  method: 'post',
  path: '/audit/searches',
  ...auditing,
  summary: 'Keep conditions under a name, for oneself or for all auditors of the house',
  request: jsonBody(
    z
      .strictObject({
        name: z.string().min(1).max(100),
        ...conditions,
        shared: z.boolean().optional(),
      })
      .openapi('SaveSearch'),
  ),
  responses: { ...commonRefusals, 201: jsonReply(SearchShape, 'Saved') },
});
const listSearches = createRoute({
  method: 'get',
  path: '/audit/searches',
  ...auditing,
  summary: 'Saved searches: own and shared ones, latest first',
  request: { query: Paging },
  responses: { ...commonRefusals, 200: jsonReply(pageOf(SearchShape), 'Saved searches') },
});
const runSearch = createRoute({
  method: 'post',
  path: '/audit/searches/{id}/run',
  ...auditing,
  summary: 'Run a saved search, with a reason of today',
  request: {
    params: Id,
    ...jsonBody(
      z
        .strictObject({
          reason: Purpose,
          limit: z.number().int().min(1).max(200).default(50),
          cursor: z.string().max(200).optional(),
        })
        .openapi('RunSearch'),
    ),
  },
  responses: { ...commonRefusals, 200: jsonReply(pageOf(ItemShape), 'Entries, newest first') },
});
const deleteSearch = createRoute({
  method: 'delete',
  path: '/audit/searches/{id}',
  ...auditing,
  summary: 'Take away a saved search of one’s own',
  request: { params: Id },
  responses: { ...commonRefusals, 204: { description: 'Gone' } },
});

/** Routes under /v1. */
export function auditActRoutes({
  oversight,
  idempotency,
}: Pick<Services, 'oversight' | 'idempotency'>) {
  const routes = new OpenAPIHono<Env>();
  for (const path of ['/audit/unmaskings', '/audit/exports', '/audit/searches']) {
    routes.post(path, idempotent({ idempotency }));
  }
  return routes
    .openapi(requestUnmasking, async (c) => {
      const made = await oversight.requestUnmasking(c.get('actor'), c.req.valid('json'));
      return c.json(made, 201, { Location: `/v1/audit/unmaskings/${made.id}` });
    })
    .openapi(listUnmaskings, async (c) =>
      c.json(await oversight.listUnmaskings(c.get('actor'), c.req.valid('query')), 200),
    )
    .openapi(getUnmasking, async (c) =>
      c.json(await oversight.unmasking(c.get('actor'), c.req.valid('param').id), 200),
    )
    .openapi(approveUnmasking, async (c) =>
      c.json(await oversight.approveUnmasking(c.get('actor'), c.req.valid('param').id), 200),
    )
    .openapi(refuseUnmasking, async (c) =>
      c.json(await oversight.refuseUnmasking(c.get('actor'), c.req.valid('param').id), 200),
    )
    .openapi(notices, async (c) =>
      c.json(await oversight.unmaskingNotices(c.get('actor'), c.req.valid('query')), 200),
    )
    .openapi(requestExport, async (c) => {
      const made = await oversight.requestExport(c.get('actor'), c.req.valid('json'));
      return c.json(made, 201, { Location: `/v1/audit/exports/${made.id}` });
    })
    .openapi(listExports, async (c) =>
      c.json(await oversight.listExports(c.get('actor'), c.req.valid('query')), 200),
    )
    .openapi(getExport, async (c) =>
      c.json(await oversight.export(c.get('actor'), c.req.valid('param').id), 200),
    )
    .openapi(exportFile, async (c) => {
      const file = await oversight.exportFile(c.get('actor'), c.req.valid('param').id);
      const reply = c.body(streamed(file.parts), 200, {
        'Content-Type': 'application/x-ndjson',
        'Content-Disposition': `attachment; filename="${file.name}"`,
        'Content-Length': String(file.bytes),
        'Cache-Control': 'no-store',
      });
      return reply as never; // typed as one JSON value for its media type's name; it is a stream of lines
    })
    .openapi(approveExport, async (c) =>
      c.json(await oversight.approveExport(c.get('actor'), c.req.valid('param').id), 200),
    )
    .openapi(refuseExport, async (c) =>
      c.json(await oversight.refuseExport(c.get('actor'), c.req.valid('param').id), 200),
    )
    .openapi(saveSearch, async (c) =>
      c.json(await oversight.saveSearch(c.get('actor'), c.req.valid('json')), 201),
    )
    .openapi(listSearches, async (c) =>
      c.json(await oversight.listSearches(c.get('actor'), c.req.valid('query')), 200),
    )
    .openapi(runSearch, async (c) =>
      c.json(
        await oversight.runSearch(c.get('actor'), c.req.valid('param').id, c.req.valid('json')),
        200,
      ),
    )
    .openapi(deleteSearch, async (c) => {
      await oversight.deleteSearch(c.get('actor'), c.req.valid('param').id);
      return c.body(null, 204);
    });
}
