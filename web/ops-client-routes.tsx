// /ops/clients: operators propose changes of departments' systems and decide about each other's.
import { Hono } from 'hono';
import { CLIENT_CHANGE_KINDS, type ClientChangeKind, isPartyKind } from '../identity/index.ts';
import { AppError } from '../platform/index.ts';
import type { PageDeps } from './deps.ts';
import { statusOf } from './error-page.tsx';
import { readOwnForm, requireOperator } from './forms.ts';
import { ChangePage } from './ops-client-changes.tsx';
import { proposalFrom, scopeField } from './ops-client-form.ts';
import { ProposalPage } from './ops-client-proposal.tsx';
import { ClientPage, ClientsPage } from './ops-clients.tsx';
import { opsProposals } from './ops-proposals.ts';
import type { PageContext, PageEnv } from './page.tsx';
import { told } from './words.ts';

export function opsClientRoutes({ identity, config }: Pick<PageDeps, 'identity' | 'config'>) {
  const { commonOf, departmentsOf, propose } = opsProposals({ identity, config });

  async function proposalPage(
    c: PageContext,
    kind: ClientChangeKind | 'create',
    values: Record<string, string>,
    error?: AppError,
  ) {
    const id = c.req.param('client');
    const client = id === undefined ? undefined : await identity.getClient(c.get('actor'), id);
    const ticked = Object.fromEntries(
      client?.scopes.map((scope) => [scopeField(scope), 'on']) ?? [],
    );
    return (
      <ProposalPage
        c={c}
        kind={kind}
        client={client}
        departments={await departmentsOf(c)}
        values={error ? values : { ...ticked, ...values }}
        error={error && told(c, error)}
      />
    );
  }

  async function changePage(c: PageContext, id: string, values = {}, error?: AppError) {
    const change = await identity.getClientChange(c.get('actor'), id);
    return (
      <ChangePage
        {...(await commonOf(c))}
        change={change}
        values={values}
        error={error && told(c, error)}
      />
    );
  }

  const proposeKind = (c: PageContext, kind: ClientChangeKind | 'create') =>
    propose(c, c.req.param('client'), {
      read: (form, how) => proposalFrom(kind, form, how),
      again: (form, error) => proposalPage(c, kind, form, error),
    });

  const routes = new Hono<PageEnv>()
    .get('/ops/clients', async (c) => {
      requireOperator(c);
      const actor = c.get('actor');
      const clients = await identity.listClientsAs(actor, { cursor: c.req.query('cursor') });
      const waiting = await identity.listClientChanges(actor, { open: true, limit: 100 });
      const own = waiting.items.filter(({ kind }) => !isPartyKind(kind));
      return c.html(<ClientsPage {...(await commonOf(c))} clients={clients} waiting={own} />);
    })
    .get('/ops/clients/new', async (c) => {
      requireOperator(c);
      return c.html(await proposalPage(c, 'create', {}));
    })
    .post('/ops/clients/new', (c) => proposeKind(c, 'create'))
    .get('/ops/clients/changes/:id', async (c) => {
      requireOperator(c);
      return c.html(await changePage(c, c.req.param('id')));
    })
    .post('/ops/clients/changes/:id', async (c) => {
      requireOperator(c);
      const id = c.req.param('id');
      const form = await readOwnForm(c, identity);
      const decision = form.decision === 'approve' ? 'approve' : 'refuse';
      try {
        const reason = (form.reason ?? '').trim();
        await identity.decideClientChange(c.get('actor'), id, decision, { reason });
        return c.redirect(`/ops/clients/changes/${id}`, 303);
      } catch (error) {
        if (!(error instanceof AppError) || error.kind === 'not_found') throw error;
        return c.html(await changePage(c, id, form, error), statusOf(error));
      }
    })
    .get('/ops/clients/:client', async (c) => {
      requireOperator(c);
      const client = await identity.getClient(c.get('actor'), c.req.param('client'));
      const changes = await identity.listClientChanges(c.get('actor'), { client: client.id });
      return c.html(
        <ClientPage {...(await commonOf(c))} client={client} changes={changes.items} />,
      );
    });
  for (const kind of CLIENT_CHANGE_KINDS) {
    routes
      .get(`/ops/clients/:client/${kind}`, async (c) => {
        requireOperator(c);
        return c.html(await proposalPage(c, kind, {}));
      })
      .post(`/ops/clients/:client/${kind}`, (c) => proposeKind(c, kind));
  }
  return routes;
}
