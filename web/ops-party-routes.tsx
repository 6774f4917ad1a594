// /ops/parties: operators propose changes of relying parties; deciding about them is one page with the
// changes of clients.
import { Hono } from 'hono';
import { isPartyKind, PARTY_CHANGE_KINDS, type PartyProposal } from '../identity/index.ts';
import type { AppError } from '../platform/index.ts';
import type { PageDeps } from './deps.ts';
import { readOwnForm, requireOperator } from './forms.ts';
import { PartiesPage, PartyPage } from './ops-parties.tsx';
import { partyProposalFrom } from './ops-party-form.ts';
import { PartyProposalPage } from './ops-party-proposal.tsx';
import { opsProposals } from './ops-proposals.ts';
import type { PageContext, PageEnv } from './page.tsx';
import { told } from './words.ts';

export function opsPartyRoutes({ identity, config }: Pick<PageDeps, 'identity' | 'config'>) {
  const { commonOf, departmentsOf, propose } = opsProposals({ identity, config });

  async function proposalPage(
    c: PageContext,
    kind: PartyProposal['kind'],
    values: Record<string, string>,
    error?: AppError,
  ) {
    const id = c.req.param('party');
    const party = id === undefined ? undefined : await identity.getRelyingParty(c.get('actor'), id);
    const standing = party && {
      redirectUris: party.redirectUris.join('\n'),
      postLogoutRedirectUris: party.postLogoutRedirectUris.join('\n'),
      backchannelLogoutUri: party.backchannelLogoutUri ?? '',
    };
    return (
      <PartyProposalPage
        c={c}
        kind={kind}
        party={party}
        departments={await departmentsOf(c)}
        values={{ ...standing, ...values }}
        error={error && told(c, error)}
      />
    );
  }

  const proposeKind = (c: PageContext, kind: PartyProposal['kind']) =>
    propose(c, c.req.param('party'), {
      read: (form, how) => partyProposalFrom(kind, form, how),
      again: (form, error) => proposalPage(c, kind, form, error),
    });

  const routes = new Hono<PageEnv>()
    .get('/ops/parties', async (c) => {
      requireOperator(c);
      const actor = c.get('actor');
      const parties = await identity.listRelyingPartiesAs(actor, { cursor: c.req.query('cursor') });
      const changes = await identity.listClientChanges(actor, { open: true, limit: 100 });
      const waiting = changes.items.filter(({ kind }) => isPartyKind(kind));
      return c.html(<PartiesPage {...(await commonOf(c))} parties={parties} waiting={waiting} />);
    })
    .get('/ops/parties/new', async (c) => {
      requireOperator(c);
      return c.html(await proposalPage(c, 'register_party', {}));
    })
    .post('/ops/parties/new', (c) => proposeKind(c, 'register_party'))
    .get('/ops/parties/:party', async (c) => {
      requireOperator(c);
      const party = await identity.getRelyingParty(c.get('actor'), c.req.param('party'));
      const changes = await identity.listClientChanges(c.get('actor'), { client: party.id });
      const notices = await identity.getSignOutNotices(c.get('actor'), party.id);
      return c.html(
        <PartyPage
          {...(await commonOf(c))}
          party={party}
          changes={changes.items}
          notices={notices}
        />,
      );
    })
    .post('/ops/parties/:party/notices', async (c) => {
      requireOperator(c);
      await readOwnForm(c, identity);
      const party = c.req.param('party');
      await identity.resendSignOutNotices(c.get('actor'), party);
      return c.redirect(`/ops/parties/${party}`, 303);
    });
  for (const kind of PARTY_CHANGE_KINDS) {
    routes
      .get(`/ops/parties/:party/${kind}`, async (c) => {
        requireOperator(c);
        return c.html(await proposalPage(c, kind, {}));
      })
      .post(`/ops/parties/:party/${kind}`, (c) => proposeKind(c, kind));
  }
  return routes;
}
