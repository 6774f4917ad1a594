// AppError → RFC 9457 problem details. The only place that knows which status a kind has.
import type { Context } from 'hono';
import type { ContentfulStatusCode } from 'hono/utils/http-status';
import type { z } from 'zod';
import { AppError, type FieldError, type Kind, type Logger } from '../platform/index.ts';
import type { Env } from './env.ts';

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
  unsupported_type: { status: 415, title: 'Content type not supported' },
  invalid: { status: 422, title: 'The content is not acceptable' },
  rate_limited: { status: 429, title: 'Too many requests' },
  unavailable: { status: 503, title: 'Not available now' },
} satisfies Record<Kind, { status: ContentfulStatusCode; title: string }>;

const internal = { status: 500, title: 'An unexpected fault' } as const;

/** A stable URI for a code; it leads to the paragraph in docs/problems.md. */
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

/** Makes the problem response of a refusal, with its own headers and Retry-After. */
export function problemResponse(c: Context<Env>, error: AppError): Response {
  const { status, title } = kinds[error.kind];
  const headers: Record<string, string> = { ...error.headers };
  if (error.retryAfterSeconds !== undefined)
    headers['Retry-After'] = String(error.retryAfterSeconds);
  const problem: Problem = {
    type: typeUri(error.code),
    title,
    status,
    detail: error.detail,
    instance: `urn:uuid:${c.get('requestId')}`,
    code: error.code,
    ...(error.fields ? { errors: error.fields } : {}),
  };
  return respond(c, problem, status, headers);
}

/** Any other throw: a bare 500 to the caller, the cause to the log. */
export function unexpectedResponse(c: Context<Env>, error: unknown, logger: Logger): Response {
  logger.error({ err: error, requestId: c.get('requestId') }, 'unexpected fault');
  const problem: Problem = {
    type: typeUri('platform.internal'),
    title: internal.title,
    status: internal.status,
    instance: `urn:uuid:${c.get('requestId')}`,
    code: 'platform.internal',
  };
  return respond(c, problem, internal.status, {});
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

/** zod's issues as one refusal with pointers into the body. */
export function invalidInput(issues: readonly z.core.$ZodIssue[]): AppError {
  const fields = issues.map((issue) => ({
    pointer: `/${issue.path.map((part) => String(part).replace(/~/g, '~0').replace(/\//g, '~1')).join('/')}`,
    detail: issue.message,
  }));
  return new AppError('invalid', 'platform.invalid', 'Some fields are missing or wrong.', {
    fields,
  });
}
