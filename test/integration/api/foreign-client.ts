// A department's system built on a library that is not ours (oauth4webapi): what it sends is right
// unless a test bends it.
import * as oauth from 'oauth4webapi';
import { PUBLIC_URL } from './house.ts';

const ISSUER = new URL(PUBLIC_URL);

/** Changes of what the library is about to sign; undefined removes a member. */
export interface Bend {
  header?: Record<string, unknown>;
  claims?: Record<string, unknown>;
}

const bent =
  ({ header = {}, claims = {} }: Bend) =>
  (ownHeader: object, ownClaims: object) => {
    Object.assign(ownHeader, header);
    Object.assign(ownClaims, claims);
  };

export type Fetch = (url: string, init?: RequestInit) => Promise<Response>;

/** Sends to where a house listens what is meant for its public URL, as a name server would. */
export function toHouse(
  baseUrl: string,
  change: (init: RequestInit) => RequestInit = (init) => init,
): Fetch {
  return (url, init = {}) => fetch(url.replace(PUBLIC_URL, baseUrl), change(init));
}

/** A client known to the house under this key. */
export async function foreignClient(
  clientId: string,
  signing: { key: CryptoKey; kid: string },
  baseUrl: string,
) {
  const client: oauth.Client = { client_id: clientId };
  const proving = await oauth.generateKeyPair('ES256', { extractable: true });
  const insecure = { [oauth.allowInsecureRequests]: true };
  const as = await oauth.processDiscoveryResponse(
    ISSUER,
    await oauth.discoveryRequest(ISSUER, {
      algorithm: 'oauth2',
      [oauth.customFetch]: toHouse(baseUrl),
      ...insecure,
    }),
  );

  const proofs = (bend: Bend = {}, keys = proving) =>
    oauth.DPoP(client, keys, { [oauth.modifyAssertion]: bent(bend) });

  /** Asks for a token; the library throws its ResponseBodyError with the OAuth error code. */
  async function token(
    options: {
      assertion?: Bend;
      proof?: Bend | null;
      key?: { key: CryptoKey; kid?: string };
      form?: Record<string, string>;
      at?: string;
      fetch?: Fetch;
      clientId?: string;
    } = {},
  ): Promise<oauth.TokenEndpointResponse> {
    const { assertion = {}, proof = {}, key = signing, form = {}, at = baseUrl } = options;
    const who = options.clientId === undefined ? client : { client_id: options.clientId };
    const response = await oauth.clientCredentialsGrantRequest(
      as,
      who,
      oauth.PrivateKeyJwt(key.kid === undefined ? key.key : { key: key.key, kid: key.kid }, {
        [oauth.modifyAssertion]: bent(assertion),
      }),
      form,
      {
        ...(proof === null ? {} : { DPoP: proofs(proof) }),
        [oauth.customFetch]: options.fetch ?? toHouse(at),
        ...insecure,
      },
    );
    return oauth.processClientCredentialsResponse(as, client, response);
  }

  /** Calls the API; the library throws what the WWW-Authenticate header says. */
  async function call(
    accessToken: string,
    options: {
      method?: string;
      path?: string;
      body?: object;
      proof?: Bend;
      keys?: oauth.CryptoKeyPair;
      at?: string;
      fetch?: Fetch;
    } = {},
  ): Promise<Response> {
    const { method = 'GET', path = '/v1/me', body, proof, keys, at = baseUrl } = options;
    return oauth.protectedResourceRequest(
      accessToken,
      method,
      new URL(path, ISSUER),
      new Headers(body ? { 'Content-Type': 'application/json' } : {}),
      body ? JSON.stringify(body) : null,
      {
        DPoP: proofs(proof, keys),
        // Bodies here are texts.
        [oauth.customFetch]: (url, init) =>
          (options.fetch ?? toHouse(at))(url, {
            ...init,
            body: body ? JSON.stringify(body) : null,
          }),
        ...insecure,
      },
    );
  }

  return { client, as, proving, token, call };
}

export type ForeignClient = Awaited<ReturnType<typeof foreignClient>>;

/** Status and error of a refusal, in the standard's own words. */
export async function refused(act: Promise<unknown>): Promise<string> {
  const error = await act.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error instanceof oauth.ResponseBodyError) return `${error.status} ${error.error}`;
  if (error instanceof oauth.WWWAuthenticateChallengeError) {
    const challenges = error.cause.map(
      ({ scheme, parameters }) => `${scheme} ${parameters.error ?? 'without an error'}`,
    );
    return `${error.status} ${challenges.join(', ')}`;
  }
  throw new Error(`Not refused: ${String(error)}`, { cause: error });
}
