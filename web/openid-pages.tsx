// What a browser is shown while a relying party has somebody signed in or out here.
import type { Context } from 'hono';
import type { OpenIdPages } from '../identity/index.ts';
import type { PageDeps } from './deps.ts';
import { Frame, type PageContext, pageText } from './page.tsx';

/** For the edge: the documents of one request, in its language. */
export function openIdPages({ identity }: Pick<PageDeps, 'identity'>) {
  return (context: Context): OpenIdPages => {
    const c: PageContext = context;
    const { sessionId } = c.get('actor');
    const formToken = () => (sessionId === undefined ? '' : identity.formToken(c.get('actor')));
    const document = (make: () => Response | Promise<Response>) => pageText(c, formToken, make);
    return {
      signOut: (form) => document(() => c.html(<SignOutPage c={c} {...form} />)),
      signedOut: () => document(() => c.html(<SignedOutPage c={c} />)),
      failed: (error) => document(() => c.html(<FailedPage c={c} error={error} />)),
    };
  };
}

function SignOutPage({ c, action, xsrf }: { c: PageContext; action: string; xsrf: string }) {
  const words = c.get('text').openId;
  return (
    <Frame c={c} title={words.signOut}>
      <h1>{words.signOut}</h1>
      <p class="lead">{words.signOutLead}</p>
      <form method="post" action={action} class="row">
        <input type="hidden" name="xsrf" value={xsrf} />
        <button type="submit" name="logout" value="yes">
          {words.yes}
        </button>
        <button type="submit" class="quiet">
          {words.no}
        </button>
      </form>
    </Frame>
  );
}

function SignedOutPage({ c }: { c: PageContext }) {
  const words = c.get('text').openId;
  return (
    <Frame c={c} title={words.done}>
      <h1>{words.done}</h1>
      <p>
        <a href="/">{c.get('text').error.back}</a>
      </p>
    </Frame>
  );
}

function FailedPage({ c, error }: { c: PageContext; error: string }) {
  const text = c.get('text');
  return (
    <Frame c={c} title={text.openId.failed}>
      <h1>{text.openId.failed}</h1>
      <div class="notice bad">
        <p>{text.openId.failedLead}</p>
      </div>
      <dl>
        <dt>{text.error.code}</dt>
        <dd>
          <code>{error}</code>
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

/** Goes on by itself, since a browser lets a form lead to no other site (form-action). */
export function OnwardPage({ c, next }: { c: PageContext; next: string }) {
  const words = c.get('text').openId;
  return (
    <Frame
      c={c}
      title={words.onward}
      head={<meta http-equiv="refresh" content={`0; url=${next}`} />}
    >
      <h1>{words.onward}</h1>
      <p>
        <a href={next}>{words.onwardLink}</a>
      </p>
    </Frame>
  );
}
