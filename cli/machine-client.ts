// A department's system as a client: private_key_jwt (RFC 7523), DPoP (RFC 9449), JSON calls.
import {
  createHash,
  createPrivateKey,
  generateKeyPairSync,
  type KeyObject,
  sign,
} from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { type Clock, type Ids, type Json, systemClock, systemIds } from '../platform/index.ts';

/** The file a department's system is given: DATA_DIR/clients/<department>.json. */
export const ClientFile = z.object({
  client_id: z.string(),
  issuer: z.string(),
  token_endpoint: z.string(),
  private_jwk: z.looseObject({ kty: z.literal('EC'), crv: z.literal('P-256'), kid: z.string() }),
  scope: z.string(),
});
export type ClientFile = z.infer<typeof ClientFile>;

export interface Reply {
  status: number;
  headers: Headers;
  text: string;
  /** The body where it is JSON, else null. */
  json: Json;
}

/** A call that was answered with something else than it should have been. */
export class CallError extends Error {
  readonly reply: Reply;
  constructor(message: string, reply: Reply) {
    super(`${message}: ${reply.status} ${reply.text.slice(0, 500)}`);
    this.name = 'CallError';
    this.reply = reply;
  }
}

const assertionLifetimeSeconds = 50;
/** A token is asked for anew this long before it ends. */
const renewBeforeSeconds = 20;

function encode(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

function signJwt(header: object, claims: object, key: KeyObject): string {
  const input = `${encode(header)}.${encode(claims)}`;
  const signature = sign('sha256', Buffer.from(input), { key, dsaEncoding: 'ieee-p1363' });
  return `${input}.${signature.toString('base64url')}`;
}

async function replyOf(response: Response): Promise<Reply> {
  const text = await response.text();
  const isJson = /[/+]json/.test(response.headers.get('content-type') ?? '');
  return {
    status: response.status,
    headers: response.headers,
    text,
    json: isJson ? parseJson(text) : null,
  };
}

/** JSON from a server that said it sends JSON. */
function parseJson(text: string): Json {
  return JSON.parse(text) as Json; // the wire gives unknown; Json is what JSON.parse can give
}

export async function readClientFile(path: string): Promise<ClientFile> {
  return ClientFile.parse(JSON.parse(await readFile(path, 'utf8')));
}

/** A client that gets and renews its own token; `baseUrl` defaults to the issuer in its file. */
export function createMachineClient(
  file: ClientFile,
  options: { baseUrl?: string; clock?: Clock; ids?: Ids } = {},
) {
  const { clock = systemClock, ids = systemIds } = options;
  const baseUrl = options.baseUrl ?? file.issuer;
  const clientKey = createPrivateKey({ key: file.private_jwk, format: 'jwk' });
  const { privateKey: dpopKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const dpopJwk = publicKey.export({ format: 'jwk' });
  let token: { value: string; endsAt: number } | undefined;

  const nowSeconds = (): number => Math.floor(clock.now().getTime() / 1000);

  function proof(method: string, url: string, accessToken?: string): string {
    const ath = accessToken
      ? { ath: createHash('sha256').update(accessToken).digest('base64url') }
      : {};
    return signJwt(
      { typ: 'dpop+jwt', alg: 'ES256', jwk: dpopJwk },
      { htm: method, htu: url.split(/[?#]/)[0], iat: nowSeconds(), jti: ids.token(16), ...ath },
      dpopKey,
    );
  }

  /** A fresh access token, whatever is kept. */
  async function fetchToken(scope = file.scope): Promise<{ value: string; endsAt: number }> {
    const iat = nowSeconds();
    const assertion = signJwt(
      { alg: 'ES256', kid: file.private_jwk.kid, typ: 'JWT' },
      {
        iss: file.client_id,
        sub: file.client_id,
        aud: file.issuer,
        iat,
        exp: iat + assertionLifetimeSeconds,
        jti: ids.token(16),
      },
      clientKey,
    );
    const response = await fetch(`${baseUrl}${new URL(file.token_endpoint).pathname}`, {
      method: 'POST',
      headers: {
        'Content-Type': 'application/x-www-form-urlencoded',
        DPoP: proof('POST', file.token_endpoint),
      },
      body: new URLSearchParams({
        grant_type: 'client_credentials',
        scope,
        client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
        client_assertion: assertion,
      }),
    });
    const reply = await replyOf(response);
    const body = z
      .object({ access_token: z.string(), expires_in: z.number() })
      .safeParse(reply.json);
    if (reply.status !== 200 || !body.success) throw new CallError('No token', reply);
    return { value: body.data.access_token, endsAt: nowSeconds() + body.data.expires_in };
  }

  async function currentToken(): Promise<string> {
    if (!token || token.endsAt - renewBeforeSeconds <= nowSeconds()) token = await fetchToken();
    return token.value;
  }

  /** One call with token and proof. A string body is sent as it is, anything else as JSON. */
  async function call(
    method: string,
    path: string,
    body?: Json,
    headers: Record<string, string> = {},
  ): Promise<Reply> {
    const accessToken = await currentToken();
    const response = await fetch(`${baseUrl}${path}`, {
      method,
      redirect: 'manual',
      headers: {
        ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
        Authorization: `DPoP ${accessToken}`,
        DPoP: proof(method, `${file.issuer}${path}`, accessToken),
        ...headers,
      },
      ...(body === undefined
        ? {}
        : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    return replyOf(response);
  }

  return { id: file.client_id, fetchToken, call, proof };
}

export type MachineClient = ReturnType<typeof createMachineClient>;
