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

/** Signs in with a form's worth of JSON; throws when refused. */
export async function signIn(baseUrl: string, credentials: Record<string, string>) {
  const response = await fetch(`${baseUrl}/sign-in`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', Origin: baseUrl },
    body: JSON.stringify(credentials),
  });
  if (response.status !== 204)
    throw new Error(`Sign-in was refused: ${response.status} ${await response.text()}`);
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
        headers: { Cookie: cookie, Origin: baseUrl, 'Content-Type': 'application/json' },
        body: JSON.stringify(body),
      });
      return { status: reply.status, json: (await reply.json()) as Json }; // JSON.parse gives Json
    },
  };
}
