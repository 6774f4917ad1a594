// /me/tickets for who asks about a look, /desk/tickets for who answers, /audit/tickets for who concludes.
import { Hono } from 'hono';
import { AppError } from '../platform/index.ts';
import type { PageDeps } from './deps.ts';
import { statusOf } from './error-page.tsx';
import { readOwnForm, requireKind } from './forms.ts';
import { nameIn, type PageContext, type PageEnv } from './page.tsx';
import {
  AskTicketPage,
  AuditTicketsPage,
  DeskTicketsPage,
  OwnTicketPage,
  OwnTicketsPage,
  TicketCasePage,
} from './tickets.tsx';
import { type Told, told } from './words.ts';

type Page = ReturnType<typeof OwnTicketsPage>;

export function ticketPages({
  identity,
  exchange,
  oversight,
  config,
}: Pick<PageDeps, 'identity' | 'exchange' | 'oversight' | 'config'>) {
  const { cityTz } = config;
  const queryOf = (c: PageContext) => ({ limit: 20, cursor: c.req.query('cursor') });
  const indexOf = (text: string | undefined) => (/^\d{1,15}$/.test(text ?? '') ? Number(text) : -1);

  /** Runs a form's act; what it refuses comes back on the page it was sent from. */
  async function act(
    c: PageContext,
    kind: 'citizen' | 'officer',
    run: (form: Record<string, string>) => Promise<string>,
    again: (form: Record<string, string>, error: Told) => Promise<Page> | Page,
  ) {
    requireKind(c, kind);
    const form = await readOwnForm(c, identity);
    try {
      return c.redirect(await run(form), 303);
    } catch (error) {
      if (!(error instanceof AppError) || error.kind === 'not_found') throw error;
      return c.html(await again(form, told(c, error)), statusOf(error));
    }
  }

  async function ownPage(c: PageContext, id: string, values = {}, error?: Told) {
    const ticket = await oversight.ownTicket(c.get('actor'), id, c.get('lang'));
    return <OwnTicketPage c={c} cityTz={cityTz} ticket={ticket} values={values} error={error} />;
  }

  async function casePage(
    c: PageContext,
    at: 'desk' | 'audit',
    id: string,
    values = {},
    error?: Told,
  ) {
    const actor = c.get('actor');
    const lang = c.get('lang');
    const read = at === 'desk' ? oversight.departmentTicket : oversight.escalatedTicket;
    const [ticket, services] = await Promise.all([
      read(actor, id, lang),
      exchange.listServices(actor),
    ]);
    const names = new Map(services.map((one) => [one.id, nameIn(lang, one)]));
    return (
      <TicketCasePage
        c={c}
        cityTz={cityTz}
        at={at}
        ticket={ticket}
        serviceName={(service) => names.get(service) ?? service}
        values={values}
        error={error}
      />
    );
  }

  return new Hono<PageEnv>()
    .get('/me/tickets', async (c) => {
      requireKind(c, 'citizen');
      const list = await oversight.ownTickets(c.get('actor'), queryOf(c), c.get('lang'));
      return c.html(<OwnTicketsPage c={c} cityTz={cityTz} list={list} />);
    })
    .get('/me/tickets/new', (c) => {
      requireKind(c, 'citizen');
      const index = indexOf(c.req.query('index'));
      return c.html(<AskTicketPage c={c} cityTz={cityTz} index={index} values={{}} />);
    })
    .post('/me/tickets', (c) =>
      act(
        c,
        'citizen',
        async (form) => {
          const input = { index: indexOf(form.index), text: form.text ?? '' };
          return `/me/tickets/${(await oversight.openTicket(c.get('actor'), input)).id}`;
        },
        (values, error) => {
          const index = indexOf(values.index);
          const common = { c, cityTz, index, values, error };
          return <AskTicketPage {...common} />;
        },
      ),
    )
    .get('/me/tickets/:id', async (c) => {
      requireKind(c, 'citizen');
      return c.html(await ownPage(c, c.req.param('id')));
    })
    .post('/me/tickets/:id/not-satisfied', (c) => {
      const id = c.req.param('id');
      return act(
        c,
        'citizen',
        async ({ text }) => {
          await oversight.complainOfTicket(c.get('actor'), id, { text });
          return `/me/tickets/${id}`;
        },
        (values, error) => ownPage(c, id, values, error),
      );
    })
    .get('/desk/tickets', async (c) => {
      requireKind(c, 'officer');
      const actor = c.get('actor');
      const [list, notices] = await Promise.all([
        oversight.departmentTickets(actor, queryOf(c), c.get('lang')),
        oversight.unmaskingNotices(actor, { limit: 20 }),
      ]);
      return c.html(<DeskTicketsPage c={c} cityTz={cityTz} list={list} notices={notices} />);
    })
    .get('/desk/tickets/:id', async (c) => {
      requireKind(c, 'officer');
      return c.html(await casePage(c, 'desk', c.req.param('id')));
    })
    .post('/desk/tickets/:id/answer', (c) => {
      const id = c.req.param('id');
      return act(
        c,
        'officer',
        async ({ text = '' }) => {
          await oversight.answerTicket(c.get('actor'), id, { text });
          return `/desk/tickets/${id}`;
        },
        (values, error) => casePage(c, 'desk', id, values, error),
      );
    })
    .get('/audit/tickets', async (c) => {
      requireKind(c, 'officer');
      const list = await oversight.escalatedTickets(c.get('actor'), queryOf(c), c.get('lang'));
      return c.html(<AuditTicketsPage c={c} cityTz={cityTz} list={list} />);
    })
    .get('/audit/tickets/:id', async (c) => {
      requireKind(c, 'officer');
      return c.html(await casePage(c, 'audit', c.req.param('id')));
    })
    .post('/audit/tickets/:id/conclude', (c) => {
      const id = c.req.param('id');
      return act(
        c,
        'officer',
        async ({ text = '' }) => {
          await oversight.concludeTicket(c.get('actor'), id, { text });
          return `/audit/tickets/${id}`;
        },
        (values, error) => casePage(c, 'audit', id, values, error),
      );
    });
}
