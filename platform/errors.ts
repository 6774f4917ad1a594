// The one error that crosses rooms: a kind the edge maps to a status, and a stable code (RFC 9457).

/** What went wrong in the large; `api/problem.ts` maps each kind to one HTTP status. */
export type Kind =
  | 'malformed'
  | 'invalid'
  | 'unauthenticated'
  | 'forbidden'
  | 'not_found'
  | 'gone'
  | 'conflict'
  | 'precondition_failed'
  | 'rate_limited'
  | 'unavailable'
  | 'too_large'
  | 'url_too_long'
  | 'unsupported_type'
  | 'method_not_allowed';

/** One faulty place in the caller's input; `pointer` is a JSON pointer into the body (RFC 6901). */
export interface FieldError {
  pointer: string;
  detail: string;
}

/** What a refusal may carry besides its words. */
export interface ErrorExtras {
  fields?: FieldError[] | undefined;
  retryAfterSeconds?: number | undefined;
  headers?: Record<string, string> | undefined;
  cause?: unknown;
}

/** An expected refusal. `detail` is shown to the caller: never another person's data, never SQL. */
export class AppError extends Error {
  readonly kind: Kind;
  readonly code: string;
  readonly detail: string;
  readonly fields: FieldError[] | undefined;
  readonly retryAfterSeconds: number | undefined;
  readonly headers: Record<string, string> | undefined;

  constructor(kind: Kind, code: string, detail: string, extras: ErrorExtras = {}) {
    super(`${code}: ${detail}`, extras.cause === undefined ? undefined : { cause: extras.cause });
    this.name = 'AppError';
    this.kind = kind;
    this.code = code;
    this.detail = detail;
    this.fields = extras.fields;
    this.retryAfterSeconds = extras.retryAfterSeconds;
    this.headers = extras.headers;
  }
}

type ErrorFactory = (detail: string, extras?: ErrorExtras) => AppError;

/** A room's refusals by name, and all its codes for docs/problems.md. */
export type ErrorCatalogue<Names extends string> = Record<Names, ErrorFactory> & {
  readonly codes: readonly string[];
};

/**
 * Declares the codes of one room: `errorCatalogue('registry', { not_issuer: 'forbidden' })` gives
 * `errors.not_issuer(detail)` which makes an AppError with the code `registry.not_issuer`.
 */
export function errorCatalogue<Names extends string>(
  room: string,
  kinds: Record<Names, Kind>,
): ErrorCatalogue<Names> {
  const entries = Object.entries<Kind>(kinds).map(([name, kind]): [string, ErrorFactory] => [
    name,
    (detail, extras) => new AppError(kind, `${room}.${name}`, detail, extras),
  ]);
  const codes = Object.keys(kinds).map((name) => `${room}.${name}`);
  // Object.fromEntries forgets the key type; the keys are exactly Names by construction.
  return Object.assign(Object.fromEntries(entries) as Record<Names, ErrorFactory>, { codes });
}
