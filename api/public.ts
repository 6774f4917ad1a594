// What anyone may ask: is this licence genuine? (contract section 6)
import { createRoute, OpenAPIHono, z } from '@hono/zod-openapi';
import type { Lookup } from '../registry/index.ts';
import type { Services } from './compose.ts';
import type { Env } from './env.ts';
import { apiErrors } from './errors.ts';
import { commonRefusals, JsonObject, jsonBody, jsonReply, shapeOf } from './shapes.ts';
import { readMultipart } from './upload.ts';

const Code = z.object({ verificationCode: z.string().max(40) });

const LookupReply = shapeOf<Lookup>(
  'Lookup',
  'result, type, issuer, holderName (masked), validTo, publicFields, checkedAt',
);

const lookup = createRoute({
  method: 'get',
  path: '/licences/{verificationCode}',
  tags: ['anyone'],
  summary: 'What is known of a licence by its verification code; names are masked',
  request: { params: Code },
  responses: {
    ...commonRefusals,
    200: jsonReply(LookupReply, 'The state of the licence, or unknown'),
  },
});

const compare = createRoute({
  method: 'post',
  path: '/licences/{verificationCode}/compare',
  tags: ['anyone'],
  summary: 'Does what stands on the paper agree? Five tries a day per code',
  request: { params: Code, ...jsonBody(z.strictObject({ fields: JsonObject })) },
  responses: { ...commonRefusals, 200: jsonReply(JsonObject, 'Per field: agrees or not') },
});

/** Reads what is presented from the body: a credential (text) or a PDF, as such or as a form's `file`. */
async function presented(request: Request): Promise<string | Uint8Array> {
  const type = (request.headers.get('content-type') ?? '').split(';')[0]?.trim().toLowerCase();
  if (type === 'application/dc+sd-jwt') return (await request.text()).trim();
  if (type === 'application/pdf') return new Uint8Array(await request.arrayBuffer());
  if (type === 'multipart/form-data') {
    const file = (await readMultipart(request)).find(({ name }) => name === 'file');
    if (file) return file.pdf ?? file.text.trim();
    throw apiErrors.form_unreadable('The form has no field "file".');
  }
  throw apiErrors.content_type(
    'Send application/dc+sd-jwt or application/pdf, or a form with the field "file".',
  );
}

/** Routes under /v1/public. */
export function publicRoutes({ registry }: Pick<Services, 'registry'>) {
  const routes = new OpenAPIHono<Env>();
  routes.openAPIRegistry.registerPath({
    method: 'post',
    path: '/verify',
    tags: ['anyone'],
    summary: 'Check a credential or a PDF: each check by name with its result',
    request: {
      body: {
        content: {
          'application/dc+sd-jwt': { schema: z.string() },
          'application/pdf': { schema: z.string() },
          'multipart/form-data': { schema: z.object({ file: z.string() }) },
        },
      },
    },
    responses: { ...commonRefusals, 200: jsonReply(JsonObject, 'Verdict, status and checks') },
  });
  routes.post('/verify', async (c) => {
    const caller = { requestId: c.get('requestId') };
    const what = await presented(c.req.raw);
    return c.json(
      typeof what === 'string'
        ? await registry.verifyPresented(what, caller)
        : await registry.verifyDocument(what, caller),
      200,
    );
  });
  return routes
    .openapi(lookup, async (c) =>
      c.json(await registry.lookup(c.req.valid('param').verificationCode), 200),
    )
    .openapi(compare, async (c) =>
      c.json(
        await registry.compare(c.req.valid('param').verificationCode, c.req.valid('json').fields, {
          requestId: c.get('requestId'),
        }),
        200,
      ),
    );
}
