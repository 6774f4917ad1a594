// The OAuth token endpoint: client credentials, JWT access tokens (RFC 9068); private_key_jwt (RFC 7523)
// with DPoP (RFC 9449), or a pinned certificate for both (RFC 8705); held to FAPI 2.0 (spec/trust.md 2.7).
// oidc-provider does the protocol; what is stricter here, and what may happen only once in all processes,
// is decided in the hooks below.
import type { KeyObject, X509Certificate } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Adapter, AdapterPayload, Client, KoaContextWithOIDC } from 'oidc-provider';
import {
  InvalidClientAuth,
  InvalidDpopProof,
  InvalidScope,
  InvalidTarget,
} from 'oidc-provider/lib/helpers/errors.js';
import { Provider } from 'oidc-provider/lib/provider.js';
import { z } from 'zod';
import type { Clock, Database, Logger } from '../platform/index.ts';
import { TOKEN_SECONDS } from './access-token.ts';
import { SCOPES } from './actor.ts';
import { createAssertionCheck } from './client-assertion.ts';
import { CLIENT_METHODS, type ClientMethod, readCertificate } from './client-keys.ts';
import { parseCompactJws } from './compact-jws.ts';
import { AHEAD_SECONDS, createProofCheck, ProofFault, proofDigest } from './dpop-proof.ts';
import { findClient } from './store-clients.ts';
import { useProof } from './store-proofs.ts';

const TOKEN_PATH = '/oauth/token';
const JWKS_PATH = '/oauth/jwks';
const METADATA_PATH = '/.well-known/oauth-authorization-server';
const METHODS: Record<string, string[]> = {
  [TOKEN_PATH]: ['POST'],
  [JWKS_PATH]: ['GET', 'HEAD'],
  [METADATA_PATH]: ['GET', 'HEAD'],
};

const MUTUAL_TLS: ClientMethod = 'self_signed_tls_client_auth';

/**
 * A node handler for POST /oauth/token, GET /oauth/jwks and the metadata of RFC 8414. Any other path
 * answers 404, so that nothing else of the library can be reached. `certificate`: DER of the one the
 * client authenticated its TLS connection with, from whoever ended it.
 */
export function createTokenEndpoint(deps: {
  database: Database;
  clock: Clock;
  logger: Logger;
  publicUrl: string;
  publicUrlAliases: readonly string[];
  tokenKey: KeyObject;
  isMutualTlsOffered: boolean;
}): (req: IncomingMessage, res: ServerResponse, certificate?: Buffer) => void {
  const { database, clock, logger, publicUrl, publicUrlAliases, isMutualTlsOffered } = deps;
  const methods: ClientMethod[] = isMutualTlsOffered ? [...CLIENT_METHODS] : ['private_key_jwt'];
  const certificates = new WeakMap<IncomingMessage, X509Certificate>();
  const checkProof = createProofCheck();
  const bases = [publicUrl, ...publicUrlAliases];
  const checkAssertion = createAssertionCheck({ database, clock, issuer: publicUrl });

  /** The library has found the certificate among the registered ones. */
  function checkCertificate(ctx: KoaContextWithOIDC): void {
    if (ctx.get('dpop') !== '') {
      throw new InvalidDpopProof('tokens of this client are bound to its certificate alone');
    }
    const certificate = certificates.get(ctx.req);
    if (!certificate || new Date(certificate.validTo) <= clock.now()) {
      throw new InvalidClientAuth('the certificate has expired');
    }
  }

  async function takeProof(proof: string, clientId: string): Promise<void> {
    if (proof === '') throw new InvalidDpopProof('a DPoP proof is required');
    try {
      const urls = bases.map((base) => `${base}${TOKEN_PATH}`);
      const checked = checkProof(proof, { method: 'POST', urls, now: clock.now() });
      const { issuedAt } = checked;
      const use = await useProof(database.db, { clientId, digest: proofDigest(checked), issuedAt });
      if (!use?.isFirstUse) throw new ProofFault('the proof has been used before');
      if (!use.isAfterEpoch) throw new ProofFault('the proof is older than the memory of proofs');
    } catch (error) {
      if (error instanceof ProofFault) throw new InvalidDpopProof(error.message);
      throw error;
    }
  }

  /** Called for an authenticated client, before its token is made. */
  async function admit(ctx: KoaContextWithOIDC, resource: string, client: Client) {
    if (resource !== publicUrl) throw new InvalidTarget('the only resource here is the issuer');
    if (client.clientAuthMethod === MUTUAL_TLS) checkCertificate(ctx);
    else await takeProof(ctx.get('dpop'), client.clientId);
    const clientScope = client.scope ?? '';
    const params = ctx.oidc.params ?? {};
    // RFC 6749 section 3.3: without a scope parameter, all that the client has.
    params.scope ??= clientScope;
    const refused = String(params.scope)
      .split(' ')
      .find((scope) => !clientScope.split(' ').includes(scope));
    if (refused !== undefined) throw new InvalidScope('a scope was not granted', refused);
  }

  const provider = new Provider(publicUrl, {
    adapter: (model) => storeOf(model, database, methods),
    jwks: { keys: [{ ...deps.tokenKey.export({ format: 'jwk' }), alg: 'ES256', use: 'sig' }] },
    routes: { token: TOKEN_PATH, jwks: JWKS_PATH },
    scopes: [...SCOPES],
    claims: {},
    extraClientMetadata: { properties: ['stops'] },
    // As it was when the client was read: one that is being stopped gets a token worth nothing.
    extraTokenClaims: (ctx) => ({ stops: ctx.oidc.client?.stops }),
    responseTypes: [],
    clientAuthMethods: methods,
    clientDefaults: { id_token_signed_response_alg: 'ES256' },
    enabledJWA: { clientAuthSigningAlgValues: ['ES256'], dPoPSigningAlgValues: ['ES256'] },
    clockTolerance: AHEAD_SECONDS,
    assertJwtClientAuthClaimsAndHeader: checkAssertion,
    clientBasedCORS: () => false,
    renderError: (ctx, out) => {
      ctx.body = out;
    },
    ttl: { ClientCredentials: TOKEN_SECONDS },
    features: {
      devInteractions: { enabled: false },
      userinfo: { enabled: false },
      rpInitiatedLogout: { enabled: false },
      pushedAuthorizationRequests: { enabled: false },
      clientCredentials: { enabled: true },
      // Its own memory of proofs has a gap between look and write; admit() claims them in one step.
      dPoP: { enabled: true, allowReplay: true },
      mTLS: {
        enabled: isMutualTlsOffered,
        certificateBoundAccessTokens: true,
        selfSignedTlsClientAuth: true,
        getCertificate: (ctx) => certificates.get(ctx.req),
      },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => publicUrl,
        useGrantedResource: () => true,
        getResourceServerInfo: async (ctx, resource, client) => {
          await admit(ctx, resource, client);
          return {
            scope: client.scope ?? '',
            audience: publicUrl,
            accessTokenTTL: TOKEN_SECONDS,
            accessTokenFormat: 'jwt',
            jwt: { sign: { alg: 'ES256' } },
          };
        },
      },
    },
  });
  const log = (error: unknown) => logger.error({ err: error }, 'The token endpoint failed');
  provider.on('server_error', (_, error) => log(error));
  provider.onerror = log;

  // Proofs name the public URL, or one of its aliases; what Host says is anybody's.
  const origins = new WeakMap<IncomingMessage, string>();
  Object.defineProperty(provider.request, 'href', {
    get(this: { req: IncomingMessage }) {
      return `${origins.get(this.req) ?? publicUrl}${this.req.url}`;
    },
  });

  const answer = provider.callback();
  const metadata = JSON.stringify(describe(publicUrl, methods));

  return function tokenEndpoint(req, res, certificate) {
    const path = req.url?.split('?', 1)[0] ?? '';
    const allowed = METHODS[path];
    if (!allowed) return void res.writeHead(404).end();
    if (!allowed.includes(req.method ?? '')) {
      return void res.writeHead(405, { Allow: allowed.join(', ') }).end();
    }
    if (path === METADATA_PATH) {
      res.writeHead(200, { 'Content-Type': 'application/json', 'Cache-Control': 'max-age=300' });
      return void res.end(metadata);
    }
    const base = claimedBase(req.headers.dpop, bases);
    if (base !== undefined) origins.set(req, base);
    const presented = certificate && readCertificate(certificate);
    if (presented) certificates.set(req, presented);
    void answer(req, res);
  };
}

