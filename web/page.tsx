// What every page shares: its language, its frame, its forms and its headers.
import type { Context, Next } from 'hono';
import { getCookie, setCookie } from 'hono/cookie';
import type { Child } from 'hono/jsx';
import type { Actor } from '../identity/index.ts';
import type { FieldError } from '../platform/index.ts';
import { doorsFor, type NavigationDoor } from './page-rights.ts';
import { en } from './text/en.ts';
import { type Text, zh } from './text/zh.ts';
import type { UploadPart } from './upload-form.ts';

export type Lang = 'zh' | 'en';

export interface PageEnv {
  Variables: {
    actor: Actor;
    requestId: string;
    /** Of the edge: where the request comes from. */
    peerAddress: string;
    text: Text;
    lang: Lang;
    formToken: () => string;
    /** The parts of a form with a file, once its token was looked at. */
    upload: UploadPart[] | undefined;
    /** The one the signed-in person acts for, as every page says. */
    actingFor: { name: string; hasEnded: boolean } | undefined;
    /** Alarms that wait, on an auditor's pages. */
    openAlerts?: { fresh: number; noted: number; overdue: number };
  };
}

export type PageContext = Context<PageEnv>;

/** A page loads its own style sheet and script and nothing else, and is framed by nobody. */
export const pageHeaders = {
  'Content-Security-Policy': [
    "default-src 'none'",
    "style-src 'self'",
    "script-src 'self'",
    "img-src 'self' data:",
    // A page that waits asks for itself again.
    "connect-src 'self'",
    "form-action 'self'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
    "object-src 'none'",
  ].join('; '),
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Permissions-Policy':
    'camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()',
  // For browsers that know no frame-ancestors.
  'X-Frame-Options': 'DENY',
};

/** Chooses the language: ?lang=, then the cookie, then Chinese. */
function chooseLanguage(c: PageContext): void {
  const lang: Lang = (c.req.query('lang') ?? getCookie(c, 'yihao_lang')) === 'en' ? 'en' : 'zh';
  c.set('lang', lang);
  c.set('text', lang === 'en' ? en : zh);
}

/** What a page's reply carries: kept by nobody, since all pages show who is signed in. */
function setPageHeaders(c: PageContext): void {
  for (const [name, value] of Object.entries(pageHeaders)) c.header(name, value);
  c.header('Vary', 'Cookie', { append: true });
  if (!c.res.headers.has('Cache-Control')) c.header('Cache-Control', 'no-store');
}

/** Gives each page its language and its safe headers, and remembers the language asked for. */
export function pageFrame({ isSecure }: { isSecure: boolean }) {
  return async (c: PageContext, next: Next): Promise<void> => {
    chooseLanguage(c);
    const asked = c.req.query('lang');
    if (asked === 'en' || asked === 'zh') {
      setCookie(c, 'yihao_lang', asked, {
        path: '/',
        sameSite: 'Lax',
        httpOnly: true,
        secure: isSecure,
        maxAge: 31_536_000,
      });
    }
    await next();
    setPageHeaders(c);
  };
}

/** The same for a page that stands in for one never reached; it has no forms of its own. */
export async function pageInstead(
  c: PageContext,
  formToken: () => string,
  make: () => Response | Promise<Response>,
): Promise<Response> {
  chooseLanguage(c);
  c.set('formToken', formToken);
  c.res = await make();
  setPageHeaders(c);
  return c.res;
}

/** A page as a document, for whoever answers in our stead and sets its headers. */
export async function pageText(
  c: PageContext,
  formToken: () => string,
  make: () => Response | Promise<Response>,
): Promise<string> {
  chooseLanguage(c);
  c.set('formToken', formToken);
  return (await make()).text();
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
  at?: NavigationDoor | undefined;
  /** Seconds after which the page's script asks again; only while something is pending. */
  refreshSeconds?: number | undefined;
  head?: Child;
  children?: Child;
}

/** This page's own address. A path of two slashes would lead to another host. */
function addressOf(c: PageContext): string {
  return c.req.path.replace(/^\/+/, '/') + new URL(c.req.url).search;
}

