// /desk/emergencies for who opens and who reviews, /audit/emergencies for auditors.
import { Hono } from 'hono';
import { AppError } from '../platform/index.ts';
import type { PageDeps } from './deps.ts';
import { paramsFromForm } from './desk.tsx';
import { AuditEmergenciesPage, EmergenciesPage, EmergencyLookPage } from './emergency.tsx';
import { statusOf } from './error-page.tsx';
import { readOwnForm, requireKind } from './forms.ts';
import { nameIn, type PageContext, type PageEnv } from './page.tsx';
import { propertiesOf, told } from './words.ts';

export function emergencyPages(
  deps: Pick<PageDeps, 'identity' | 'registry' | 'exchange' | 'citationOf' | 'config'>,
) {
  const { identity, registry, exchange, config } = deps;
  const { cityTz } = config;

  async function commonOf(c: PageContext) {
    const lang = c.get('lang');
    const [types, organisations, services] = await Promise.all([
      registry.listTypes(),
      identity.listOrganisations(),
      exchange.listServices(c.get('actor')),
    ]);
    const typeNames = new Map(types.map((type) => [type.id, nameIn(lang, type)]));
    const names = new Map(organisations.map((one) => [one.id, nameIn(lang, one)]));
    const common = {
      c,
      cityTz,
      typeName: (id: string) => typeNames.get(id) ?? id,
      serviceOf: (code: string) => services.find(({ id }) => id === code),
      organisationName: (id: string) => names.get(id) ?? id,
      citationOf: (id: string) => deps.citationOf(id, lang),
    };
    return { types, services, common };
  }

  const queryOf = (c: PageContext) => {
    const cursor = c.req.query('cursor');
    return { limit: 20, ...(cursor ? { cursor } : {}) };
  };

  async function deskPage(
    c: PageContext,
    { type: typeId, service }: { type?: string | undefined; service?: string | undefined },
    values: Record<string, string> = {},
    error?: AppError,
  ) {
    const actor = c.get('actor');
    const { types, services, common } = await commonOf(c);
    const others = types.filter(({ issuer }) => issuer !== actor.organisationId);
    const type = others.find(({ id }) => id === typeId);
    return (
      <EmergenciesPage
        {...common}
        types={others.map(({ id }) => ({ id, name: common.typeName(id) }))}
        // What may be asked anyhow needs no emergency.
        services={services.filter((one) => !one.callable && one.provider !== actor.organisationId)}
        question={service === undefined ? undefined : common.serviceOf(service)}
        chosen={type && { id: type.id, properties: propertiesOf(type.schema) }}
        mayOpen={actor.roles.includes('desk')}
        mayReview={actor.roles.includes('approver')}
        list={await exchange.listEmergencies(actor, queryOf(c))}
        values={values}
        error={error && told(c, error, 'subject-value')}
      />
    );
  }

  return new Hono<PageEnv>()
    .get('/desk/emergencies', async (c) => {
      requireKind(c, 'officer');
      return c.html(
        await deskPage(c, { type: c.req.query('type'), service: c.req.query('service') }),
      );
    })
    .post('/desk/emergencies', async (c) => {
      requireKind(c, 'officer');
      const form = await readOwnForm(c, identity);
      const value = (form['subject-value'] ?? '').trim();
      const fields = Object.keys(form).flatMap((name) =>
        name.startsWith('field-') ? [name.slice('field-'.length)] : [],
      );
      try {
        await exchange.openEmergency(c.get('actor'), {
          ...(form.service === undefined
            ? { licenceType: form.licenceType ?? '', fields }
            : { service: form.service }),
          subject: { scheme: /^\d{17}[\dX]$/i.test(value) ? 'cn-id' : 'uscc', value },
          legalBasis: (form.legalBasis ?? '').trim(),
          caseId: (form.caseId ?? '').trim(),
          reason: (form.reason ?? '').trim(),
          minutes: Number(form.minutes),
        });
        return c.redirect('/desk/emergencies', 303);
      } catch (error) {
        if (!(error instanceof AppError)) throw error;
        const chosen = { type: form.licenceType, service: form.service };
        return c.html(await deskPage(c, chosen, form, error), statusOf(error));
      }
    })
    .post('/desk/emergencies/:id/read', async (c) => {
      requireKind(c, 'officer');
      await readOwnForm(c, identity);
      try {
        const look = await exchange.readEmergency(c.get('actor'), c.req.param('id'));
        const { types, common } = await commonOf(c);
        const titles = (id: string) => propertiesOf(types.find((type) => type.id === id)?.schema);
        return c.html(<EmergencyLookPage {...common} look={look} titles={titles} />);
      } catch (error) {
        if (!(error instanceof AppError) || error.kind === 'not_found') throw error;
        return c.html(await deskPage(c, {}, {}, error), statusOf(error));
      }
    })
    .post('/desk/emergencies/:id/ask', async (c) => {
      requireKind(c, 'officer');
      const actor = c.get('actor');
      const form = await readOwnForm(c, identity);
      const id = c.req.param('id');
      const { items } = await exchange.listEmergencies(actor, { limit: 200 });
      const code = items.find((one) => one.id === id)?.service ?? undefined;
      try {
        const service = code === undefined ? undefined : await exchange.getService(actor, code);
        const params = paramsFromForm(service?.paramsSchema, form);
        const asked = await exchange.askEmergency(actor, id, { params }, { waitSeconds: 5 });
        return c.redirect(`/desk/verifications/${asked.id}`, 303);
      } catch (error) {
        if (!(error instanceof AppError) || error.kind === 'not_found') throw error;
        return c.html(await deskPage(c, {}, { ...form, asked: id }, error), statusOf(error));
      }
    })
    .post('/desk/emergencies/:id/review', async (c) => {
      requireKind(c, 'officer');
      const form = await readOwnForm(c, identity);
      const verdict = form.verdict === 'justified' ? 'justified' : 'not_justified';
      try {
        const note = (form.note ?? '').trim();
        await exchange.reviewEmergency(c.get('actor'), c.req.param('id'), { verdict, note });
        return c.redirect('/desk/emergencies', 303);
      } catch (error) {
        if (!(error instanceof AppError) || error.kind === 'not_found') throw error;
        return c.html(await deskPage(c, {}, {}, error), statusOf(error));
      }
    })
    .get('/audit/emergencies', async (c) => {
      requireKind(c, 'officer');
      const list = await exchange.listAllEmergencies(c.get('actor'), queryOf(c));
      const { common } = await commonOf(c);
      return c.html(<AuditEmergenciesPage {...common} list={list} />);
    });
}
