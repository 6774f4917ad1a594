// /audit/unmaskings, /audit/exports, /audit/searches: what auditors do by two and what they keep.
import { type Context, Hono } from 'hono';
import { accountOf } from '../identity/index.ts';
import { AppError, streamed } from '../platform/index.ts';
import { ExportPage, ExportsPage } from './audit-exports.tsx';
import { SearchesPage } from './audit-searches.tsx';
import { UnmaskingPage, UnmaskingsPage } from './audit-unmaskings.tsx';
import type { PageDeps } from './deps.ts';
import { statusOf } from './error-page.tsx';
import { readOwnForm, requireKind } from './forms.ts';
import { nameIn, type PageContext, type PageEnv } from './page.tsx';
import { type Told, told } from './words.ts';

type Page = ReturnType<typeof ExportsPage>;

export function auditTogetherRoutes(
  deps: Pick<PageDeps, 'identity' | 'oversight' | 'config'> & {
    /** /audit with what a saved search found. */
    showFound: (
      c: PageContext,
      found: Awaited<ReturnType<PageDeps['oversight']['search']>>,
      searchId: string,
      reason: string,
    ) => Promise<Page>;
  },
) {
  const { identity, oversight, config, showFound } = deps;
  const { cityTz } = config;

  /** Runs a form's act; what it refuses comes back on the page it was sent from. */
  async function act(
    c: PageContext,
    run: (form: Record<string, string>) => Promise<string>,
    again: (form: Record<string, string>, error: Told) => Promise<Page>,
  ) {
    requireKind(c, 'officer');
    const form = await readOwnForm(c, identity);
    try {
      return c.redirect(await run(form), 303);
    } catch (error) {
      if (!(error instanceof AppError) || error.kind === 'not_found') throw error;
      return c.html(await again(form, told(c, error, 'subject')), statusOf(error));
    }
  }

  async function organisationName(c: PageContext) {
    const lang = c.get('lang');
    const names = new Map(
      (await identity.listOrganisations()).map((one) => [one.id, nameIn(lang, one)]),
    );
    return (id: string) => names.get(id) ?? id;
  }

  const cursorOf = (c: Context) => ({ cursor: c.req.query('cursor') });

  async function unmaskingsPage(c: PageContext, values: Record<string, string>, error?: Told) {
    const list = await oversight.listUnmaskings(c.get('actor'), { limit: 20, ...cursorOf(c) });
    const name = await organisationName(c);
    const common = { c, cityTz, organisationName: name, list, values, error };
    return <UnmaskingsPage {...common} />;
  }

  async function unmaskingPage(c: PageContext, id: string, error?: Told) {
    const unmasking = await oversight.unmasking(c.get('actor'), id);
    return (
      <UnmaskingPage
        c={c}
        cityTz={cityTz}
        organisationName={await organisationName(c)}
        unmasking={unmasking}
        isOwn={unmasking.requestedBy === accountOf(c.get('actor'))}
        error={error}
      />
    );
  }

  async function exportPage(c: PageContext, id: string, error?: Told) {
    const one = await oversight.export(c.get('actor'), id);
    const isOwn = one.requestedBy === accountOf(c.get('actor'));
    const common = { c, cityTz, organisationName: await organisationName(c) };
    return <ExportPage {...common} one={one} isOwn={isOwn} error={error} />;
  }

  async function searchesPage(
    c: PageContext,
    refused?: Parameters<typeof SearchesPage>[0]['refused'],
  ) {
    const list = await oversight.listSearches(c.get('actor'), { limit: 20, ...cursorOf(c) });
    return <SearchesPage c={c} cityTz={cityTz} list={list} refused={refused} />;
  }

  return new Hono<PageEnv>()
    .get('/audit/unmaskings', async (c) => {
      requireKind(c, 'officer');
      return c.html(await unmaskingsPage(c, { index: c.req.query('index') ?? '' }));
    })
    .post('/audit/unmaskings', (c) =>
      act(
        c,
        async (form) => {
          const index = /^\d{1,15}$/.test(form.index ?? '') ? Number(form.index) : -1;
          const reason = form.reason ?? '';
          const made = await oversight.requestUnmasking(c.get('actor'), { index, reason });
          return `/audit/unmaskings/${made.id}`;
        },
        (values, error) => unmaskingsPage(c, values, error),
      ),
    )
    .get('/audit/unmaskings/:id', async (c) => {
      requireKind(c, 'officer');
      return c.html(await unmaskingPage(c, c.req.param('id')));
    })
    .post('/audit/unmaskings/:id', (c) => {
      const id = c.req.param('id');
      return act(
        c,
        async ({ decision }) => {
          if (decision === 'approve') await oversight.approveUnmasking(c.get('actor'), id);
          else await oversight.refuseUnmasking(c.get('actor'), id);
          return `/audit/unmaskings/${id}`;
        },
        (_, error) => unmaskingPage(c, id, error),
      );
    })
    .get('/audit/exports', async (c) => {
      requireKind(c, 'officer');
      const list = await oversight.listExports(c.get('actor'), { limit: 20, ...cursorOf(c) });
      return c.html(<ExportsPage c={c} cityTz={cityTz} list={list} />);
    })
    .get('/audit/exports/:id', async (c) => {
      requireKind(c, 'officer');
      return c.html(await exportPage(c, c.req.param('id')));
    })
    .post('/audit/exports/:id', (c) => {
      const id = c.req.param('id');
      return act(
        c,
        async ({ decision }) => {
          if (decision === 'approve') await oversight.approveExport(c.get('actor'), id);
          else await oversight.refuseExport(c.get('actor'), id);
          return `/audit/exports/${id}`;
        },
        (_, error) => exportPage(c, id, error),
      );
    })
    .get('/audit/exports/:id/file', async (c) => {
      requireKind(c, 'officer');
      const file = await oversight.exportFile(c.get('actor'), c.req.param('id'));
      return c.body(streamed(file.parts), 200, {
        'Content-Type': 'application/x-ndjson',
        'Content-Disposition': `attachment; filename="${file.name}"`,
        'Content-Length': String(file.bytes),
        'Cache-Control': 'no-store',
      });
    })
    .get('/audit/searches', async (c) => {
      requireKind(c, 'officer');
      return c.html(await searchesPage(c));
    })
    .post('/audit/searches/:id/run', async (c) => {
      requireKind(c, 'officer');
      const form = await readOwnForm(c, identity);
      const id = c.req.param('id');
      const reason = form.reason ?? '';
      try {
        const query = { reason, limit: 50, cursor: form.cursor || undefined };
        const found = await oversight.runSearch(c.get('actor'), id, query);
        return c.html(await showFound(c, found, id, reason));
      } catch (error) {
        if (!(error instanceof AppError) || error.kind === 'not_found') throw error;
        const refused = { id, values: form, error: told(c, error) };
        return c.html(await searchesPage(c, refused), statusOf(error));
      }
    })
    .post('/audit/searches/:id/delete', (c) =>
      act(
        c,
        async () => {
          await oversight.deleteSearch(c.get('actor'), c.req.param('id'));
          return '/audit/searches';
        },
        (values, error) => searchesPage(c, { id: '', values, error }),
      ),
    );
}
