// Licences: issue, read, act on them (contract section 4.1). Other departments' use goes by /read.
import { createRoute, OpenAPIHono, z } from '@hono/zod-openapi';
import type { ReadLicence } from '../exchange/index.ts';
import type { HistoryItem, WholeLicence } from '../registry/index.ts';
import type { Services } from './compose.ts';
import { pdf, pdfReply } from './document.ts';
import type { Env } from './env.ts';
import { Issued, issuedOnce } from './issued-licence.ts';
import {
  commonRefusals,
  Day,
  Identifier,
  JsonObject,
  jsonBody,
  jsonReply,
  LicenceNumber,
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

const Awaiting = z.object({ id: z.string(), state: z.literal('awaiting_approval') });
const Licence = shapeOf<Omit<WholeLicence, 'etag'>>(
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

const document = createRoute({
  method: 'get',
  path: '/{number}/document.pdf',
  tags: ['registry'],
  summary: "The licence as a PDF under its department's seal (PAdES B-T)",
  request: { params: LicenceNumber },
  responses: { ...commonRefusals, 200: pdfReply },
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
        ...pdfReply.content,
      },
    },
  },
});

const credentialType = { 'Content-Type': 'application/dc+sd-jwt' };

/** Routes under /v1/licences that aren't acts. */
export function licenceRoutes(services: Pick<Services, 'registry' | 'exchange' | 'idempotency'>) {
  const { registry, exchange } = services;
  const routes = new OpenAPIHono<Env>();
  routes.post('/', issuedOnce(services));
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
      const { etag, ...licence } = await registry.get(c.get('actor'), c.req.valid('param').number);
      return c.json(licence, 200, { ETag: etag });
    })
    .openapi(credential, async (c) => {
      const compact = await registry.credential(c.get('actor'), c.req.valid('param').number);
      return c.body(compact, 200, credentialType);
    })
    .openapi(document, async (c) => {
      const { number } = c.req.valid('param');
      return pdf(c, number, await registry.document(c.get('actor'), number));
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
      if (result instanceof Uint8Array) return pdf(c, c.req.valid('param').number, result);
      return typeof result === 'string' ? c.body(result, 200, credentialType) : c.json(result, 200);
    });
}
