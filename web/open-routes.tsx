// Pages for anyone: home, checking a licence, the catalogue, the API's description, the style sheet.
import { Hono } from 'hono';
import { CataloguePage, DatasetPage } from './catalogue.tsx';
import type { PageDeps } from './deps.ts';
import { DocsPage } from './docs.tsx';
import { readForm } from './forms.ts';
import { HomePage } from './home.tsx';
import type { PageContext, PageEnv } from './page.tsx';
import { styleSheet, verifyScript } from './style.ts';
import { VerifyPage } from './verify.tsx';

const cached = { 'Cache-Control': 'public, max-age=300' };

export function openRoutes(deps: PageDeps) {
  const { registry, catalogue, oversight, config, openApi } = deps;

  async function checked(c: PageContext, code: string, compare?: Record<string, string>) {
    const compared =
      compare && Object.keys(compare).length > 0
        ? (await registry.compare(code, compare, { requestId: c.get('requestId') })).fields
        : undefined;
    const lookup = await registry.lookup(code);
    return (
      <VerifyPage
        c={c}
        cityTz={config.cityTz}
        code={code}
        lookup={lookup}
        {...(compared ? { compared } : {})}
      />
    );
  }

  return new Hono<PageEnv>()
    .get('/', async (c) => {
      return c.html(<HomePage c={c} log={await oversight.logState()} />);
    })
    .get('/assets/style.css', (c) =>
      c.body(styleSheet, 200, { ...cached, 'Content-Type': 'text/css; charset=utf-8' }),
    )
    .get('/assets/verify.js', (c) =>
      c.body(verifyScript, 200, { ...cached, 'Content-Type': 'text/javascript; charset=utf-8' }),
    )
    .get('/verify', (c) => c.html(<VerifyPage c={c} cityTz={config.cityTz} />))
    .post('/verify', async (c) => {
      const form = await readForm(c);
      return c.html(await checked(c, (form.code ?? '').trim()));
    })
    .post('/verify/compare', async (c) => {
      const { code = '', holderName = '', validTo = '' } = await readForm(c);
      const fields = Object.fromEntries(
        Object.entries({ holderName, validTo }).filter(([, value]) => value.trim() !== ''),
      );
      return c.html(await checked(c, code.trim(), fields));
    })
    .get('/catalogue', async (c) => {
      const query = c.req.query('q') ?? '';
      const start = Math.max(0, Math.min(100_000, Number(c.req.query('start') ?? 0) || 0));
      const result = await catalogue.packageSearch(c.get('actor'), { q: query, start, rows: 20 });
      return c.html(<CataloguePage c={c} query={query} start={start} result={result} />);
    })
    .get('/dataset/:id', async (c) => {
      const dataset = await catalogue.packageShow(c.get('actor'), { id: c.req.param('id') });
      const active = dataset.resources.find((resource) => resource.datastore_active);
      const preview =
        active && dataset.open_level === 'unconditional'
          ? {
              resourceId: active.id,
              rows: await catalogue.datastoreSearch(c.get('actor'), {
                resource_id: active.id,
                limit: 10,
              }),
            }
          : null;
      return c.html(<DatasetPage c={c} dataset={dataset} preview={preview} />);
    })
    .get('/docs', (c) => c.html(<DocsPage c={c} document={openApi()} />));
}