/** RFC 8414: what there is, and nothing else. */
function describe(issuer: string, methods: readonly ClientMethod[]) {
  return {
    issuer,
    token_endpoint: `${issuer}${TOKEN_PATH}`,
    jwks_uri: `${issuer}${JWKS_PATH}`,
    scopes_supported: SCOPES,
    response_types_supported: [],
    grant_types_supported: ['client_credentials'],
    token_endpoint_auth_methods_supported: methods,
    token_endpoint_auth_signing_alg_values_supported: ['ES256'],
    dpop_signing_alg_values_supported: ['ES256'],
    ...(methods.includes(MUTUAL_TLS) ? { tls_client_certificate_bound_access_tokens: true } : {}),
  };
}

/** The base URL a proof names, if it is one of ours; whether the proof holds is checked later. */
function claimedBase(proof: string | string[] | undefined, bases: string[]): string | undefined {
  const payload = typeof proof === 'string' ? parseCompactJws(proof)?.payload : undefined;
  const { data } = z.object({ htu: z.string() }).safeParse(payload);
  return bases.find((base) => data?.htu.startsWith(`${base}/`));
}

/**
 * The library's adapter. Of its models only the client is stored by us and read by it: access tokens
 * are self-contained, and assertions are claimed, in one atomic step, in checkAssertion.
 */
function storeOf(model: string, database: Database, methods: readonly ClientMethod[]): Adapter {
  const nothing = async () => undefined;
  return {
    find: model === 'Client' ? (id) => findMetadata(database, id, methods) : nothing,
    upsert: nothing,
    findByUserCode: nothing,
    findByUid: nothing,
    consume: nothing,
    destroy: nothing,
    revokeByGrantId: nothing,
  };
}

/** What the library knows of a client: the keys that serve now, and the one way to authenticate. */
async function findMetadata(
  database: Database,
  id: string,
  methods: readonly ClientMethod[],
): Promise<AdapterPayload | undefined> {
  const client = await findClient(database.db, id);
  if (client?.state !== 'active' || !methods.includes(client.method)) return undefined;
  const isMutualTls = client.method === MUTUAL_TLS;
  return {
    client_id: client.id,
    jwks: { keys: client.keys.flatMap(({ jwk, serves }) => (serves ? [jwk] : [])) },
    scope: client.scopes.join(' '),
    stops: client.stops,
    grant_types: ['client_credentials'],
    response_types: [],
    redirect_uris: [],
    token_endpoint_auth_method: client.method,
    ...(isMutualTls ? {} : { token_endpoint_auth_signing_alg: 'ES256' }),
    dpop_bound_access_tokens: !isMutualTls,
    ...(isMutualTls ? { tls_client_certificate_bound_access_tokens: true } : {}),
  };
}
