// Pages of signed-in people: /me, /desk. Each act is a form that posts and redirects.
import { Hono } from 'hono';
import { type PersonalAct, refusalOf } from '../identity/index.ts';
import { EXPORT_FORMATS } from '../oversight/index.ts';
import { AppError, streamed } from '../platform/index.ts';
import type { PageDeps } from './deps.ts';
import { AskPage, paramsFromForm, VerificationPage } from './desk.tsx';
import { statusOf } from './error-page.tsx';
import { readOwnForm, requireKind } from './forms.ts';
import { MePage } from './me.tsx';
import { pathOf } from './organisation-tree.ts';
import { nameIn, type PageContext, type PageEnv } from './page.tsx';
import { told } from './words.ts';

const LOOK_FILTERS = ['from', 'to', 'department', 'service'] as const;

export function signedInRoutes(deps: PageDeps) {
  const { identity, registry, exchange, oversight, citationOf, config } = deps;
  const { cityTz } = config;

  async function namesOf(c: PageContext) {
    const lang = c.get('lang');
    const [types, organisations] = await Promise.all([
      registry.listTypes(),
      identity.listOrganisations(),
    ]);
    const typeNames = new Map(types.map((type) => [type.id, nameIn(lang, type)]));
    const organisationNames = new Map(organisations.map((one) => [one.id, nameIn(lang, one)]));
    return {
      typeName: (id: string) => typeNames.get(id) ?? id,
      organisationName: (id: string) => organisationNames.get(id) ?? id,
      departments: [...organisationNames].map(([id, name]) => ({ id, name })),
    };
  }

  async function askPage(
    c: PageContext,
    chosenId: string | undefined,
    values: Record<string, string>,
    error?: AppError,
  ) {
    const actor = c.get('actor');
    const [services, recent, organisations] = await Promise.all([
      exchange.listServices(actor),
      exchange.listVerifications(actor, { limit: 10 }),
      identity.listOrganisations(),
    ]);
    const chosen = services.find((service) => service.id === chosenId);
    return (
      <AskPage
        c={c}
        place={pathOf(c.get('lang'), organisations, actor.organisationId ?? '')}
        services={services}
        chosen={chosen}
        citationOf={(id) => citationOf(id, c.get('lang'))}
        values={values}
        error={error && told(c, error, 'subject-value')}
        recent={recent.items}
        cityTz={cityTz}
      />
    );
  }

  return new Hono<PageEnv>()
    .get('/me', async (c) => {
      requireKind(c, 'citizen');
      const actor = c.get('actor');
      const cursor = c.req.query('cursor');
      const filters = Object.fromEntries(
        LOOK_FILTERS.flatMap((name) => {
          const value = c.req.query(name)?.trim();
          return value ? [[name, value]] : [];
        }),
      );
      const may = (act: PersonalAct) =>
        !actor.actingFor || refusalOf(actor.actingFor, act) === null;
      const licences = may('licence.list') ? await registry.ownLicences(actor) : null;
      const lang = c.get('lang');
      const looks = (conditions: Record<string, string>) =>
        oversight.accessLog(actor, { ...conditions, limit: 20, lang, ...(cursor && { cursor }) });
      let wrong: AppError | undefined;
      const accessLog = may('access_log.read')
        ? await looks(filters).catch((error: unknown) => {
            if (!(error instanceof AppError) || error.code !== 'oversight.time_invalid')
              throw error;
            wrong = error;
            return looks({});
          })
        : null;
      const [tickets, services] = await Promise.all([
        oversight.ticketsOf(actor, accessLog?.items.map(({ index }) => index) ?? []),
        exchange.listServices(actor),
      ]);
      const consents = may('consent.list') ? await exchange.listConsents(actor, 'pending') : [];
      const { typeName, organisationName, departments } = await namesOf(c);
      return c.html(
        <MePage
          c={c}
          cityTz={cityTz}
          licences={licences}
          hasDocuments={may('licence.document')}
          typeName={typeName}
          organisationName={organisationName}
          accessLog={accessLog}
          filters={filters}
          departments={departments}
          services={services.map((one) => ({ id: one.id, name: nameIn(lang, one) }))}
          error={wrong && told(c, wrong)}
          tickets={tickets}
          mayAsk={may('ticket.open')}
          consents={consents}
          log={await oversight.logState()}
          publicUrl={config.publicUrl}
        />,
      );
    })
    .get('/me/export', async (c) => {
      requireKind(c, 'citizen');
      const format = EXPORT_FORMATS.find((one) => one === c.req.query('format')) ?? 'json';
      const file = await oversight.exportOwn(c.get('actor'), format, c.get('lang'));
      return c.body(streamed(file.parts), 200, {
        'Content-Type': file.mediaType,
        'Content-Disposition': `attachment; filename="${file.name}"`,
        'Cache-Control': 'no-store',
      });
    })
    .get('/me/receipts/:index', async (c) => {
      requireKind(c, 'citizen');
      const index = Number(c.req.param('index'));
      const receipt = await oversight.accessReceipt(c.get('actor'), index, 'json');
      c.header('Content-Disposition', `attachment; filename="yihao-receipt-${index}.json"`);
      return c.json(receipt);
    })
    .post('/me/consents/:id', async (c) => {
      requireKind(c, 'citizen');
      const form = await readOwnForm(c, identity);
      const decision = form.decision === 'grant' ? 'grant' : 'refuse';
      await exchange.decideConsent(c.get('actor'), c.req.param('id'), decision);
      return c.redirect('/me', 303);
    })
    .get('/desk', async (c) => {
      requireKind(c, 'officer');
      const { roles } = c.get('actor');
      if (!roles.includes('desk')) {
        if (roles.includes('approver')) return c.redirect('/desk/emergencies', 303);
        if (roles.includes('provider')) return c.redirect('/desk/questions', 303);
      }
      return c.html(await askPage(c, c.req.query('service'), {}));
    })
    .post('/desk', async (c) => {
      requireKind(c, 'officer');
      const form = await readOwnForm(c, identity);
      try {
        const service = await exchange.getService(c.get('actor'), form.service ?? '');
        const value = (form['subject-value'] ?? '').trim();
        const verification = await exchange.ask(
          c.get('actor'),
          {
            service: service.id,
            subject: { scheme: service.subjectKind === 'person' ? 'cn-id' : 'uscc', value },
            params: paramsFromForm(service.paramsSchema, form),
            legalBasis: form.legalBasis ?? '',
            purpose: (form.purpose ?? '').trim(),
            caseId: (form.caseId ?? '').trim(),
          },
          { waitSeconds: 5 },
        );
        return c.redirect(`/desk/verifications/${verification.id}`, 303);
      } catch (error) {
        if (!(error instanceof AppError)) throw error;
        return c.html(await askPage(c, form.service, form, error), statusOf(error));
      }
    })
    .get('/desk/verifications/:id', async (c) => {
      requireKind(c, 'officer');
      const verification = await exchange.getVerification(c.get('actor'), c.req.param('id'));
      const service = await exchange.getService(c.get('actor'), verification.service);
      return c.html(
        <VerificationPage c={c} verification={verification} service={service} cityTz={cityTz} />,
      );
    });
}
