// Licences: issue, read, act on them (contract section 4.1). Other departments' use goes by /read.
import { createRoute, OpenAPIHono, z } from '@hono/zod-openapi';
import type { ReadLicence } from '../exchange/index.ts';
import type { HistoryItem, WholeLicence } from '../registry/index.ts';
import type { Services } from './compose.ts';
import type { Env } from './env.ts';
import { idempotent } from './idempotent.ts';
import {
  commonRefusals,
  Day,
  Identifier,
  JsonObject,
  jsonBody,
  jsonReply,
  Purpose,
  Reference,
  shapeOf,
} from './shapes.ts';

const Holder = z.strictObject({
  scheme: Identifier.shape.scheme,
  value: Identifier.shape.value,
  name: z.string().min(1).max(200),
});

const IssueInput = z
  .strictObject({
    type: z.string().min(1).max(64),
    holder: Holder,
    fields: JsonObject,
    validFrom: Day.optional(),
    validTo: Day.nullable().optional(),
    purpose: z.string().max(64).optional(),
  })
  .openapi('IssueLicence');

const Issued = z
  .object({
    number: z.string(),
    verificationCode: z.string(),
    type: z.string(),
    code: z.string(),
    version: z.number(),
    status: z.string(),
    validFrom: z.string(),
    validTo: z.string().nullable(),
    issuedAt: z.string(),
    statusListIndex: z.number(),
    credential: z.string(),
    supersedes: z.string().optional(),
  })
  .openapi('IssuedLicence');

const Awaiting = z.object({ id: z.string(), state: z.literal('awaiting_approval') });
const Changed = z.object({ number: z.string(), status: z.string(), changedAt: z.string() });
const Licence = shapeOf<WholeLicence>(
  'Licence',
  'number, type, version, status, issuer, holder, validFrom, validTo, issuedAt, statusListIndex, fields',
);
const UsableLicence = shapeOf<ReadLicence>(
  'UsableLicence',
  'number, type, status, issuer, validFrom, validTo, holderName, fields: as the agreement allows',
);
const History = shapeOf<HistoryItem>(
  'HistoryItem',
  'at, act, status, organisation, legalBasis, reason, related',
);

const LicenceNumber = z.object({ number: z.string().max(160) });

const ActInput = z
  .strictObject({
    reason: z.string().min(1).max(1000),
    legalBasis: z.string().min(1).max(64),
    fields: JsonObject.optional(),
    validTo: Day.nullable().optional(),
    toAuthority: z.string().max(64).optional(),
  })
  .openapi('LicenceAct');

const ReadInput = z
  .strictObject({
    as: z.enum(['json', 'credential', 'pdf']),
    legalBasis: z.string().min(1).max(64),
    purpose: Purpose,
    caseId: Reference,
    officer: Reference.optional(),
  })
  .openapi('ReadLicence');

const SearchInput = z
  .strictObject({
    holder: Identifier,
    types: z.array(z.string().max(64)).max(50).optional(),
    legalBasis: z.string().min(1).max(64),
    purpose: Purpose,
    caseId: Reference,
    officer: Reference.optional(),
  })
  .openapi('SearchLicences');

const issue = createRoute({
  method: 'post',
  path: '/',
  tags: ['registry'],
  summary: 'Issue a licence',
  request: jsonBody(IssueInput),
  responses: {
    ...commonRefusals,
    201: jsonReply(Issued, 'Issued, signed and logged'),
    202: jsonReply(Awaiting, 'A second officer must approve'),
  },
});

const search = createRoute({
  method: 'post',
  path: '/search',
  tags: ['registry'],
  summary: "A holder's licences that the caller may use",
  request: jsonBody(SearchInput),
  responses: {
    ...commonRefusals,
    200: jsonReply(z.object({ items: z.array(UsableLicence) }), 'Licences'),
  },
});

const get = createRoute({
  method: 'get',
  path: '/{number}',
  tags: ['registry'],
  summary: 'A licence, for its issuer and its holder',
  request: { params: LicenceNumber },
  responses: { ...commonRefusals, 200: jsonReply(Licence, 'The licence') },
});

