// /ops/rights: operators ask for and decide about roles; /desk/post: where an officer sits.
import { Hono } from 'hono';
import { type Actor, type Enrolment, ROLES } from '../identity/index.ts';
import { AppError } from '../platform/index.ts';
import type { PageDeps } from './deps.ts';
import { EnrolmentLinkPage } from './enrolment.tsx';
import { statusOf } from './error-page.tsx';
import { readOwnForm, requireKind, requireOperator } from './forms.ts';
import { OfficerPage, officerPath, PostPage, RightsPage } from './ops-rights.tsx';
import { asTree } from './organisation-tree.ts';
import { nameIn, type PageContext, type PageEnv } from './page.tsx';
import { told } from './words.ts';

export function opsRightsRoutes({ identity, config }: Pick<PageDeps, 'identity' | 'config'>) {
  const { cityTz } = config;

  async function commonOf(c: PageContext, values: Record<string, string>, error?: AppError) {
    const organisations = await identity.listOrganisations();
    const names = new Map(organisations.map((one) => [one.id, nameIn(c.get('lang'), one)]));
    return {
      c,
      cityTz,
      values,
      error: error && told(c, error),
      organisationName: (id: string) => names.get(id) ?? id,
      departments: asTree(c.get('lang'), organisations),
    };
  }

  async function rightsPage(c: PageContext, values: Record<string, string> = {}, error?: AppError) {
    const actor = c.get('actor');
    const chosen = c.req.query('organisation') ?? '';
    const cursor = c.req.query('cursor');
    const [officers, waiting, resets] = await Promise.all([
      identity.listOfficersAs(actor, {
        limit: 20,
        ...(chosen === '' ? {} : { organisation: chosen }),
        ...(cursor ? { cursor } : {}),
      }),
      identity.listRoleRequests(actor, { state: 'open', limit: 100 }),
      identity.listPasskeyResets(actor, { state: 'open', limit: 100 }),
    ]);
    const common = await commonOf(c, values, error);
    const open = { waiting: waiting.items, resets: resets.items };
    return <RightsPage {...common} {...open} chosen={chosen} officers={officers} />;
  }

  async function officerPage(
    c: PageContext,
    key: string,
    values: Record<string, string> = {},
    error?: AppError,
  ) {
    const officer = await identity.getOfficer(c.get('actor'), key);
    return <OfficerPage {...(await commonOf(c, values, error))} officer={officer} />;
  }

  /** Runs an act of a form; its refusal is shown on the page that `again` makes. */
  async function acting(
    c: PageContext,
    act: () => Promise<string | Response>,
    again: (error: AppError) => ReturnType<typeof rightsPage> | ReturnType<typeof officerPage>,
  ) {
    try {
      const next = await act();
      return typeof next === 'string' ? c.redirect(next, 303) : next;
    } catch (error) {
      if (!(error instanceof AppError) || error.kind === 'not_found') throw error;
      return c.html(await again(error), statusOf(error));
    }
  }

  /** A form that decides what another operator asked for, and the link that may come of it. */
  async function decided(
    c: PageContext,
    decide: (
      actor: Actor,
      id: string,
      decision: 'approve' | 'refuse',
      written: { reason: string },
    ) => Promise<{ officer: string; enrolment: Enrolment | null }>,
    id: string,
  ) {
    requireOperator(c);
    const form = await readOwnForm(c, identity);
    const decision = form.decision === 'approve' ? 'approve' : 'refuse';
    const { reason = '' } = form;
    return acting(
      c,
      async () => {
        const { officer, enrolment } = await decide(c.get('actor'), id, decision, { reason });
        if (!enrolment) return '/ops/rights';
        // No redirect: nothing keeps the link, so this reply is the one to show it.
        return c.html(<EnrolmentLinkPage {...{ c, officer, cityTz, enrolment }} />);
      },
      (error) => rightsPage(c, {}, error),
    );
  }

  return new Hono<PageEnv>()
    .get('/ops/rights', async (c) => {
      requireOperator(c);
      return c.html(await rightsPage(c));
    })
    .post('/ops/rights/officers', async (c) => {
      requireOperator(c);
      const form = await readOwnForm(c, identity);
      const { key = '', username = '', organisation = '' } = form;
      const duty = (['audit', 'operate'] as const).find((one) => one === form.duty) ?? 'work';
      return acting(
        c,
        async () => {
          await identity.addOfficer(c.get('actor'), { key, username, organisation, duty });
          return officerPath(key);
        },
        (error) => rightsPage(c, form, error),
      );
    })
    .post('/ops/rights/requests/:id', (c) => decided(c, identity.decideRole, c.req.param('id')))
    .post('/ops/rights/resets/:id', (c) =>
      decided(c, identity.decidePasskeyReset, c.req.param('id')),
    )
    .post('/ops/rights/officers/:key/reset', async (c) => {
      requireOperator(c);
      const { reason = '' } = await readOwnForm(c, identity);
      const officer = c.req.param('key');
      return acting(
        c,
        async () => {
          await identity.requestPasskeyReset(c.get('actor'), { officer, reason });
          return '/ops/rights';
        },
        (error) => officerPage(c, officer, {}, error),
      );
    })
    .get('/ops/rights/officers/:key', async (c) => {
      requireOperator(c);
      return c.html(await officerPage(c, c.req.param('key')));
    })
    .post('/ops/rights/officers/:key', async (c) => {
      requireOperator(c);
      const form = await readOwnForm(c, identity);
      const key = c.req.param('key');
      const role = ROLES.find((one) => one === form.role) ?? 'desk';
      return acting(
        c,
        async () => {
          await identity.requestRole(c.get('actor'), {
            act: form.act === 'revoke' ? 'revoke' : 'grant',
            officer: key,
            role,
            reach: form.reach === 'below' ? 'below' : 'own',
            ...(form.validFrom ? { validFrom: form.validFrom } : {}),
            ...(form.validTo ? { validTo: form.validTo } : {}),
            reason: form.reason ?? '',
          });
          return '/ops/rights';
        },
        (error) => officerPage(c, key, form, error),
      );
    })
    .post('/ops/rights/officers/:key/leave', async (c) => {
      requireOperator(c);
      const { reason = '' } = await readOwnForm(c, identity);
      const key = c.req.param('key');
      return acting(
        c,
        async () => {
          await identity.endOfficer(c.get('actor'), key, { reason });
          return officerPath(key);
        },
        (error) => officerPage(c, key, {}, error),
      );
    })
    .get('/desk/post', async (c) => {
      requireKind(c, 'officer');
      const posts = await identity.listPosts(c.get('actor'));
      return c.html(<PostPage c={c} posts={asTree(c.get('lang'), posts)} />);
    })
    .post('/desk/post', async (c) => {
      requireKind(c, 'officer');
      const { organisation = '' } = await readOwnForm(c, identity);
      await identity.takePost(c.get('actor'), organisation);
      return c.redirect('/desk/post', 303);
    });
}
