// A city's identity provider of foreign make, on a port of its own: it signs in whoever the test says.
import { generateKeyPairSync } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Provider } from 'oidc-provider/lib/provider.js';

/** Whom the provider signs in next, or that it refuses. */
export interface NextAnswer {
  claims: Record<string, unknown>;
  acr?: string;
  error?: 'access_denied';
}

export interface TestIdentityProvider {
  issuer: string;
  answer: NextAnswer;
  /** Serves no metadata and no tokens any more. */
  isDown: boolean;
  close(): Promise<void>;
}

/**
 * Starts it with one registered client, which authenticates by private_key_jwt. Claims stand in the ID
 * token itself, or only at the userinfo endpoint.
 */
export async function startIdentityProvider(client: {
  clientId: string;
  redirectUri: string;
  jwk: object;
  isInIdToken: boolean;
}): Promise<TestIdentityProvider> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  // listen() on a TCP port gives an AddressInfo, never the path of a pipe.
  const { port } = server.address() as AddressInfo;
  const issuer = `http://127.0.0.1:${port}`;
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const state: TestIdentityProvider = {
    issuer,
    answer: { claims: {} },
    isDown: false,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  const provider = new Provider(issuer, {
    jwks: { keys: [{ ...privateKey.export({ format: 'jwk' }), alg: 'ES256', use: 'sig' }] },
    clients: [
      {
        client_id: client.clientId,
        redirect_uris: [client.redirectUri],
        jwks: { keys: [client.jwk] },
        token_endpoint_auth_method: 'private_key_jwt',
        token_endpoint_auth_signing_alg: 'ES256',
        id_token_signed_response_alg: 'ES256',
        // Redirect URIs on loopback are for native clients or tests.
        application_type: 'native',
      },
    ],
    cookies: { keys: ['of-the-test'] },
    clientDefaults: { id_token_signed_response_alg: 'ES256' },
    enabledJWA: { clientAuthSigningAlgValues: ['ES256'] },
    ttl: { Interaction: 600, Grant: 600, Session: 600, AccessToken: 600, IdToken: 600 },
    acrValues: ['face', 'sms'],
    claims: { openid: ['sub', 'id_number', 'username'], acr: null },
    conformIdTokenClaims: !client.isInIdToken,
    features: { devInteractions: { enabled: false } },
    interactions: { url: (_ctx, { uid }) => `/interaction/${uid}` },
    findAccount: (_ctx, accountId) => ({
      accountId,
      claims: async () => ({ sub: accountId, ...state.answer.claims }),
    }),
    loadExistingGrant: async (ctx) => {
      const grant = new ctx.oidc.provider.Grant({
        accountId: ctx.oidc.session?.accountId ?? '',
        clientId: client.clientId,
      });
      grant.addOIDCScope('openid');
      await grant.save();
      return grant;
    },
  });
  const answer = provider.callback();
  server.on('request', async (req, res) => {
    if (state.isDown) return void res.writeHead(503).end();
    if (!req.url?.startsWith('/interaction/')) return void answer(req, res);
    const { error, acr } = state.answer;
    const result = error
      ? { error, error_description: '姓名 990101199001010019 said no' }
      : { login: { accountId: `user-${port}`, ...(acr ? { acr } : {}) }, consent: {} };
    await provider.interactionFinished(req, res, result);
  });
  return state;
}
