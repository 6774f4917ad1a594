// /desk/cases: the cases in which a department keeps looks from their subjects, and closing one.
import { Hono } from 'hono';
import type { CovertCase } from '../exchange/index.ts';
import { AppError } from '../platform/index.ts';
import type { PageDeps } from './deps.ts';
import { statusOf } from './error-page.tsx';
import { readOwnForm, requireKind } from './forms.ts';
import {
  ErrorSummary,
  Field,
  FormToken,
  Frame,
  type PageContext,
  type PageEnv,
  showTime,
  Tag,
} from './page.tsx';
import { type Told, told } from './words.ts';

interface CasesProps {
  c: PageContext;
  cityTz: string;
  list: { items: CovertCase[]; nextCursor: string | null };
  mayClose: boolean;
  /** How many looks the case just closed held. */
  closed?: string | undefined;
  values?: Record<string, string>;
  error?: Told | undefined;
}

function CasesPage({ c, cityTz, list, mayClose, closed, values, error }: CasesProps) {
  const words = c.get('text').cases;
  const done = /^\d{1,7}$/.test(closed ?? '') ? Number(closed) : undefined;
  return (
    <Frame c={c} title={words.title} at="desk">
      <h1>{words.title}</h1>
      <p class="lead">{words.lead}</p>
      {error ? <ErrorSummary c={c} detail={error.detail} fields={error.fields} /> : null}
      {done === undefined ? null : (
        <p class="notice" role="status">
          {words.done(done)}
        </p>
      )}
      {mayClose ? (
        <form class="stack" method="post" action="/desk/cases">
          <FormToken c={c} />
          <Field
            name="caseId"
            label={words.caseId}
            value={values?.caseId}
            required={true}
            errors={error?.fields}
          />
          <p class="muted">{words.effect}</p>
          <button type="submit">{words.close}</button>
        </form>
      ) : null}
      <h2>{words.list}</h2>
      {list.items.length === 0 ? <p class="muted">{words.none}</p> : null}
      <ul class="plain">
        {list.items.map((one) => (
          <li>
            {words.opened(showTime(one.openedAt, cityTz), one.looks)}{' '}
            <Tag tone={one.state === 'open' ? 'warn' : 'good'}>{words.states[one.state]}</Tag>
            <br />
            <span class="muted">
              {one.closedAt === undefined
                ? one.discloseBy && words.by(showTime(one.discloseBy, cityTz))
                : words.closedAt(showTime(one.closedAt, cityTz))}
            </span>
          </li>
        ))}
      </ul>
      {list.nextCursor ? (
        <p>
          <a href={`/desk/cases?cursor=${list.nextCursor}`}>{words.older}</a>
        </p>
      ) : null}
    </Frame>
  );
}

export function casePages({
  identity,
  exchange,
  config,
}: Pick<PageDeps, 'identity' | 'exchange' | 'config'>) {
  async function page(c: PageContext, more: Pick<CasesProps, 'closed' | 'values' | 'error'>) {
    const actor = c.get('actor');
    const mayClose = actor.roles.includes('desk');
    const cursor = c.req.query('cursor');
    const list = mayClose
      ? await exchange.listCovertCases(actor, { limit: 20, ...(cursor ? { cursor } : {}) })
      : { items: [], nextCursor: null };
    return <CasesPage c={c} cityTz={config.cityTz} list={list} mayClose={mayClose} {...more} />;
  }

  return new Hono<PageEnv>()
    .get('/desk/cases', async (c) => {
      requireKind(c, 'officer');
      return c.html(await page(c, { closed: c.req.query('closed') }));
    })
    .post('/desk/cases', async (c) => {
      requireKind(c, 'officer');
      const form = await readOwnForm(c, identity);
      try {
        const caseId = (form.caseId ?? '').trim();
        const { looks } = await exchange.closeCase(c.get('actor'), { caseId });
        return c.redirect(`/desk/cases?closed=${looks}`, 303);
      } catch (error) {
        if (!(error instanceof AppError)) throw error;
        const shown = await page(c, { values: form, error: told(c, error, 'caseId') });
        return c.html(shown, statusOf(error));
      }
    });
}
