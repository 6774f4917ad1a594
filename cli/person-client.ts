// A person with a browser's means: signs in, keeps the cookie, makes same-origin calls.
import { z } from 'zod';
import type { Json } from '../platform/index.ts';

export const PersonFile = z.array(
  z.object({
    key: z.string(),
    scheme: z.enum(['cn-id', 'uscc']),
    value: z.string(),
    name: z.string(),
    pin: z.string(),
  }),
);
export type SamplePerson = z.infer<typeof PersonFile>[number];

/** The house let nobody in; `message` says why in its words. */
export class SignInRefused extends Error {}

const Refusal = z.looseObject({ detail: z.string(), code: z.string() });

async function refusalOf(response: Response): Promise<SignInRefused> {
  const said = Refusal.safeParse(await response.json().catch(() => null));
  const why = said.success ? `${said.data.detail} (${said.data.code})` : String(response.status);
  return new SignInRefused(`The sign-in was refused: ${why}`);
}

/**
 * Signs in with a form's worth of JSON; throws SignInRefused when refused. `publicUrl` is what the
 * house calls itself, where it is reached at another address: calls have to come from there.
 */
export async function signIn(
  baseUrl: string,
  credentials: Record<string, string>,
  publicUrl = baseUrl,
) {
  const response = await fetch(`${baseUrl}/sign-in`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', Origin: publicUrl },
    body: JSON.stringify(credentials),
  });
  if (response.status !== 204) throw await refusalOf(response);
  const cookie = (response.headers.get('set-cookie') ?? '').split(';')[0] ?? '';
  return {
    async get(
      path: string,
      accept = 'application/json',
    ): Promise<{ status: number; text: string; json: Json }> {
      const reply = await fetch(`${baseUrl}${path}`, {
        headers: { Cookie: cookie, Accept: accept },
      });
      const text = await reply.text();
      const isJson = (reply.headers.get('content-type') ?? '').includes('json');
      return { status: reply.status, text, json: isJson ? (JSON.parse(text) as Json) : null }; // JSON.parse gives Json
    },
    async post(path: string, body: object): Promise<{ status: number; json: Json }> {
      const reply = await fetch(`${baseUrl}${path}`, {
        method: 'POST',
        headers: { Cookie: cookie, Origin: publicUrl, 'Content-Type': 'application/json' },
        body: JSON.stringify(body),
      });
      return { status: reply.status, json: (await reply.json()) as Json }; // JSON.parse gives Json
    },
  };
}
