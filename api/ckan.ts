// CKAN's action API over HTTP (spec: catalogue 2.1): paths, ways to send parameters, envelopes, errors,
// JSONP, and the dump of a resource's rows. Its caller is always anyone: CKAN tokens open nothing here.
import { parse as parseForm } from 'node:querystring';
import { type Context, Hono } from 'hono';
import type { ContentfulStatusCode } from 'hono/utils/http-status';
import {
  type ActionInput,
  anyone,
  type Catalogue,
  catalogueErrors,
  delimitedLine,
  delimitedText,
} from '../catalogue/index.ts';
import { AppError, type Logger } from '../platform/index.ts';
import type { Env } from './env.ts';
import { readMultipart } from './upload.ts';

interface CkanDeps {
  catalogue: Catalogue;
  logger: Logger;
}

const json = 'application/json;charset=utf-8';
const javascript = 'application/javascript;charset=utf-8';
const actionPaths = ['/api/3/action/:name', '/api/action/:name'];

/** Fields of a form beyond these are not read; no action has a tenth of them. */
const mostFields = 1_000;

/** What CKAN answers with a bare JSON string and 400 instead of an envelope. */
class BadRequest extends Error {}

/** The routes under /api/3/action, /api/action and /datastore/dump. */
export function ckanRoutes({ catalogue, logger }: CkanDeps) {
  const app = new Hono<Env>();

  app.on(['GET', 'POST'], actionPaths, async (c) => {
    const name = c.req.param('name') ?? '';
    const help = `${catalogue.publicUrl}/api/3/action/help_show?name=${encodeURIComponent(name)}`;
    try {
      if (!catalogue.actions.isAction(name)) {
        throw new BadRequest(`Action name not known: ${name}`);
      }
      const { callback, ...input } = c.req.method === 'GET' ? queryOf(c) : await bodyOf(c);
      const result = await catalogue.actions.run(anyone, name, input);
      const body = JSON.stringify({ help, success: true, result });
      return isCallback(callback) && c.req.method === 'GET'
        ? answer(c, `${callback}(${body});`, 200, javascript)
        : answer(c, body, 200, json);
    } catch (error) {
      if (error instanceof BadRequest || isUnreadable(error)) {
        return answer(
          c,
          JSON.stringify(
            `Bad request: ${error instanceof AppError ? error.detail : error.message}`,
          ),
          400,
          json,
        );
      }
      const refusal = refusalOf(error);
      if (refusal.status === 500) logger.error({ err: error, action: name }, 'unexpected fault');
      const body = JSON.stringify({ help, success: false, error: refusal.error });
      return answer(c, body, refusal.status, json);
    }
  });

  app.get('/api/3', (c) => answer(c, JSON.stringify({ version: 3 }), 200, json));

  app.get('/datastore/dump/:id', (c) => dump(c, catalogue, c.req.param('id')));

  return app;
}

function answer(c: Context<Env>, body: string, status: ContentfulStatusCode, type: string) {
  return c.body(body, status, { 'Content-Type': type, 'X-Content-Type-Options': 'nosniff' });
}

/** A repeated key becomes a list; every value stays text. */
function queryOf(c: Context<Env>): ActionInput {
  return Object.fromEntries(
    Object.entries(c.req.queries()).map(([key, values]) => [
      key,
      values.length === 1 ? values[0] : values,
    ]),
  );
}

/** JSON, or a form; a form whose only value is empty or `1` has JSON for its key (an old client's way). */
async function bodyOf(c: Context<Env>): Promise<ActionInput> {
  const type = c.req.header('content-type') ?? '';
  if (type.startsWith('multipart/form-data')) {
    const parts = await readMultipart(c.req.raw);
    return formEntries(parts.map(({ name, text }) => [name, text]));
  }
  const text = await c.req.text();
  if (!type.startsWith('application/x-www-form-urlencoded')) return parseInput(text);
  const form = parseForm(text, undefined, undefined, { maxKeys: mostFields });
  const [first, ...others] = Object.entries(form);
  if (first && others.length === 0 && (first[1] === '' || first[1] === '1')) {
    return parseInput(first[0]);
  }
  return { ...form };
}

