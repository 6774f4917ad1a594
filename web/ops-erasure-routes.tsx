// /ops/erasures: operators ask for erasures and place legal holds, and decide about each other's.
import { Hono } from 'hono';
import { isUscc, type PersonIdentifier } from '../identity/index.ts';
import { HOLD_ACTS } from '../oversight/index.ts';
import { AppError } from '../platform/index.ts';
import type { PageDeps } from './deps.ts';
import { statusOf } from './error-page.tsx';
import { readOwnForm, requireOperator } from './forms.ts';
import { ErasurePage, ErasuresPage, HoldPage } from './ops-erasures.tsx';
import type { PageContext, PageEnv } from './page.tsx';
import { type Told, told } from './words.ts';

/** A number as a form has it; which scheme it is, its characters say. */
function subjectOf({ value = '' }: Record<string, string>): PersonIdentifier {
  return { scheme: isUscc(value.trim()) ? 'uscc' : 'cn-id', value };
}

export function opsErasureRoutes({
  identity,
  erasures,
  config,
}: Pick<PageDeps, 'identity' | 'erasures' | 'config'>) {
  const { cityTz } = config;

  async function listPage(c: PageContext, refused?: Parameters<typeof ErasuresPage>[0]['refused']) {
    const actor = c.get('actor');
    const [all, holds] = await Promise.all([
      erasures.listErasures(actor, { cursor: c.req.query('cursor') }),
      erasures.listHolds(actor),
    ]);
    return <ErasuresPage c={c} cityTz={cityTz} erasures={all} holds={holds} refused={refused} />;
  }

  async function erasurePage(c: PageContext, id: string, values = {}, error?: Told) {
    const erasure = await erasures.getErasure(c.get('actor'), id);
    return <ErasurePage c={c} cityTz={cityTz} erasure={erasure} values={values} error={error} />;
  }

  async function holdPage(c: PageContext, id: string, values = {}, error?: Told) {
    const hold = await erasures.getHold(c.get('actor'), id);
    return <HoldPage c={c} cityTz={cityTz} hold={hold} values={values} error={error} />;
  }

  /** Runs an act of a form; what it refuses comes back on the page it was sent from. */
  async function act(
    c: PageContext,
    run: (form: Record<string, string>) => Promise<string>,
    again: (form: Record<string, string>, error: Told) => Promise<ReturnType<typeof ErasuresPage>>,
  ) {
    requireOperator(c);
    const form = await readOwnForm(c, identity);
    try {
      return c.redirect(await run(form), 303);
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      return c.html(await again(form, told(c, error, 'value')), statusOf(error));
    }
  }

  return new Hono<PageEnv>()
    .get('/ops/erasures', async (c) => {
      requireOperator(c);
      return c.html(await listPage(c));
    })
    .post('/ops/erasures', (c) =>
      act(
        c,
        async (form) => {
          const input = { subject: subjectOf(form), reason: form.reason ?? '' };
          return `/ops/erasures/${(await erasures.requestErasure(c.get('actor'), input)).id}`;
        },
        (values, error) => listPage(c, { form: 'request', values, error }),
      ),
    )
    .post('/ops/erasures/holds', (c) =>
      act(
        c,
        async (form) => {
          const input = { subject: subjectOf(form), reason: form.reason ?? '' };
          return `/ops/erasures/holds/${(await erasures.placeHold(c.get('actor'), input)).id}`;
        },
        (values, error) => listPage(c, { form: 'hold', values, error }),
      ),
    )
    .get('/ops/erasures/holds/:id', async (c) => {
      requireOperator(c);
      return c.html(await holdPage(c, c.req.param('id')));
    })
    .post('/ops/erasures/holds/:id', (c) => {
      const id = c.req.param('id');
      return act(
        c,
        async (form) => {
          const step = HOLD_ACTS.find((one) => one === form.act) ?? 'confirm';
          await erasures.actOnHold(c.get('actor'), id, step, { reason: form.reason ?? '' });
          return `/ops/erasures/holds/${id}`;
        },
        (values, error) => holdPage(c, id, values, error),
      );
    })
    .get('/ops/erasures/:id', async (c) => {
      requireOperator(c);
      return c.html(await erasurePage(c, c.req.param('id')));
    })
    .post('/ops/erasures/:id/approve', (c) => {
      const id = c.req.param('id');
      return act(
        c,
        async (form) => {
          await erasures.approveErasure(c.get('actor'), id, { subject: subjectOf(form) });
          return `/ops/erasures/${id}`;
        },
        (values, error) => erasurePage(c, id, values, error),
      );
    })
    .post('/ops/erasures/:id/refuse', (c) => {
      const id = c.req.param('id');
      return act(
        c,
        async (form) => {
          await erasures.refuseErasure(c.get('actor'), id, { reason: form.reason ?? '' });
          return `/ops/erasures/${id}`;
        },
        (values, error) => erasurePage(c, id, values, error),
      );
    });
}
