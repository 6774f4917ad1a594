// /audit and /audit/integrity: each act is a form; what a search found is shown where it was asked.
import { Hono } from 'hono';
import { AppError } from '../platform/index.ts';
import { AuditIntegrityPage } from './audit-integrity.tsx';
import { AuditSearchPage } from './audit-search.tsx';
import type { PageDeps } from './deps.ts';
import { statusOf } from './error-page.tsx';
import { readOwnForm, requireKind } from './forms.ts';
import { nameIn, type PageContext, type PageEnv } from './page.tsx';
import { told } from './words.ts';

export function auditRoutes(
  deps: Pick<PageDeps, 'identity' | 'exchange' | 'oversight' | 'config'>,
) {
  const { identity, exchange, oversight, config } = deps;
  const { cityTz } = config;

  async function searchPage(
    c: PageContext,
    values: Record<string, string>,
    more: Pick<Parameters<typeof AuditSearchPage>[0], 'result' | 'error'>,
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

  return new Hono<PageEnv>()
    .get('/audit', async (c) => {
      requireKind(c, 'officer');
      return c.html(await searchPage(c, {}, {}));
    })
    .post('/audit', async (c) => {
      requireKind(c, 'officer');
      const form = await readOwnForm(c, identity);
      const { subject, reason, department, service, caseId, outcome } = form;
      try {
        const result = await oversight.search(c.get('actor'), {
          ...(subject
            ? {
                subject: {
                  scheme: /^\d{17}[\dX]$/i.test(subject) ? 'cn-id' : 'uscc',
                  value: subject,
                },
              }
            : {}),
          ...(reason ? { reason } : {}),
          ...(department ? { department } : {}),
          ...(service ? { service } : {}),
          ...(caseId ? { caseId } : {}),
          ...(outcome ? { outcome } : {}),
          limit: 50,
        });
        return c.html(await searchPage(c, form, { result }));
      } catch (error) {
        if (!(error instanceof AppError)) throw error;
        return c.html(
          await searchPage(c, form, { error: told(c, error, 'subject') }),
          statusOf(error),
        );
      }
    })
    .get('/audit/integrity', async (c) => {
      requireKind(c, 'officer');
      return c.html(<AuditIntegrityPage c={c} log={await oversight.logState()} />);
    })
    .post('/audit/integrity', async (c) => {
      requireKind(c, 'officer');
      await readOwnForm(c, identity);
      const integrity = await oversight.integrity(c.get('actor'));
      const log = await oversight.logState();
      return c.html(<AuditIntegrityPage c={c} log={log} integrity={integrity} />);
    });
}
