// /org: for a company its home, for a person the companies she speaks for.
import { Hono } from 'hono';
import { AppError } from '../platform/index.ts';
import { delegationFrom } from './delegation-routes.tsx';
import type { PageDeps } from './deps.ts';
import { statusOf } from './error-page.tsx';
import { readOwnForm, requireKind } from './forms.ts';
import { OrgPage } from './org.tsx';
import type { PageContext, PageEnv } from './page.tsx';
import { told } from './words.ts';

export function orgRoutes({
  identity,
  registry,
  config,
}: Pick<PageDeps, 'identity' | 'registry' | 'config'>) {
  async function page(
    c: PageContext,
    refused?: { licence: string; values: Record<string, string>; error: AppError },
  ) {
    return (
      <OrgPage
        c={c}
        cityTz={config.cityTz}
        companies={await registry.representedCompanies(c.get('actor'))}
        refused={refused && { ...refused, error: told(c, refused.error) }}
      />
    );
  }

  return new Hono<PageEnv>()
    .get('/org', async (c) => {
      requireKind(c, 'citizen');
      const { identifier, actingFor } = await identity.describeActor(c.get('actor'));
      // Licences, looks and agents of a company stand where a person's own do.
      const isCompany = (actingFor?.identifier ?? identifier)?.scheme === 'uscc';
      return isCompany ? c.redirect('/me', 303) : c.html(await page(c));
    })
    .post('/org/:licence', async (c) => {
      requireKind(c, 'citizen');
      const values = await readOwnForm(c, identity);
      const licence = c.req.param('licence');
      try {
        const input = delegationFrom(values, c.get('text'));
        await registry.giveForCompany(c.get('actor'), licence, input);
      } catch (error) {
        if (!(error instanceof AppError)) throw error;
        return c.html(await page(c, { licence, values, error }), statusOf(error));
      }
      return c.redirect('/org', 303);
    })
    .post('/org/:licence/act-for', async (c) => {
      requireKind(c, 'citizen');
      await readOwnForm(c, identity);
      await registry.actForCompany(c.get('actor'), c.req.param('licence'));
      return c.redirect('/me', 303);
    })
    .post('/org/:licence/revoke/:id', async (c) => {
      requireKind(c, 'citizen');
      await readOwnForm(c, identity);
      const { licence, id } = c.req.param();
      await registry.revokeForCompany(c.get('actor'), licence, id);
      return c.redirect('/org', 303);
    });
}
