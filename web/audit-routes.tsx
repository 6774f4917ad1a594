// /audit and /audit/integrity, and the forms that begin at what a search found.
import { Hono } from 'hono';
import { AppError } from '../platform/index.ts';
import { AuditIntegrityPage, IntegrityRunPage } from './audit-integrity.tsx';
import { queryOf } from './audit-query.ts';
import { AuditSearchPage } from './audit-search.tsx';
import { auditTogetherRoutes } from './audit-together-routes.tsx';
import type { PageDeps } from './deps.ts';
import { statusOf } from './error-page.tsx';
import { readOwnForm, requireKind } from './forms.ts';
import { nameIn, type PageContext, type PageEnv } from './page.tsx';
import { type Told, told } from './words.ts';

export function auditRoutes(
  deps: Pick<PageDeps, 'identity' | 'exchange' | 'oversight' | 'config'>,
) {
  const { identity, exchange, oversight, config } = deps;
  const { cityTz } = config;

  async function searchPage(
    c: PageContext,
    values: Record<string, string>,
    more: Pick<
      Parameters<typeof AuditSearchPage>[0],
      'result' | 'error' | 'savedSearch' | 'refused'
    >,
  ) {
    const lang = c.get('lang');
    const [organisations, services] = await Promise.all([
      identity.listOrganisations(),
      exchange.listServices(c.get('actor')),
    ]);
    const named = (thing: { id: string; nameZh: string; nameEn: string }) => ({
      id: thing.id,
      name: nameIn(lang, thing),
    });
    return (
      <AuditSearchPage
        c={c}
        cityTz={cityTz}
        departments={organisations.map(named)}
        services={services.map(named)}
        values={values}
        {...more}
      />
    );
  }

  async function integrityPage(c: PageContext, values: Record<string, string>, error?: Told) {
    const [log, runs] = await Promise.all([
      oversight.logState(),
      oversight.listIntegrityRuns(c.get('actor'), { limit: 10 }),
    ]);
    const common = { c, cityTz, log, runs, values, error };
    return <AuditIntegrityPage {...common} />;
  }

  const search = (c: PageContext, form: Record<string, string>) =>
    oversight.search(c.get('actor'), {
      ...queryOf(form),
      ...(form.reason ? { reason: form.reason } : {}),
      ...(form.cursor ? { cursor: form.cursor } : {}),
      limit: 50,
    });

  const routes = new Hono<PageEnv>();
  routes.route(
    '/',
    auditTogetherRoutes({
      ...deps,
      showFound: (c, result, savedSearch, reason) =>
        searchPage(c, { reason }, { result, savedSearch }),
    }),
  );
  return routes
    .get('/audit', async (c) => {
      requireKind(c, 'officer');
      return c.html(await searchPage(c, {}, {}));
    })
    .post('/audit', async (c) => {
      requireKind(c, 'officer');
      const form = await readOwnForm(c, identity);
      try {
        const result = await search(c, form);
        return c.html(await searchPage(c, form, { result }));
      } catch (error) {
        if (!(error instanceof AppError)) throw error;
        return c.html(
          await searchPage(c, form, { error: told(c, error, 'subject') }),
          statusOf(error),
        );
      }
    })
    .post('/audit/exports', async (c) => {
      requireKind(c, 'officer');
      const form = await readOwnForm(c, identity);
      try {
        const input = { ...queryOf(form), reason: form.reason ?? '' };
        const { id } = await oversight.requestExport(c.get('actor'), input);
        return c.redirect(`/audit/exports/${id}`, 303);
      } catch (error) {
        if (!(error instanceof AppError)) throw error;
        const refused = { form: 'export' as const, error: told(c, error, 'subject') };
        return c.html(await searchPage(c, form, { refused }), statusOf(error));
      }
    })
    .post('/audit/searches', async (c) => {
      requireKind(c, 'officer');
      const form = await readOwnForm(c, identity);
      try {
        const { name = '', shared } = form;
        const input = { ...queryOf(form), name, shared: shared === 'on' };
        await oversight.saveSearch(c.get('actor'), input);
        return c.redirect('/audit/searches', 303);
      } catch (error) {
        if (!(error instanceof AppError)) throw error;
        const refused = { form: 'save' as const, error: told(c, error, 'subject') };
        return c.html(await searchPage(c, form, { refused }), statusOf(error));
      }
    })
    .get('/audit/integrity', async (c) => {
      requireKind(c, 'officer');
      return c.html(await integrityPage(c, {}));
    })
    .post('/audit/integrity', async (c) => {
      requireKind(c, 'officer');
      const form = await readOwnForm(c, identity);
      try {
        const range = { from: readIndex(form.from), to: readIndex(form.to) };
        const { id } = await oversight.startIntegrityRun(c.get('actor'), range);
        return c.redirect(`/audit/integrity/${id}`, 303);
      } catch (error) {
        if (!(error instanceof AppError)) throw error;
        return c.html(await integrityPage(c, form, told(c, error)), statusOf(error));
      }
    })
    .get('/audit/integrity/:id', async (c) => {
      requireKind(c, 'officer');
      const run = await oversight.integrityRun(c.get('actor'), c.req.param('id'));
      return c.html(<IntegrityRunPage c={c} cityTz={cityTz} run={run} />);
    })
    .post('/audit/integrity/:id/cancel', async (c) => {
      requireKind(c, 'officer');
      await readOwnForm(c, identity);
      const id = c.req.param('id');
      try {
        await oversight.cancelIntegrityRun(c.get('actor'), id);
        return c.redirect(`/audit/integrity/${id}`, 303);
      } catch (error) {
        if (!(error instanceof AppError) || error.kind !== 'conflict') throw error;
        const run = await oversight.integrityRun(c.get('actor'), id);
        const page = <IntegrityRunPage c={c} cityTz={cityTz} run={run} error={told(c, error)} />;
        return c.html(page, statusOf(error));
      }
    });
}

/** An index as a form has it; what is none is beyond every log. */
function readIndex(text: string | undefined): number | undefined {
  const given = text?.trim();
  if (!given) return undefined;
  return /^\d{1,15}$/.test(given) ? Number(given) : Number.MAX_SAFE_INTEGER;
}
