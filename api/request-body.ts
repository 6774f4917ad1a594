// Bodies: how large, of which type, and readable; checked before any route sees them.
import { createMiddleware } from 'hono/factory';
import type { Env } from './env.ts';
import { apiErrors } from './errors.ts';

const oneMebibyte = 1024 * 1024;
/** Uploads and imports may be larger (contract section 3). */
const uploadPaths = /^\/(v1\/(imports|public\/verify|datasets\/[^/]+\/rows)|verify\/document)$/;
/** Forms of pages hold what somebody typed. */
const largestForm = 64 * 1024;
/** Read and dropped beyond the limit before the connection is cut. */
const mostUnwanted = 8 * oneMebibyte;
/** Deeper than any schema here; a recursive reader of 1 MiB of brackets would overflow the stack. */
const deepest = 64;
/** Each costs every reader behind something: 80,000 unknown members held the house up for 0.4 s. */
const mostValues = 10_000;

/** Refuses a body of more than `limit` bytes; made here so that all say it alike. */
export function bodyTooLarge(limit: number) {
  return apiErrors.body_too_large(`The body is larger than ${Math.round(limit / 1024)} KiB.`);
}

function limitAt(path: string): number {
  if (uploadPaths.test(path)) return 20 * oneMebibyte;
  return /^\/(v1|api)\//.test(path) ? oneMebibyte : largestForm;
}

/** Refuses bodies over the limit, 413 `api.body_too_large`, and compressed ones: nothing here unpacks. */
export const limitBody = createMiddleware<Env>(async (c, next) => {
  const coding = c.req.header('content-encoding') ?? 'identity';
  if (coding.trim().toLowerCase() !== 'identity') {
    throw apiErrors.content_coding('Send the body as it is, without Content-Encoding.', {
      // RFC 7694: what would be taken.
      headers: { 'Accept-Encoding': 'identity' },
    });
  }
  const limit = limitAt(c.req.path);
  const length = c.req.header('content-length');
  if (Number(length ?? 0) > limit) throw bodyTooLarge(limit);
  // Node holds a body to the length it names; one that names none is counted.
  if (c.req.header('transfer-encoding') !== undefined && c.req.raw.body) {
    c.req.raw = new Request(c.req.raw, { body: await readWithin(c.req.raw.body, limit) });
  }
  await next();
});

/** The whole body. One that is too large is read on for a while: who still writes hears no answer. */
async function readWithin(
  body: ReadableStream<Uint8Array>,
  limit: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const reader = body.getReader();
  const parts: Uint8Array[] = [];
  let size = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done || size > limit + mostUnwanted) break;
    size += value.byteLength;
    if (size <= limit) parts.push(value);
  }
  if (size > limit) throw bodyTooLarge(limit);
  return Buffer.concat(parts);
}

/**
 * For JSON routes: another content type is 415, unreadable JSON 400; an absent body reads as {}.
 * Runs after authentication, so a stranger learns nothing from it.
 */
export const readJson = createMiddleware<Env>(async (c, next) => {
  const hasBody = ['POST', 'PUT', 'PATCH'].includes(c.req.method);
  if (hasBody && !uploadPaths.test(c.req.path)) {
    const text = await c.req.text();
    if (text !== '') {
      const type = (c.req.header('content-type') ?? '').split(';')[0]?.trim().toLowerCase();
      if (type !== 'application/json') {
        throw apiErrors.content_type('Send the body as application/json.');
      }
      checkJson(text);
      // The routes know one spelling of it.
      c.req.raw.headers.set('content-type', 'application/json');
    }
  }
  await next();
});

/** Refuses what is not UTF-8, not JSON, nested without end, or holds text that can't be stored. */
export function checkJson(text: string): void {
  // What reading leaves of bytes that are no UTF-8.
  if (text.includes('\ufffd')) throw apiErrors.json_malformed('The body is not UTF-8.');
  const { depth, values } = shapeOf(text);
  if (depth > deepest) {
    throw apiErrors.json_malformed(`The JSON is nested deeper than ${deepest}.`);
  }
  if (values > mostValues) {
    throw apiErrors.json_malformed(
      `The JSON holds more than ${mostValues} values. Send less at once.`,
    );
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw apiErrors.json_malformed('The body is not readable as JSON.');
  }
  // Only an escape can bring these in; looked for only then.
  if (/\\u(0000|d[89a-f])/i.test(text) && !isStorable(value)) {
    throw apiErrors.json_malformed('A text in the JSON holds a NUL or half a surrogate pair.');
  }
}

/** How deep brackets outside of texts are nested, and how many values there are between them. */
function shapeOf(text: string): { depth: number; values: number } {
  let depth = 0;
  let most = 0;
  let values = 1;
  let isText = false;
  for (let at = 0; at < text.length; at += 1) {
    const character = text[at];
    if (isText) {
      if (character === '\\') at += 1;
      else if (character === '"') isText = false;
    } else if (character === '"') isText = true;
    else if (character === ',') values += 1;
    else if (character === '{' || character === '[') {
      values += 1;
      most = Math.max(most, ++depth);
    } else if (character === '}' || character === ']') depth -= 1;
  }
  return { depth: most, values };
}

function isStorable(value: unknown): boolean {
  if (typeof value === 'string') return !/[\0\p{Surrogate}]/u.test(value);
  if (Array.isArray(value)) return value.every(isStorable);
  if (typeof value !== 'object' || value === null) return true;
  return Object.entries(value).every(([key, inner]) => isStorable(key) && isStorable(inner));
}
