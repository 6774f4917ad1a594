// /desk/licences: the issuing department's own licences, one by one.
import { Hono } from 'hono';
import { AppError } from '../platform/index.ts';
import type { PageDeps } from './deps.ts';
import { statusOf } from './error-page.tsx';
import { readOwnForm, requireKind } from './forms.ts';
import { IssuedLicencePage } from './issued-licence.tsx';
import { nameIn, type PageEnv } from './page.tsx';
import { propertiesOf, told } from './words.ts';

export function issuedLicenceRoutes({
  identity,
  registry,
}: Pick<PageDeps, 'identity' | 'registry'>) {
  const nothing = { typeName: '', fieldSchemas: {} };
  return new Hono<PageEnv>()
    .get('/desk/licences', (c) => {
      requireKind(c, 'officer');
      return c.html(<IssuedLicencePage c={c} {...nothing} />);
    })
    .post('/desk/licences', async (c) => {
      requireKind(c, 'officer');
      const number = ((await readOwnForm(c, identity)).number ?? '').trim();
      try {
        const licence = await registry.get(c.get('actor'), number);
        const type = await registry.getType(licence.type, licence.typeVersion);
        return c.html(
          <IssuedLicencePage
            c={c}
            number={number}
            licence={licence}
            typeName={nameIn(c.get('lang'), type)}
            fieldSchemas={propertiesOf(type.schema)}
          />,
        );
      } catch (error) {
        if (!(error instanceof AppError)) throw error;
        const page = (
          <IssuedLicencePage c={c} {...nothing} number={number} error={told(c, error)} />
        );
        return c.html(page, statusOf(error));
      }
    });
}
