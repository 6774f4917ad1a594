// /enrol: an officer without any way in makes her first passkey, by the link she was handed.
import { type Context, Hono } from 'hono';
import { AppError } from '../platform/index.ts';
import type { PageDeps } from './deps.ts';
import { EnrolmentPage, enrolmentScript } from './enrolment.tsx';
import { statusOf } from './error-page.tsx';
import { readForm } from './forms.ts';
import type { PageEnv } from './page.tsx';
import { parsed, script } from './passkey-routes.tsx';
import { AddPasskeyPage } from './passkeys.tsx';
import { signInPlaces } from './sign-in-place.ts';
import { homeOf } from './sign-in-routes.tsx';
import { told } from './words.ts';

export function enrolmentRoutes(
  deps: Pick<PageDeps, 'identity' | 'sessionCookie' | 'deviceCookie'>,
) {
  const { identity, sessionCookie } = deps;
  const { placeOf, keepDevice } = signInPlaces(deps);

  /** The first page again, with why the link doesn't hold. */
  function refused(c: Context<PageEnv>, error: unknown) {
    if (!(error instanceof AppError)) throw error;
    return c.html(<EnrolmentPage c={c} error={told(c, error)} />, statusOf(error));
  }

  return new Hono<PageEnv>()
    .get('/assets/enrol.js', (c) => c.body(enrolmentScript, 200, script))
    .get('/enrol', (c) => c.html(<EnrolmentPage c={c} />))
    .post('/enrol/start', async (c) => {
      const { code = '' } = await readForm(c);
      try {
        const options = await identity.startEnrolment(code.trim());
        return c.html(<AddPasskeyPage c={c} options={options} code={code.trim()} />);
      } catch (error) {
        return refused(c, error);
      }
    })
    .post('/enrol', async (c) => {
      const { code = '', response = '', label = '' } = await readForm(c);
      try {
        const place = placeOf(c);
        const { cookie, actor } = await identity.endEnrolment(code, parsed(response), {
          label,
          place,
        });
        c.header('Set-Cookie', sessionCookie.set(cookie));
        keepDevice(c, place);
        return c.redirect(homeOf(actor), 303);
      } catch (error) {
        if (!(error instanceof AppError) || error.kind !== 'invalid') return refused(c, error);
        try {
          // Its challenge may be used up: the next try gets a new one.
          const options = await identity.startEnrolment(code);
          const again = { options, code, label, error: told(c, error) };
          return c.html(<AddPasskeyPage c={c} {...again} />, statusOf(error));
        } catch (ended) {
          return refused(c, ended);
        }
      }
    });
}
