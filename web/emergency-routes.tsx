// /desk/emergencies for who opens and who reviews, /audit/emergencies for auditors.
import { Hono } from 'hono';
import { AppError } from '../platform/index.ts';
import type { PageDeps } from './deps.ts';
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
    const [types, organisations] = await Promise.all([
      registry.listTypes(),
      identity.listOrganisations(),
    ]);
    const typeNames = new Map(types.map((type) => [type.id, nameIn(lang, type)]));
    const names = new Map(organisations.map((one) => [one.id, nameIn(lang, one)]));
    const common = {
      c,
      cityTz,
      typeName: (id: string) => typeNames.get(id) ?? id,
      organisationName: (id: string) => names.get(id) ?? id,
      citationOf: (id: string) => deps.citationOf(id, lang),
    };
    return { types, common };
  }

  const queryOf = (c: PageContext) => {
    const cursor = c.req.query('cursor');
    return { limit: 20, ...(cursor ? { cursor } : {}) };
  };

  async function deskPage(
    c: PageContext,
    typeId: string | undefined,
    values: Record<string, string> = {},
    error?: AppError,
  ) {
    const actor = c.get('actor');
    const { types, common } = await commonOf(c);
    const others = types.filter(({ issuer }) => issuer !== actor.organisationId);
    const type = others.find(({ id }) => id === typeId);
    return (
      <EmergenciesPage
        {...common}
        types={others.map(({ id }) => ({ id, name: common.typeName(id) }))}
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
      return c.html(await deskPage(c, c.req.query('type')));
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
          licenceType: form.licenceType ?? '',
          subject: { scheme: /^\d{17}[\dX]$/i.test(value) ? 'cn-id' : 'uscc', value },
          fields,
          legalBasis: (form.legalBasis ?? '').trim(),
          caseId: (form.caseId ?? '').trim(),
          reason: (form.reason ?? '').trim(),
          minutes: Number(form.minutes),
        });
        return c.redirect('/desk/emergencies', 303);
      } catch (error) {
        if (!(error instanceof AppError)) throw error;
        return c.html(await deskPage(c, form.licenceType, form, error), statusOf(error));
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
        return c.html(await deskPage(c, undefined, {}, error), statusOf(error));
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
        return c.html(await deskPage(c, undefined, {}, error), statusOf(error));
      }
    })
    .get('/audit/emergencies', async (c) => {
      requireKind(c, 'officer');
      const list = await exchange.listAllEmergencies(c.get('actor'), queryOf(c));
      const { common } = await commonOf(c);
      return c.html(<AuditEmergenciesPage {...common} list={list} />);
    });
}
