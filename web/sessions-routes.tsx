// /me/sessions and /desk/sessions: the same page for citizens and for officers.
import { type Context, Hono } from 'hono';
import type { PageDeps } from './deps.ts';
import { readOwnForm, requireKind } from './forms.ts';
import type { PageEnv } from './page.tsx';
import { SessionsPage } from './sessions.tsx';

const homes = { me: 'citizen', desk: 'officer' } as const;

export function sessionsRoutes(deps: Pick<PageDeps, 'identity' | 'sessionCookie' | 'config'>) {
  const { identity, sessionCookie, config } = deps;
  const routes = new Hono<PageEnv>();
  for (const at of ['me', 'desk'] as const) {
    const path = `/${at}/sessions`;
    routes
      .get(path, async (c) => {
        requireKind(c, homes[at]);
        const sessions = await identity.listSessions(c.get('actor'));
        return c.html(<SessionsPage c={c} at={at} sessions={sessions} cityTz={config.cityTz} />);
      })
      .post(path, async (c) => {
        requireKind(c, homes[at]);
        const form = await readOwnForm(c, identity);
        if (form.where === 'elsewhere') {
          await identity.endSessions(c.get('actor'), 'elsewhere');
          return c.redirect(`${path}?ended`, 303);
        }
        await identity.endSessions(c.get('actor'), 'everywhere');
        return signedOut(c);
      })
      .post(`${path}/:id`, async (c) => {
        requireKind(c, homes[at]);
        await readOwnForm(c, identity);
        const { sessionId } = c.get('actor');
        const id = c.req.param('id');
        await identity.endSession(c.get('actor'), id);
        return id === sessionId ? signedOut(c) : c.redirect(`${path}?ended`, 303);
      });
  }
  return routes;

  function signedOut(c: Context<PageEnv>) {
    return c.body(null, 303, { 'Set-Cookie': sessionCookie.clear(), Location: '/sign-in' });
  }
}
