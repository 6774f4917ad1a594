// Us as the relying party of one identity provider elsewhere: OpenID Connect's code flow with PKCE,
// state and nonce. openid-client does the protocol and checks every answer.
import { webcrypto } from 'node:crypto';
import {
  AuthorizationResponseError,
  allowInsecureRequests,
  authorizationCodeGrant,
  buildAuthorizationUrl,
  type ClientAuth,
  ClientSecretBasic,
  type Configuration,
  calculatePKCECodeChallenge,
  discovery,
  fetchUserInfo,
  PrivateKeyJwt,
} from 'openid-client';
import { z } from 'zod';
import type { IdentityProviderSetting } from '../platform/index.ts';
import { ASSURANCES } from './assurance.ts';

/** Secrets of one sign-in that never leave us, and the two values that do. */
export interface FlowSecrets {
  state: string;
  nonce: string;
  codeVerifier: string;
}

/** What a provider said of who signed in; `subject` is the configured claim, unchecked. */
export interface ProviderAnswer {
  subject: unknown;
  acr: string | undefined;
}

/** Why nobody came back signed in; no word of the provider's is kept. */
export class ProviderFault extends Error {
  readonly reason: 'refused' | 'unreachable';
  constructor(reason: 'refused' | 'unreachable', cause: unknown) {
    super(`${reason}: ${cause instanceof Error ? cause.name : 'unknown'}`);
    this.reason = reason;
  }
}

// Its keys and addresses change seldom; the keys themselves openid-client asks for by itself.
const METADATA_MS = 60 * 60 * 1000;
const TIMEOUT_SECONDS = 10;

const Acr = z.string().optional();

/** The client of one provider; its metadata is read at the first use, and again when that fails. */
export function createProviderClient(
  setting: IdentityProviderSetting,
  { redirectUri, now }: { redirectUri: string; now: () => number },
) {
  // In order of preference; some providers tell the level only to who asks (OpenID Connect Core 3.1.2.1).
  const acrValues = Object.keys(setting.acr)
    .sort((a, b) => levelOf(setting, b) - levelOf(setting, a))
    .join(' ');
  let known: { configuration: Promise<Configuration>; until: number } | undefined;

  async function discover(): Promise<Configuration> {
    const auth = await clientAuthOf(setting.credential);
    const isPlain = setting.issuer.startsWith('http:');
    const metadata = { id_token_signed_response_alg: undefined, redirect_uris: [redirectUri] };
    return discovery(new URL(setting.issuer), setting.clientId, metadata, auth, {
      timeout: TIMEOUT_SECONDS,
      // Configuration lets http in on loopback alone.
      execute: isPlain ? [allowInsecureRequests] : [],
    });
  }

  async function configuration(): Promise<Configuration> {
    if (known === undefined || known.until < now()) {
      known = { configuration: discover(), until: now() + METADATA_MS };
    }
    try {
      return await known.configuration;
    } catch (cause) {
      known = undefined;
      throw new ProviderFault('unreachable', cause);
    }
  }

  return {
    /** Where to send the browser. */
    async authorizationUrl({ state, nonce, codeVerifier }: FlowSecrets): Promise<string> {
      const url = buildAuthorizationUrl(await configuration(), {
        redirect_uri: redirectUri,
        scope: setting.scope,
        state,
        nonce,
        code_challenge: await calculatePKCECodeChallenge(codeVerifier),
        code_challenge_method: 'S256',
        ...(acrValues === '' ? {} : { acr_values: acrValues }),
      });
      return url.href;
    },

    /** Exchanges what the browser brought back; throws ProviderFault for anything but a whole answer. */
    async answer(query: string, secrets: FlowSecrets): Promise<ProviderAnswer> {
      const config = await configuration();
      try {
        const tokens = await authorizationCodeGrant(config, new URL(`${redirectUri}${query}`), {
          pkceCodeVerifier: secrets.codeVerifier,
          expectedState: secrets.state,
          expectedNonce: secrets.nonce,
          idTokenExpected: true,
        });
        const claims = tokens.claims();
        if (claims === undefined) throw new TypeError('An ID token was expected.');
        const acr = Acr.parse(claims.acr);
        const inToken = claims[setting.claim];
        if (inToken !== undefined) return { subject: inToken, acr };
        const info = await fetchUserInfo(config, tokens.access_token, claims.sub);
        return { subject: info[setting.claim], acr };
      } catch (cause) {
        const isRefusal = cause instanceof AuthorizationResponseError;
        throw new ProviderFault(isRefusal ? 'refused' : 'unreachable', cause);
      }
    },
  };
}

function levelOf({ acr }: IdentityProviderSetting, value: string): number {
  return ASSURANCES.indexOf(acr[value] ?? 'low');
}

async function clientAuthOf(
  credential: IdentityProviderSetting['credential'],
): Promise<ClientAuth> {
  if (credential.kind === 'secret') return ClientSecretBasic(credential.secret);
  const { kid, kty, crv, x, y, d } = credential.jwk;
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256' };
  const jwk = { kty, crv, x, y, d };
  const key = await webcrypto.subtle.importKey('jwk', jwk, algorithm, false, ['sign']);
  return PrivateKeyJwt(kid === undefined ? { key } : { key, kid });
}
