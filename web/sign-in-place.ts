// Where somebody signs in from, as identity counts tries and binds challenges by.
import { getCookie } from 'hono/cookie';
import type { PageDeps } from './deps.ts';
import type { PageContext } from './page.tsx';

type SignInPlace = Parameters<PageDeps['identity']['signIn']>[1];

/** Gives the place of a request, and tells the browser the cookie it is known again by. */
export function signInPlaces({
  identity,
  deviceCookie,
}: Pick<PageDeps, 'identity' | 'deviceCookie'>) {
  return {
    placeOf(c: PageContext): SignInPlace {
      return {
        requestId: c.get('requestId'),
        address: c.get('peerAddress'),
        device: identity.deviceCookie(getCookie(c, deviceCookie.name)),
        userAgent: c.req.header('user-agent'),
        before: c.get('actor'),
      };
    },

    /** To be called after the session's cookie is set: simple clients take the first cookie for that. */
    keepDevice(c: PageContext, { device }: SignInPlace): void {
      if (device === getCookie(c, deviceCookie.name)) return;
      c.header('Set-Cookie', deviceCookie.set(device), { append: true });
    },
  };
}
