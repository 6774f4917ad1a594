// A refusal as a page: what was wrong, what to do, and the stable code for whoever is asked for help.
import type { AppError } from '../platform/index.ts';
import { Frame, type PageContext } from './page.tsx';

/** The status of each kind of refusal on a page; api/ has its own table for problem+json. */
const statuses = {
  malformed: 400,
  unauthenticated: 401,
  forbidden: 403,
  not_found: 404,
  method_not_allowed: 405,
  conflict: 409,
  gone: 410,
  precondition_failed: 412,
  too_large: 413,
  url_too_long: 414,
  unsupported_type: 415,
  invalid: 422,
  rate_limited: 429,
  unavailable: 503,
} as const satisfies Record<AppError['kind'], number>;

export function statusOf(error: AppError): (typeof statuses)[AppError['kind']] {
  return statuses[error.kind];
}

export function ErrorPage({ c, error }: { c: PageContext; error: AppError }) {
  const text = c.get('text');
  return (
    <Frame c={c} title={text.error.title}>
      <h1>{text.error.title}</h1>
      <div class="notice bad">
        <p>{error.kind === 'not_found' ? text.error.notFound : error.detail}</p>
      </div>
      <p class="muted">
        {text.error.code}: <code>{error.code}</code>
      </p>
      <p>
        <a href="/">{text.error.back}</a>
      </p>
    </Frame>
  );
}