const credential = createRoute({
  method: 'get',
  path: '/{number}/credential',
  tags: ['registry'],
  summary: 'The signed credential (SD-JWT VC)',
  request: { params: LicenceNumber },
  responses: {
    ...commonRefusals,
    200: {
      description: 'Compact SD-JWT VC',
      content: { 'application/dc+sd-jwt': { schema: z.string() } },
    },
  },
});

const history = createRoute({
  method: 'get',
  path: '/{number}/history',
  tags: ['registry'],
  summary: "What happened in a licence's life",
  request: { params: LicenceNumber },
  responses: {
    ...commonRefusals,
    200: jsonReply(z.object({ items: z.array(History) }), 'Events'),
  },
});

const read = createRoute({
  method: 'post',
  path: '/{number}/read',
  tags: ['registry'],
  summary: "Another department's use of a licence, under an agreement",
  request: { params: LicenceNumber, ...jsonBody(ReadInput) },
  responses: {
    ...commonRefusals,
    200: {
      description: 'The licence as asked for',
      content: {
        'application/json': { schema: UsableLicence },
        'application/dc+sd-jwt': { schema: z.string() },
      },
    },
  },
});

const act = createRoute({
  method: 'post',
  path: '/{number}/{act}',
  tags: ['registry'],
  summary: 'Renew, amend, transfer, suspend, resume, cancel, rescind or revoke a licence',
  request: {
    params: LicenceNumber.extend({
      act: z.enum([
        'renew',
        'amend',
        'transfer',
        'suspend',
        'resume',
        'cancel',
        'rescind',
        'revoke',
      ]),
    }),
    ...jsonBody(ActInput),
  },
  responses: {
    ...commonRefusals,
    200: jsonReply(Changed, 'The state has changed'),
    201: jsonReply(Issued, 'A new version was issued; the old one is superseded'),
  },
});

const credentialType = { 'Content-Type': 'application/dc+sd-jwt', 'Cache-Control': 'no-store' };

/** Routes under /v1/licences. */
export function licenceRoutes({
  registry,
  exchange,
  idempotency,
}: Pick<Services, 'registry' | 'exchange' | 'idempotency'>) {
  const routes = new OpenAPIHono<Env>();
  // A repeated answer shows the licence again: the look is logged by reading it once more.
  const once = idempotent({
    idempotency,
    logReplay: async (actor, body) => {
      if (typeof body === 'object' && body !== null && !Array.isArray(body)) {
        if (typeof body.number === 'string') await registry.get(actor, body.number);
      }
    },
  });
  routes.post('/', once);
  routes.post('/:number/:act{renew|amend|transfer}', once);
  return routes
    .openapi(issue, async (c) => {
      const result = await registry.issue(c.get('actor'), c.req.valid('json'));
      if ('state' in result) return c.json(result, 202);
      return c.json(result, 201, { Location: `/v1/licences/${result.number}` });
    })
    .openapi(search, async (c) =>
      c.json({ items: await exchange.searchLicences(c.get('actor'), c.req.valid('json')) }, 200),
    )
    .openapi(get, async (c) => {
      const licence = await registry.get(c.get('actor'), c.req.valid('param').number);
      return c.json(licence, 200, { 'Cache-Control': 'no-store' });
    })
    .openapi(credential, async (c) => {
      const compact = await registry.credential(c.get('actor'), c.req.valid('param').number);
      return c.body(compact, 200, credentialType);
    })
    .openapi(history, async (c) =>
      c.json({ items: await registry.history(c.get('actor'), c.req.valid('param').number) }, 200),
    )
    .openapi(read, async (c) => {
      const result = await exchange.readLicence(
        c.get('actor'),
        c.req.valid('param').number,
        c.req.valid('json'),
      );
      if (typeof result === 'string') return c.body(result, 200, credentialType);
      return c.json(result, 200, { 'Cache-Control': 'no-store' });
    })
    .openapi(act, async (c) => {
      const { number, act: name } = c.req.valid('param');
      const result = await registry.act(c.get('actor'), number, name, c.req.valid('json'));
      if ('credential' in result) {
        return c.json(result, 201, { Location: `/v1/licences/${result.number}` });
      }
      return c.json(result, 200);
    });
}
