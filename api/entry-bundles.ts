// Entry bundles (C2SP tlog-tiles), for auditors alone: leaves tell more than the hashes anyone may read.
import { OpenAPIHono, z } from '@hono/zod-openapi';
import { parseTilePath } from '../audit/index.ts';
import type { Services } from './compose.ts';
import type { Env } from './env.ts';
import { apiErrors } from './errors.ts';
import { commonRefusals } from './shapes.ts';

const widest = 256;

/** GET /log/tile/entries/{N}[.p/{W}]; who may enter is said by route-rights.ts. */
export function entryBundleRoutes({ oversight }: Pick<Services, 'oversight'>) {
  const routes = new OpenAPIHono<Env>();
  routes.openAPIRegistry.registerPath({
    method: 'get',
    path: '/log/tile/entries/{bundle}',
    tags: ['audit'],
    summary:
      'A bundle of 256 leaves, each behind its length (C2SP tlog-tiles); each read is logged',
    request: {
      params: z.object({
        bundle: z.string().openapi({
          description:
            'N in groups of three digits, `.p/W` behind it for the first W; x001/067.p/8',
        }),
      }),
    },
    responses: {
      ...commonRefusals,
      200: {
        description: 'The leaves as they were hashed',
        content: {
          'application/octet-stream': { schema: z.string().openapi({ format: 'binary' }) },
        },
      },
    },
  });
  routes.get('/log/tile/entries/:bundle{.+}', async (c) => {
    // A bundle is numbered like a tile of level 0.
    const address = parseTilePath(`0/${c.req.param('bundle')}`);
    if (!address) throw apiErrors.not_found('There is no such entry bundle.');
    const { n, width } = address;
    const bytes = await oversight.entryBundle(c.get('actor'), n, width);
    return new Response(new Uint8Array(bytes), {
      headers: {
        'Content-Type': 'application/octet-stream',
        // For the auditor's own machine; what is not full will be another bundle soon.
        'Cache-Control':
          width === widest ? 'private, max-age=31536000, immutable' : 'private, no-store',
      },
    });
  });
  return routes;
}
