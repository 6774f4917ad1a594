// What every page shares: its language, its frame, its forms and its headers.
import type { Context, Next } from 'hono';
import { getCookie, setCookie } from 'hono/cookie';
import type { Child } from 'hono/jsx';
import type { Actor } from '../identity/index.ts';
import type { FieldError } from '../platform/index.ts';
import { en } from './text/en.ts';
import { type Text, zh } from './text/zh.ts';

export type Lang = 'zh' | 'en';

export interface PageEnv {
  Variables: { actor: Actor; requestId: string; text: Text; lang: Lang; formToken: string };
}

export type PageContext = Context<PageEnv>;

const contentSecurityPolicy = [
  "default-src 'none'",
  "style-src 'self'",
  "script-src 'self'",
  "img-src 'self' data:",
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** Chooses the language (?lang=, then the cookie, then Chinese) and sets the pages' safe headers. */
export async function pageFrame(c: PageContext, next: Next): Promise<void> {
  const asked = c.req.query('lang');
  const kept = getCookie(c, 'yihao_lang');
  const lang: Lang = (asked ?? kept) === 'en' ? 'en' : 'zh';
  if (asked === 'en' || asked === 'zh') {
    setCookie(c, 'yihao_lang', lang, {
      path: '/',
      sameSite: 'Lax',
      httpOnly: true,
      maxAge: 31_536_000,
    });
  }
  c.set('lang', lang);
  c.set('text', lang === 'en' ? en : zh);
  await next();
  c.header('Content-Security-Policy', contentSecurityPolicy);
  c.header('Vary', 'Cookie, Accept-Language', { append: true });
  if (!c.res.headers.has('Cache-Control')) c.header('Cache-Control', 'no-store');
}

/** The name of a thing in the page's language. */
export function nameIn(
  lang: Lang,
  named: { nameZh?: string | null; nameEn?: string | null },
): string {
  return (lang === 'en' ? (named.nameEn ?? named.nameZh) : (named.nameZh ?? named.nameEn)) ?? '';
}

/** An instant as the city's clock shows it, to the minute. */
export function showTime(iso: string | Date, timeZone: string): string {
  return new Date(iso)
    .toLocaleString('sv-SE', { timeZone, dateStyle: 'short', timeStyle: 'short' })
    .replace('T', ' ');
}

interface FrameProps {
  c: PageContext;
  title: string;
  at?: 'me' | 'desk' | 'audit' | 'ops' | 'verify' | 'catalogue' | 'docs' | undefined;
  /** Seconds after which the page asks again; only while something is pending. */
  refreshSeconds?: number | undefined;
  head?: Child;
  children?: Child;
}

/** The whole document around a page's content. */
export function Frame({ c, title, at, refreshSeconds, head, children }: FrameProps) {
  const text = c.get('text');
  const actor = c.get('actor');
  const other = new URL(c.req.url);
  other.searchParams.set('lang', c.get('lang') === 'en' ? 'zh' : 'en');
  const links = (['me', 'desk', 'audit', 'ops', 'verify', 'catalogue', 'docs'] as const).filter(
    (name) =>
      (name !== 'audit' || actor.kind !== 'citizen') &&
      (name !== 'ops' || actor.roles.includes('operator')),
  );
  return (
    <html lang={text.lang}>
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>{`${title} · ${text.name}`}</title>
        {refreshSeconds ? <meta http-equiv="refresh" content={String(refreshSeconds)} /> : null}
        <link rel="stylesheet" href="/assets/style.css" />
        <link rel="icon" href="data:," />
        {head}
      </head>
      <body>
        <a class="skip" href="#main">
          {text.skip}
        </a>
        <header class="top">
          <div class="bar">
            <a class="brand" href="/">
              <span class="mark" aria-hidden="true">
                一号
              </span>
              <span>
                <strong>{text.name}</strong>
                <small>{text.city}</small>
              </span>
            </a>
            <nav aria-label={text.name}>
              <ul>
                {links.map((name) => (
                  <li>
                    <a href={`/${name}`} aria-current={at === name ? 'page' : undefined}>
                      {text.nav[name]}
                    </a>
                  </li>
                ))}
              </ul>
            </nav>
            <div class="who">
              <a
                href={`${other.pathname}${other.search}`}
                hreflang={c.get('lang') === 'en' ? 'zh-CN' : 'en'}
              >
                {text.otherLanguage}
              </a>
              {actor.kind === 'anonymous' ? (
                <a href="/sign-in">{text.signIn}</a>
              ) : (
                <form method="post" action="/sign-out">
                  <FormToken c={c} />
                  <button class="link" type="submit">
                    {text.signOut}
                  </button>
                </form>
              )}
            </div>
          </div>
        </header>
        <main id="main">{children}</main>
        <footer>
          <div class="bar">
            <p>{text.motto}</p>
          </div>
        </footer>
      </body>
    </html>
  );
}

/** The hidden field that proves a form came from our own page. */
export function FormToken({ c }: { c: PageContext }) {
  return <input type="hidden" name="form_token" value={c.get('formToken')} />;
}

/** What was wrong with a form, each line leading to its field. */
export function ErrorSummary({
  c,
  detail,
  fields,
}: {
  c: PageContext;
  detail: string;
  fields?: FieldError[] | undefined;
}) {
  return (
    <div class="summary" role="alert">
      <h2>{c.get('text').error.summary}</h2>
      <p>{detail}</p>
      {fields && fields.length > 0 ? (
        <ul>
          {fields.map((field) => (
            <li>
              <a href={`#${fieldId(field.pointer)}`}>{field.detail}</a>
            </li>
          ))}
        </ul>
      ) : null}
    </div>
  );
}

/** `/params/declared` → `params-declared`: the id of the field a pointer speaks of. */
export function fieldId(pointer: string): string {
  return pointer.replace(/^\//, '').replace(/[^A-Za-z0-9_]+/g, '-');
}

interface FieldProps {
  name: string;
  label: string;
  hint?: string | undefined;
  value?: string | undefined;
  type?: 'text' | 'password' | 'search' | 'number' | 'date';
  required?: boolean;
  errors?: FieldError[] | undefined;
  options?: { value: string; label: string }[] | undefined;
  autocomplete?: string;
  inputmode?: 'numeric' | 'text';
}

/** One labelled field with its hint and its error; a select when it has options. */
export function Field(props: FieldProps) {
  const { name, label, hint, value, type = 'text', required = false, options } = props;
  const id = fieldId(name);
  const error = props.errors?.find((candidate) => fieldId(candidate.pointer) === id);
  const described = [hint ? `${id}-hint` : '', error ? `${id}-error` : '']
    .filter(Boolean)
    .join(' ');
  const common = {
    id,
    name,
    required,
    'aria-describedby': described || undefined,
    'aria-invalid': error ? ('true' as const) : undefined,
  };
  return (
    <div class={error ? 'field wrong' : 'field'}>
      <label for={id}>{label}</label>
      {hint ? (
        <p class="hint" id={`${id}-hint`}>
          {hint}
        </p>
      ) : null}
      {error ? (
        <p class="message" id={`${id}-error`}>
          {error.detail}
        </p>
      ) : null}
      {options ? (
        <select {...common}>
          {options.map((option) => (
            <option value={option.value} selected={option.value === value}>
              {option.label}
            </option>
          ))}
        </select>
      ) : (
        <input
          {...common}
          type={type}
          value={value ?? ''}
          autocomplete={props.autocomplete ?? 'off'}
          inputmode={props.inputmode}
        />
      )}
    </div>
  );
}

/** A coloured word for a licence's or request's state. */
export function Tag({ tone, children }: { tone: 'good' | 'bad' | 'warn'; children?: Child }) {
  return <span class={`tag ${tone}`}>{children}</span>;
}
