// Pages for anyone: home, checking a licence, the catalogue, the API's description, the style sheet.
import { Hono } from 'hono';
import { AppError } from '../platform/index.ts';
import { againScript } from './again-script.ts';
import { CataloguePage, DatasetPage } from './catalogue.tsx';
import type { PageDeps } from './deps.ts';
import { DocsPage } from './docs.tsx';
import { statusOf } from './error-page.tsx';
import { readForm } from './forms.ts';
import { HomePage } from './home.tsx';
import { offlineVerifier } from './offline-verifier.ts';
import type { PageContext, PageEnv } from './page.tsx';
import { styleSheet, verifyScript } from './style.ts';
import { UPLOAD_PATH } from './upload-form.ts';
import { VerifyPage, type VerifyProps } from './verify.tsx';
import { propertiesOf, told } from './words.ts';

const cached = { 'Cache-Control': 'public, max-age=300' };

export function openRoutes(deps: PageDeps) {
  const { registry, catalogue, oversight, config, openApi } = deps;

  /** The titles of a type's fields, in both languages. */
  async function fieldSchemasOf(type: string): Promise<VerifyProps['fieldSchemas']> {
    const types = await registry.listTypes();
    return propertiesOf(types.find(({ id }) => id === type)?.schema);
  }

  async function checked(c: PageContext, code: string, compare: Record<string, string> = {}) {
    const answer = await comparison(c, code, compare);
    const lookup = await registry.lookup(code);
    const props = {
      c,
      cityTz: config.cityTz,
      code,
      lookup,
      fieldSchemas: lookup.result === 'unknown' ? {} : await fieldSchemasOf(lookup.type),
    };
    const status = answer instanceof AppError ? statusOf(answer) : 200;
    const outcome =
      answer instanceof AppError ? { error: told(c, answer) } : answer && { compared: answer };
    return c.html(<VerifyPage {...props} {...outcome} />, status);
  }

  /** What was compared agrees or not; a refusal is shown beside the licence, not instead of it. */
  async function comparison(c: PageContext, code: string, fields: Record<string, string>) {
    if (Object.keys(fields).length === 0) return undefined;
    try {
      return (await registry.compare(code, fields, { requestId: c.get('requestId') })).fields;
    } catch (error) {
      if (error instanceof AppError) return error;
      throw error;
    }
  }

  return (
    new Hono<PageEnv>()
      .get('/', async (c) => {
        return c.html(<HomePage c={c} log={await oversight.logState()} />);
      })
      .get('/assets/style.css', (c) =>
        c.body(styleSheet, 200, { ...cached, 'Content-Type': 'text/css; charset=utf-8' }),
      )
      .get('/assets/again.js', (c) =>
        c.body(againScript, 200, { ...cached, 'Content-Type': 'text/javascript; charset=utf-8' }),
      )
      .get('/assets/verify.js', (c) =>
        c.body(verifyScript, 200, { ...cached, 'Content-Type': 'text/javascript; charset=utf-8' }),
      )
      // To be saved and opened from a disk, away from us: that is their point.
      .get('/verifier.html', (c) =>
        c.body(offlineVerifier().html, 200, {
          ...cached,
          'Content-Type': 'text/html; charset=utf-8',
          'Content-Disposition': 'attachment; filename="yihao-verifier.html"',
        }),
      )
      .get('/verifier.mjs', (c) =>
        c.body(offlineVerifier().program, 200, {
          ...cached,
          'Content-Type': 'text/javascript; charset=utf-8',
          'Content-Disposition': 'attachment; filename="verifier.mjs"',
        }),
      )
      .get('/verify', (c) => c.html(<VerifyPage c={c} cityTz={config.cityTz} fieldSchemas={{}} />))
      .post('/verify', async (c) => {
        const form = await readForm(c);
        return checked(c, (form.code ?? '').trim());
      })
      .post('/verify/compare', async (c) => {
        const { code = '', holderName = '', validTo = '' } = await readForm(c);
        const fields = Object.fromEntries(
          Object.entries({ holderName, validTo }).filter(([, value]) => value.trim() !== ''),
        );
        return checked(c, code.trim(), fields);
      })
      .post(UPLOAD_PATH, async (c) => {
        const props = { c, cityTz: config.cityTz, fieldSchemas: {} };
        const file = c.get('upload')?.find(({ name }) => name === 'file');
        if (!file?.pdf) {
          const detail = c.get('text').documentCheck.missing;
          return c.html(<VerifyPage {...props} documentError={{ detail }} />, 422);
        }
        try {
          const caller = { requestId: c.get('requestId') };
          const document = await registry.verifyDocument(file.pdf, caller);
          return c.html(<VerifyPage {...props} document={document} />);
        } catch (error) {
          if (!(error instanceof AppError)) throw error;
          return c.html(<VerifyPage {...props} documentError={told(c, error)} />, statusOf(error));
        }
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
      .get('/docs', (c) => c.html(<DocsPage c={c} document={openApi()} />))
  );
}
