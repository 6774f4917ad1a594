// What auditors may ask of the log (contract section 4.3). Every call is itself logged by oversight/.
import { createRoute, OpenAPIHono, z } from '@hono/zod-openapi';
import type { AuditSample } from '../oversight/index.ts';
import type { Services } from './compose.ts';
import type { Env } from './env.ts';
import {
  commonRefusals,
  Identifier,
  JsonObject,
  jsonBody,
  jsonReply,
  pageOf,
  shapeOf,
} from './shapes.ts';

/** What entries are found by; times may be days of the city. */
export const conditions = {
  subject: Identifier.optional(),
  caseId: z.string().max(64).optional(),
  department: z.string().max(64).optional(),
  service: z.string().max(64).optional(),
  actor: z.string().max(128).optional(),
  type: z.string().max(64).optional(),
  outcome: z.string().max(32).optional(),
  purpose: z.string().min(1).max(200).optional(),
  from: z.string().max(40).optional(),
  to: z.string().max(40).optional(),
};

const SearchInput = z
  .strictObject({
    ...conditions,
    reason: z.string().min(1).max(500).optional(),
    limit: z.number().int().min(1).max(200).default(50),
    cursor: z.string().max(200).optional(),
  })
  .openapi('AuditSearch');

const Item = JsonObject.openapi('AuditItem');
const Index = z.object({ index: z.coerce.number().int().min(0).max(Number.MAX_SAFE_INTEGER) });

const search = createRoute({
  method: 'post',
  path: '/search',
  tags: ['audit'],
  summary: 'Search the log; by subject a reason is needed',
  request: jsonBody(SearchInput),
  responses: { ...commonRefusals, 200: jsonReply(pageOf(Item), 'Entries, newest first') },
});

const entry = createRoute({
  method: 'get',
  path: '/entries/{index}',
  tags: ['audit'],
  summary: 'One entry with the exact bytes that were hashed',
  request: { params: Index },
  responses: { ...commonRefusals, 200: jsonReply(Item, 'The entry') },
});

const receipt = createRoute({
  method: 'get',
  path: '/entries/{index}/receipt',
  tags: ['audit'],
  summary: "An entry's inclusion proof (C2SP tlog-proof)",
  request: { params: Index },
  responses: {
    ...commonRefusals,
    200: { description: 'tlog-proof', content: { 'text/plain': { schema: z.string() } } },
  },
});

const integrity = createRoute({
  method: 'get',
  path: '/integrity',
  tags: ['audit'],
  summary: 'Recompute the tree from the stored entries and compare',
  responses: { ...commonRefusals, 200: jsonReply(JsonObject, 'What was checked, and every fault') },
});

const SampleInput = z
  .strictObject({
    indexes: z
      .array(z.number().int().min(0).max(Number.MAX_SAFE_INTEGER))
      .min(1)
      .max(20)
      .optional(),
    count: z.number().int().min(1).max(20).optional(),
  })
  .openapi('MapSampleRequest');

const samples = createRoute({
  method: 'post',
  path: '/map-samples',
  tags: ['audit'],
  summary:
    'Are entries I pick in the lists of those they are about, or in the map of what is to be told later?',
  request: jsonBody(SampleInput),
  responses: {
    ...commonRefusals,
    200: jsonReply(
      z.object({
        items: z.array(
          shapeOf<AuditSample>(
            'MapSample',
            'index, state: disclosed, pending, nobody, later or missing; leaf, opening of its subject, proof for the offline verifier',
          ),
        ),
      }),
      'Where each stands, with the proof',
    ),
  },
});

/** Routes under /v1/audit. */
export function auditRoutes({ oversight }: Pick<Services, 'oversight'>) {
  return new OpenAPIHono<Env>()
    .openapi(search, async (c) =>
      c.json(await oversight.search(c.get('actor'), c.req.valid('json')), 200),
    )
    .openapi(entry, async (c) =>
      c.json(await oversight.entry(c.get('actor'), c.req.valid('param').index), 200),
    )
    .openapi(receipt, async (c) =>
      c.text(await oversight.entryReceipt(c.get('actor'), c.req.valid('param').index), 200),
    )
    .openapi(samples, async (c) =>
      c.json({ items: await oversight.sampleMap(c.get('actor'), c.req.valid('json')) }, 200),
    )
    .openapi(integrity, async (c) => c.json(await oversight.integrity(c.get('actor')), 200));
}
