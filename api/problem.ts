// AppError → RFC 9457 problem details. The only place that knows which status a kind has.
import type { Context } from 'hono';
import { HTTPException } from 'hono/http-exception';
import type { ContentfulStatusCode } from 'hono/utils/http-status';
import type { z } from 'zod';
import { containsCitizenId } from '../identity/index.ts';
import {
  AppError,
  databaseAway,
  type FieldError,
  type Kind,
  type Logger,
} from '../platform/index.ts';
import type { Env } from './env.ts';
import { apiErrors, INTERNAL_CODE } from './errors.ts';

const kinds = {
  malformed: { status: 400, title: 'The request could not be read' },
  unauthenticated: { status: 401, title: 'Sign-in or a token is needed' },
  forbidden: { status: 403, title: 'Not allowed' },
  not_found: { status: 404, title: 'Not found' },
  method_not_allowed: { status: 405, title: 'Method not allowed' },
  conflict: { status: 409, title: 'In conflict with the present state' },
  gone: { status: 410, title: 'No longer here' },
  precondition_failed: { status: 412, title: 'Changed in the meantime' },
  too_large: { status: 413, title: 'Too large' },
  url_too_long: { status: 414, title: 'Address too long' },
  unsupported_type: { status: 415, title: 'Content type not supported' },
  invalid: { status: 422, title: 'The content is not acceptable' },
  rate_limited: { status: 429, title: 'Too many requests' },
  unavailable: { status: 503, title: 'Not available now' },
} satisfies Record<Kind, { status: ContentfulStatusCode; title: string }>;

/** The HTTP status of a kind of refusal. */
export function statusOfKind(kind: Kind): ContentfulStatusCode {
  return kinds[kind].status;
}

const internal = { status: 500, title: 'An unexpected fault' } as const;

/** A stable URI for a code; docs/problems.md has its words. */
function typeUri(code: string): string {
  return `urn:yihao:problem:${code}`;
}

interface Problem {
  type: string;
  title: string;
  status: number;
  detail?: string;
  instance: string;
  code: string;
  errors?: FieldError[];
}

/** Whatever was thrown as a problem response; what was not expected goes to the log instead. */
export function problemOf(c: Context<Env>, error: unknown, logger: Logger): Response {
  if (error instanceof AppError) return refusalResponse(c, error);
  // The routes' validator throws these: for a body that says JSON and is empty, or says something else.
  if (error instanceof HTTPException && error.status === 400) {
    return refusalResponse(c, apiErrors.json_malformed('The body is not readable as JSON.'));
  }
  if (error instanceof HTTPException && error.status === 415) {
    return refusalResponse(c, apiErrors.content_type('Send the body as application/json.'));
  }
  const away = databaseAway(error);
  if (away) {
    logger.error({ err: error, requestId: c.get('requestId') }, 'The database is away');
    return refusalResponse(c, away);
  }
  return unexpectedResponse(c, error, logger);
}

/** Places named in one refusal; who reads it mends them and sends again. */
const mostFaults = 100;

/** The problem response of a refusal, with its own headers and Retry-After. */
function refusalResponse(c: Context<Env>, error: AppError): Response {
  const { status, title } = kinds[error.kind];
  const headers: Record<string, string> = { ...error.headers };
  if (error.retryAfterSeconds !== undefined)
    headers['Retry-After'] = String(error.retryAfterSeconds);
  const problem: Problem = {
    type: typeUri(error.code),
    title,
    status,
    detail: withheld(error.detail),
    instance: instanceOf(c),
    code: error.code,
    ...(error.fields ? { errors: error.fields.slice(0, mostFaults).map(withoutIdentifier) } : {}),
  };
  return respond(c, problem, status, headers);
}

/** Any other throw: a bare 500 to the caller, the cause to the log. */
function unexpectedResponse(c: Context<Env>, error: unknown, logger: Logger): Response {
  logger.error({ err: error, requestId: c.get('requestId') }, 'unexpected fault');
  const problem: Problem = {
    type: typeUri(INTERNAL_CODE),
    title: internal.title,
    status: internal.status,
    instance: instanceOf(c),
    code: INTERNAL_CODE,
  };
  return respond(c, problem, internal.status, {});
}

function instanceOf(c: Context<Env>): string {
  return `urn:yihao:request:${c.get('requestId')}`;
}

/** The last net: what a caller named her field or value must not come back to her as an identifier. */
function withheld(words: string): string {
  return containsCitizenId(words) ? 'See the code: these words would repeat a citizen ID.' : words;
}

/** A pointer goes as far as it may be shown. */
function withoutIdentifier({ pointer, detail }: FieldError): FieldError {
  const steps = pointer.split('/');
  const hidden = steps.findIndex((step) => containsCitizenId(step));
  return {
    pointer: hidden < 0 ? pointer : steps.slice(0, hidden).join('/'),
    detail: withheld(detail),
  };
}

function respond(
  c: Context<Env>,
  problem: Problem,
  status: ContentfulStatusCode,
  headers: Record<string, string>,
): Response {
  return c.body(JSON.stringify(problem), status, {
    'Cache-Control': 'no-store',
    ...headers,
    'Content-Type': 'application/problem+json',
  });
}

/** What looks like a member's name of somebody's programme, and not like what a person is called. */
const memberName = /^[a-z_$][\w$.-]{0,39}$/i;

/** zod's words; they repeat unknown members by name, which may be anything that was sent. */
function detailOf(issue: z.core.$ZodIssue): string {
  return issue.code === 'unrecognized_keys' && !issue.keys.every((key) => memberName.test(key))
    ? 'There is a member here that does not belong to it.'
    : issue.message;
}

/** The place of a fault, as far as its members look like one's names: of a map, they are what was sent. */
function pointerOf(path: readonly PropertyKey[]): string {
  const stop = path.findIndex((part) => typeof part === 'string' && !memberName.test(part));
  return path
    .slice(0, stop < 0 ? undefined : stop)
    .map((part) => `/${String(part).replaceAll('~', '~0').replaceAll('/', '~1')}`)
    .join('');
}

/** zod's issues as one refusal with pointers into the body. */
export function invalidInput(issues: readonly z.core.$ZodIssue[]): AppError {
  const fields = issues.slice(0, mostFaults).map((issue) => ({
    pointer: pointerOf(issue.path),
    detail: detailOf(issue),
  }));
  return apiErrors.input_invalid('Some members are missing or wrong; see errors.', { fields });
}
