// The description of the API (OpenAPI 3.1), made from the routes themselves.
import type { OpenAPIHono } from '@hono/zod-openapi';
import type { Env } from './env.ts';

/** Gives a function that describes the application's routes; made once, when it is first asked for. */
export function apiDescription(app: OpenAPIHono<Env>, publicUrl: string) {
  app.openAPIRegistry.registerComponent('securitySchemes', 'dpop', {
    type: 'http',
    scheme: 'DPoP',
    description:
      'A department’s system: an access token of POST /oauth/token (client credentials, ' +
      'private_key_jwt) and a proof in the DPoP header (RFC 9449).',
  });
  app.openAPIRegistry.registerComponent('securitySchemes', 'mutualTls', {
    type: 'mutualTLS',
    description:
      'A department’s system registered with a TLS certificate: a Bearer token bound to that ' +
      'certificate (RFC 8705), through a proxy this house trusts.',
  });
  app.openAPIRegistry.registerComponent('securitySchemes', 'session', {
    type: 'apiKey',
    in: 'cookie',
    name: 'yihao_session',
    description:
      'A person: the cookie of POST /sign-in. Unsafe methods need an Origin of this site.',
  });
  const describe = () =>
    app.getOpenAPI31Document({
      openapi: '3.1.0',
      info: {
        title: 'Yihao',
        version: '1',
        description:
          'E-licences, questions between departments, who looked, and the open-data catalogue. ' +
          'Errors are RFC 9457 problem details with a stable `code`.',
      },
      servers: [{ url: publicUrl }],
      security: [{ dpop: [] }, { mutualTls: [] }, { session: [] }],
    });
  let made: ReturnType<typeof describe> | undefined;
  return () => {
    made ??= describe();
    return made;
  };
}
