// /me/delegations and /me/act-for: letting others act for me, and acting for others.
import { Hono } from 'hono';
import { DELEGABLE_ITEMS, DelegationInput } from '../identity/index.ts';
import { AppError } from '../platform/index.ts';
import { DelegationsPage } from './delegations.tsx';
import type { PageDeps } from './deps.ts';
import { statusOf } from './error-page.tsx';
import { webErrors } from './errors.ts';
import { readOwnForm, requireKind } from './forms.ts';
import type { PageContext, PageEnv } from './page.tsx';
import type { Text } from './text/zh.ts';
import { told } from './words.ts';

/** The form as the API's body: what was typed is checked there, once. */
export function delegationFrom(form: Record<string, string>, text: Text): DelegationInput {
  const { validFrom, validTo = '' } = form;
  const read = DelegationInput.safeParse({
    agent: { scheme: 'cn-id', value: (form['agent-value'] ?? '').trim() },
    items: DELEGABLE_ITEMS.filter((item) => form[`item-${item}`] === 'on'),
    ...(validFrom ? { validFrom } : {}),
    validTo,
  });
  if (read.success) return read.data;
  const { incomplete, faults } = text.delegations;
  const wrong = new Set(read.error.issues.map(({ path }) => `/${path.join('/')}`));
  throw webErrors.form_invalid(incomplete, {
    fields: Object.entries(faults).flatMap(([pointer, detail]) =>
      wrong.has(pointer) ? [{ pointer, detail }] : [],
    ),
  });
}

export function delegationRoutes({ identity, config }: Pick<PageDeps, 'identity' | 'config'>) {
  async function page(c: PageContext, values: Record<string, string>, error?: AppError) {
    return (
      <DelegationsPage
        c={c}
        cityTz={config.cityTz}
        delegations={await identity.listDelegations(c.get('actor'))}
        values={values}
        error={error && told(c, error)}
      />
    );
  }

  return new Hono<PageEnv>()
    .get('/me/delegations', async (c) => {
      requireKind(c, 'citizen');
      return c.html(await page(c, {}));
    })
    .post('/me/delegations', async (c) => {
      requireKind(c, 'citizen');
      const form = await readOwnForm(c, identity);
      try {
        await identity.giveDelegation(c.get('actor'), delegationFrom(form, c.get('text')));
      } catch (error) {
        if (!(error instanceof AppError)) throw error;
        return c.html(await page(c, form, error), statusOf(error));
      }
      return c.redirect('/me/delegations', 303);
    })
    .post('/me/delegations/:id', async (c) => {
      requireKind(c, 'citizen');
      const { decision } = await readOwnForm(c, identity);
      if (decision !== 'accept' && decision !== 'refuse' && decision !== 'revoke') {
        throw webErrors.form_invalid('Accept, refuse or revoke.');
      }
      await identity.decideDelegation(c.get('actor'), c.req.param('id'), decision);
      return c.redirect('/me/delegations', 303);
    })
    .post('/me/act-for', async (c) => {
      requireKind(c, 'citizen');
      const { delegation = '' } = await readOwnForm(c, identity);
      await identity.actFor(c.get('actor'), delegation);
      return c.redirect('/me', 303);
    })
    .post('/me/act-for/stop', async (c) => {
      requireKind(c, 'citizen');
      await readOwnForm(c, identity);
      await identity.stopActing(c.get('actor'));
      return c.redirect('/me/delegations', 303);
    });
}
