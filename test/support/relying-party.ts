// A relying party of foreign make: openid-client in code flow with PKCE, authenticated by its own key.
import { exportJWK, generateKeyPair } from 'jose';
import {
  allowInsecureRequests,
  authorizationCodeGrant,
  buildAuthorizationUrl,
  buildEndSessionUrl,
  type Configuration,
  calculatePKCECodeChallenge,
  customFetch,
  discovery,
  type ModifyAssertionFunction,
  modifyAssertion,
  PrivateKeyJwt,
  randomNonce,
  randomPKCECodeVerifier,
  randomState,
} from 'openid-client';

/** What one sign-in keeps until its answer comes. */
export interface Started {
  url: string;
  state: string;
  nonce: string;
  codeVerifier: string;
}

/** Its keys, before anybody knows it. */
export async function makePartyKey() {
  const { publicKey, privateKey } = await generateKeyPair('ES256');
  return { privateKey, jwk: { ...(await exportJWK(publicKey)), kid: 'party-1' } };
}

/** A relying party of the house that calls itself `issuer`, and really listens at `baseUrl`. */
export function createRelyingParty(options: {
  clientId: string;
  redirectUri: string;
  privateKey: CryptoKey;
  kid?: string;
  issuer: string;
  resolve: (url: string) => string;
}) {
  const { clientId, redirectUri, privateKey, kid = 'party-1', issuer, resolve } = options;

  async function configuration(change?: ModifyAssertionFunction): Promise<Configuration> {
    const auth = PrivateKeyJwt(
      { key: privateKey, kid },
      change ? { [modifyAssertion]: change } : {},
    );
    return discovery(new URL(issuer), clientId, {}, auth, {
      execute: [allowInsecureRequests],
      [customFetch]: (url, init) => fetch(resolve(url), init as RequestInit), // its own type of the same
    });
  }

  return {
    configuration,

    /** Where to send the browser, with further parameters of the test. */
    async start(parameters: Record<string, string> = {}): Promise<Started> {
      const [state, nonce, codeVerifier] = [randomState(), randomNonce(), randomPKCECodeVerifier()];
      const url = buildAuthorizationUrl(await configuration(), {
        redirect_uri: redirectUri,
        scope: 'openid officer',
        state,
        nonce,
        code_challenge: await calculatePKCECodeChallenge(codeVerifier),
        code_challenge_method: 'S256',
        ...parameters,
      });
      return { url: url.href, state, nonce, codeVerifier };
    },

    /** The ID token's claims, and the token itself, for what the browser brought back. */
    async finish(
      answer: string,
      { state, nonce, codeVerifier }: Omit<Started, 'url'>,
      change?: ModifyAssertionFunction,
    ) {
      const tokens = await authorizationCodeGrant(await configuration(change), new URL(answer), {
        pkceCodeVerifier: codeVerifier,
        expectedState: state,
        expectedNonce: nonce,
        idTokenExpected: true,
      });
      const claims = tokens.claims();
      if (!claims) throw new Error('There is no ID token.');
      return { claims, idToken: tokens.id_token ?? '' };
    },

    async signOutUrl(idToken: string, postLogoutRedirectUri: string): Promise<string> {
      return buildEndSessionUrl(await configuration(), {
        id_token_hint: idToken,
        post_logout_redirect_uri: postLogoutRedirectUri,
        state: 'after',
      }).href;
    },
  };
}