function formEntries(entries: [string, string][]): ActionInput {
  const input = new Map<string, string[]>();
  for (const [key, value] of entries) input.set(key, [...(input.get(key) ?? []), value]);
  return Object.fromEntries(
    [...input].map(([key, values]) => [key, values.length === 1 ? values[0] : values]),
  );
}

function parseInput(text: string): ActionInput {
  if (text.trim() === '') return {};
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new BadRequest('JSON Error: Error decoding JSON data.');
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new BadRequest('JSON Error: Request data JSON needs to be a dictionary.');
  }
  return { ...value };
}

/** A function's name, dots allowed; anything else is answered as plain JSON. */
function isCallback(value: unknown): value is string {
  return typeof value === 'string' && /^[A-Za-z_$][\w$.]{0,127}$/.test(value);
}

/** A form that can't be taken apart, said in CKAN's way. */
function isUnreadable(error: unknown): error is AppError {
  return (
    error instanceof AppError &&
    ['api.form_unreadable', 'api.upload_too_costly'].includes(error.code)
  );
}

/** CKAN's error object and status for a refusal. */
function refusalOf(error: unknown): { status: ContentfulStatusCode; error: object } {
  const internal = { __type: 'Internal Server Error', message: 'Internal Server Error' };
  if (!(error instanceof AppError)) return { status: 500, error: internal };
  const { kind, detail } = error;
  if (kind === 'not_found') {
    return { status: 404, error: { __type: 'Not Found Error', message: `Not found: ${detail}` } };
  }
  if (kind === 'forbidden') {
    const message = `Access denied: ${detail}`;
    return { status: 403, error: { __type: 'Authorization Error', message } };
  }
  if (kind === 'invalid') {
    const faults: Record<string, string[]> = {};
    for (const { pointer, detail: why } of error.fields ?? []) {
      const key = pointer.replace(/^\//, '');
      faults[key] = [...(faults[key] ?? []), why];
    }
    return { status: 409, error: { ...faults, __type: 'Validation Error' } };
  }
  if (kind === 'malformed') {
    const message = `Search Query is invalid: ${detail}`;
    return { status: 400, error: { __type: 'Search Query Error', message } };
  }
  return { status: 500, error: internal };
}

const dumpFormats = {
  csv: { separator: ',', type: 'text/csv; charset=utf-8' },
  tsv: { separator: '\t', type: 'text/tab-separated-values; charset=utf-8' },
} as const;

/** All rows of a resource as a file. Not there and not allowed are one answer, so nothing is told. */
async function dump(c: Context<Env>, catalogue: Catalogue, id: string): Promise<Response> {
  const format = c.req.query('format') === 'tsv' ? 'tsv' : 'csv';
  const { separator, type } = dumpFormats[format];
  const rows = await catalogue.openRows(anyone, id).catch((error: unknown) => {
    if (!(error instanceof AppError)) throw error;
    return null;
  });
  if (rows === null) {
    throw catalogueErrors.resource_not_found('There are no such rows.');
  }
  const { columns, pages } = rows;
  async function* lines() {
    const mark = c.req.query('bom') === undefined ? '' : '\uFEFF';
    yield mark + delimitedLine(columns, separator);
    for await (const page of pages) yield delimitedText(page, columns, separator);
  }
  return c.body(byteStream(lines()), 200, {
    'Content-Type': type,
    'Content-Disposition': `attachment; filename="${id}.${format}"`,
  });
}

/** Texts as bytes, made only as fast as they are read. */
function byteStream(texts: AsyncGenerator<string>): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  return new ReadableStream({
    async pull(controller) {
      const { done, value } = await texts.next();
      if (done) controller.close();
      else controller.enqueue(encoder.encode(value));
    },
    async cancel() {
      await texts.return(undefined);
    },
  });
}