/** This page in another language; what a form's reply shows has no address, its page has one. */
function hereIn(c: PageContext, lang: Lang, at: FrameProps['at']): string {
  if (c.req.method !== 'GET') return `/${at ?? ''}?lang=${lang}`;
  const query = new URL(c.req.url).searchParams;
  query.set('lang', lang);
  // A path of two slashes would lead to another host.
  return `${c.req.path.replace(/^\/+/, '/')}?${query}`;
}

/** The whole document around a page's content. */
export function Frame({ c, title, at, refreshSeconds, head, children }: FrameProps) {
  const text = c.get('text');
  const actor = c.get('actor');
  const otherLanguage = c.get('lang') === 'en' ? 'zh' : 'en';
  const links = doorsFor(actor);
  return (
    <html lang={text.lang}>
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>{`${title} · ${text.name}`}</title>
        <link rel="stylesheet" href="/assets/style.css" />
        <link rel="icon" href="data:," />
        {refreshSeconds ? <script src="/assets/again.js" type="module" /> : null}
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
              <a href={hereIn(c, otherLanguage, at)} hreflang={otherLanguage}>
                {text.otherLanguage}
              </a>
              {actor.kind === 'anonymous' ? (
                <a href="/sign-in">{text.signIn}</a>
              ) : (
                <>
                  <a href={actor.kind === 'citizen' ? '/me/sessions' : '/desk/sessions'}>
                    {text.sessions.link}
                  </a>
                  <form method="post" action="/sign-out">
                    <FormToken c={c} />
                    <button class="link" type="submit">
                      {text.signOut}
                    </button>
                  </form>
                </>
              )}
            </div>
          </div>
        </header>
        <ActingBanner c={c} />
        <main id="main">
          {children}
          {refreshSeconds ? (
            <p data-again={refreshSeconds}>
              <a href={addressOf(c)}>{text.lookAgain}</a>
            </p>
          ) : null}
        </main>
        <footer>
          <div class="bar">
            <p>{text.motto}</p>
          </div>
        </footer>
      </body>
    </html>
  );
}

/** For whom one acts, on every page, with the way to stop. */
function ActingBanner({ c }: { c: PageContext }) {
  const actingFor = c.get('actingFor');
  if (!actingFor) return null;
  const words = c.get('text').delegations;
  return (
    <section class="acting" aria-label={words.acting}>
      <form method="post" action="/me/act-for/stop" class="bar">
        <FormToken c={c} />
        <p>
          {actingFor.hasEnded ? words.bannerEnded : words.banner} <strong>{actingFor.name}</strong>
        </p>
        <button type="submit">{words.stop}</button>
      </form>
    </section>
  );
}

/** The hidden field that proves a form came from our own page. */
export function FormToken({ c }: { c: PageContext }) {
  return <input type="hidden" name="form_token" value={c.get('formToken')()} />;
}

/** What was wrong with a form, each line leading to its field. */
export function ErrorSummary({
  c,
  detail,
  fields = [],
  within,
}: {
  c: PageContext;
  detail: string;
  fields?: FieldError[] | undefined;
  /** The form it is about, where a page has several of the same fields. */
  within?: string | undefined;
}) {
  const { summary, title } = c.get('text').error;
  return (
    <div class="summary" role="alert">
      <h2>{fields.length > 0 ? summary : title}</h2>
      <p>{detail}</p>
      {fields.length > 0 ? (
        <ul>
          {fields.map((field) => (
            <li>
              <a href={`#${idWithin(within, field.pointer)}`}>{field.detail}</a>
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

/** The same in one of several forms of a page. */
export function idWithin(form: string | undefined, pointer: string): string {
  return form === undefined ? fieldId(pointer) : `${form}-${fieldId(pointer)}`;
}

interface FieldProps {
  name: string;
  /** The form's own name, where a page has several with the same field: no two ids are alike. */
  within?: string | undefined;
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
  const id = idWithin(props.within, name);
  const error = props.errors?.find(({ pointer }) => fieldId(pointer) === fieldId(name));
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
