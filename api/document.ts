// A sealed document as a reply: never stored on the way, under a name that any file system takes.
import { createHash } from 'node:crypto';
import { z } from '@hono/zod-openapi';
import type { Context } from 'hono';
import type { Env } from './env.ts';

/** For the OpenAPI document. */
export const pdfReply = {
  description: 'PDF',
  content: { 'application/pdf': { schema: z.string().openapi({ format: 'binary' }) } },
};

/** The PDF, or 304 for who has it; the look was logged before either. */
export function pdf(c: Context<Env>, number: string, bytes: Uint8Array) {
  const etag = `"${createHash('sha256').update(bytes).digest('base64url')}"`;
  // A licence number holds digits, capitals and dots; anything else is left out all the same.
  const name = `licence-${number.replace(/[^0-9A-Z.]/g, '')}.pdf`;
  const headers = {
    'Content-Type': 'application/pdf',
    'Content-Disposition': `attachment; filename="${name}"`,
    'Cache-Control': 'private, no-store',
    ETag: etag,
  };
  if (c.req.header('if-none-match') === etag) return c.body(null, 304, headers) as never;
  return c.body(new Uint8Array(bytes), 200, headers);
}
