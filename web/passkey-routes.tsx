// /desk/passkeys and /sign-in/passkey: each ceremony starts with a form and ends with one; between
// the two the browser's script asks the authenticator.
import { Hono } from 'hono';
import { hasAssurance } from '../identity/index.ts';
import { AppError } from '../platform/index.ts';
import type { PageDeps } from './deps.ts';
import { statusOf } from './error-page.tsx';
import { readForm, readOwnForm, requireKind, safeNext } from './forms.ts';
import type { PageEnv } from './page.tsx';
import { passkeyScript } from './passkey-script.ts';
import { AddPasskeyPage, PasskeysPage, UsePasskeyPage } from './passkeys.tsx';
import { signInPlaces } from './sign-in-place.ts';
import { homeOf } from './sign-in-routes.tsx';
import { told } from './words.ts';

/** The headers of a page's own script. */
export const script = {
  'Cache-Control': 'public, max-age=300',
  'Content-Type': 'text/javascript; charset=utf-8',
};

export function passkeyRoutes(
  deps: Pick<PageDeps, 'identity' | 'sessionCookie' | 'deviceCookie' | 'config'>,
) {
  const { identity, sessionCookie, config } = deps;
  const { hasPasskeys } = identity;
  const { placeOf, keepDevice } = signInPlaces(deps);

  return new Hono<PageEnv>()
    .get('/assets/passkey.js', (c) => c.body(passkeyScript, 200, script))
    .get('/desk/passkeys', async (c) => {
      requireKind(c, 'officer');
      const actor = c.get('actor');
      const passkeys = await identity.listPasskeys(actor);
      const mayChange = passkeys.length === 0 || hasAssurance(actor, 'high');
      return c.html(
        <PasskeysPage
          c={c}
          cityTz={config.cityTz}
          passkeys={passkeys}
          hasPasskeys={hasPasskeys}
          mayChange={mayChange}
        />,
      );
    })
    .post('/desk/passkeys/start', async (c) => {
      requireKind(c, 'officer');
      await readOwnForm(c, identity);
      const options = await identity.startAddingPasskey(c.get('actor'));
      return c.html(<AddPasskeyPage c={c} options={options} />);
    })
    .post('/desk/passkeys', async (c) => {
      requireKind(c, 'officer');
      const actor = c.get('actor');
      const { response = '', label = '' } = await readOwnForm(c, identity);
      try {
        await identity.addPasskey(actor, parsed(response), label);
      } catch (error) {
        if (!(error instanceof AppError) || error.kind !== 'invalid') throw error;
        // Its challenge may be used up: the next try gets a new one.
        const options = await identity.startAddingPasskey(actor);
        return c.html(
          <AddPasskeyPage c={c} options={options} label={label} error={told(c, error)} />,
          statusOf(error),
        );
      }
      return c.redirect('/desk/passkeys', 303);
    })
    .post('/desk/passkeys/:id/remove', async (c) => {
      requireKind(c, 'officer');
      await readOwnForm(c, identity);
      await identity.removePasskey(c.get('actor'), c.req.param('id'));
      return c.redirect('/desk/passkeys', 303);
    })
    .post('/sign-in/passkey/start', async (c) => {
      const { next } = await readForm(c);
      const place = placeOf(c);
      const options = await identity.startPasskeySignIn(place);
      keepDevice(c, place);
      return c.html(<UsePasskeyPage c={c} options={options} next={safeNext(next, '')} />);
    })
    .post('/sign-in/passkey', async (c) => {
      const { response = '', next } = await readForm(c);
      const { cookie, actor } = await identity.signInWithPasskey(parsed(response), placeOf(c));
      c.header('Set-Cookie', sessionCookie.set(cookie));
      c.header('Cache-Control', 'no-store');
      return c.redirect(safeNext(next, homeOf(actor)), 303);
    });
}

/** The script's field as a value; what is no JSON is left to be refused as no passkey. */
export function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
