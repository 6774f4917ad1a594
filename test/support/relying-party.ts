// A relying party of foreign make: openid-client in code flow with PKCE, authenticated by its own key; and
// the server at which it hears of sign-outs.
import { createServer } from 'node:http';
import {
  createRemoteJWKSet,
  exportJWK,
  generateKeyPair,
  type JWTPayload,
  customFetch as joseFetch,
  jwtVerify,
} from 'jose';
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

/** What a relying party keeps of a notice that holds. */
export type Notice = JWTPayload & { sid: string };

/**
 * The server at which a relying party hears of sign-outs (OpenID Connect Back-Channel Logout 1.0 section
 * 2.6): it believes a token only when all of it holds, and a jti once. Not there until `open`.
 */
export function createNoticeServer(options: {
  clientId: string;
  port: number;
  issuer: string;
  resolve: (url: string) => string;
}) {
  const { clientId, port, issuer, resolve } = options;
  const notices: Notice[] = [];
  const refused: unknown[] = [];
  const known = new Set<string>();
  let answers: number | undefined;
  const keys = createRemoteJWKSet(new URL(`${issuer}/jwks`), {
    [joseFetch]: (url, init) => fetch(resolve(url), init),
  });

  async function take(body: string): Promise<number> {
    const token = new URLSearchParams(body).get('logout_token') ?? '';
    const { payload } = await jwtVerify(token, keys, {
      issuer,
      audience: clientId,
      typ: 'logout+jwt',
      algorithms: ['ES256'],
      requiredClaims: ['sub', 'iat', 'exp', 'jti', 'events', 'sid'],
      maxTokenAge: 120,
    });
    const events: object = Object(payload.events);
    if (!('http://schemas.openid.net/event/backchannel-logout' in events))
      throw new Error('events');
    if ('nonce' in payload || known.has(payload.jti ?? '')) throw new Error('nonce or jti');
    known.add(payload.jti ?? '');
    if (answers !== undefined) return answers;
    notices.push({ ...payload, sid: String(payload.sid) });
    return 200;
  }

  const server = createServer((req, res) => {
    let body = '';
    req.on('data', (part) => {
      body += part;
    });
    req.on('end', () => {
      take(body)
        .catch((error: unknown) => {
          refused.push(error);
          return 400;
        })
        .then((status) => res.writeHead(status).end());
    });
  });

  return {
    url: `http://127.0.0.1:${port}/notice`,
    notices,
    /** What it did not believe. */
    refused,
    /** Answers with this status from now on, whatever it is told; undefined: as it should. */
    answerWith: (status: number | undefined): void => {
      answers = status;
    },
    /** How many tokens it has looked at and believed, kept or not. */
    get looks(): number {
      return known.size;
    },
    open: () => new Promise<void>((done) => server.listen(port, '127.0.0.1', done)),
    close: () =>
      new Promise<void>((done) => {
        server.closeAllConnections();
        server.close(() => done());
      }),
  };
}
