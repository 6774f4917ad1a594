// A refusal as a page: what was wrong, what to do, and the stable code for whoever is asked for help.
import type { Context } from 'hono';
import { anonymousActor } from '../identity/index.ts';
import { AppError, databaseAway } from '../platform/index.ts';
import type { PageDeps } from './deps.ts';
import { Frame, type PageContext, pageInstead } from './page.tsx';
import { refusalWords } from './words.ts';

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

/** A refusal met on a page; strangers who only look are asked to sign in. */
export function refusalReply(c: PageContext, error: AppError): Response | Promise<Response> {
  if (error.kind === 'unauthenticated' && c.req.method === 'GET') {
    const { search } = new URL(c.req.url);
    return c.redirect(`/sign-in?next=${encodeURIComponent(c.req.path + search)}`, 303);
  }
  for (const [name, value] of Object.entries(error.headers ?? {})) c.header(name, value);
  if (error.retryAfterSeconds !== undefined) {
    c.header('Retry-After', String(error.retryAfterSeconds));
  }
  return c.html(
    <ErrorPage c={c} words={refusalWords(c, error)} code={error.code} />,
    statusOf(error),
  );
}

/** For the edge: a refusal or fault as a page, where no page of ours was reached. */
export function pageOfError({ identity }: Pick<PageDeps, 'identity'>) {
  return (context: Context, error: unknown, internalCode: string): Promise<Response> => {
    const c: PageContext = context;
    const actor = c.get('actor') ?? anonymousActor(c.get('requestId'));
    c.set('actor', actor);
    const formToken = () => (actor.sessionId === undefined ? '' : identity.formToken(actor));
    return pageInstead(c, formToken, () => {
      const refusal = error instanceof AppError ? error : databaseAway(error);
      if (refusal) return refusalReply(c, refusal);
      const words = c.get('text').error.unexpected;
      return c.html(<ErrorPage c={c} words={words} code={internalCode} />, 500);
    });
  };
}

function ErrorPage({ c, words, code }: { c: PageContext; words: string; code: string }) {
  const text = c.get('text');
  return (
    <Frame c={c} title={text.error.title}>
      <h1>{text.error.title}</h1>
      <div class="notice bad">
        <p>{words}</p>
      </div>
      <dl>
        <dt>{text.error.code}</dt>
        <dd>
          <code>{code}</code>
        </dd>
        <dt>{text.error.request}</dt>
        <dd>
          <code>{c.get('requestId')}</code>
        </dd>
      </dl>
      <p>
        <a href="/">{text.error.back}</a>
      </p>
    </Frame>
  );
}
