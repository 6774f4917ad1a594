// The companies a person speaks for: whom each lets act for it, and the way to act for it herself.
import type { RepresentedCompany } from '../registry/index.ts';
import { DelegationList, GiveForm } from './delegations.tsx';
import { ErrorSummary, FormToken, Frame, fieldId, type PageContext } from './page.tsx';
import type { Told } from './words.ts';

interface OrgProps {
  c: PageContext;
  cityTz: string;
  companies: RepresentedCompany[];
  /** The licence whose form is shown again, with what was typed and what was wrong. */
  refused?: { licence: string; values: Record<string, string>; error: Told } | undefined;
}

export function OrgPage({ c, cityTz, companies, refused }: OrgProps) {
  const words = c.get('text').org;
  const formOf = (licence: string) => `by-${fieldId(licence)}`;
  return (
    <Frame c={c} title={words.title} at="me">
      <h1>{words.title}</h1>
      <p class="lead">{words.lead}</p>
      {refused ? <ErrorSummary c={c} {...refused.error} within={formOf(refused.licence)} /> : null}
      {companies.length === 0 ? <p class="muted">{words.none}</p> : null}
      {companies.map(({ name, uscc, licence, delegations }) => {
        const isRefused = refused?.licence === licence;
        const path = `/org/${encodeURIComponent(licence)}`;
        return (
          <section>
            <h2>{name}</h2>
            <dl>
              <dt>{c.get('text').signInPage.uscc}</dt>
              <dd>
                <code>{uscc}</code>
              </dd>
              <dt>{words.licence}</dt>
              <dd>
                <code>{licence}</code>
              </dd>
            </dl>
            <form method="post" action={`${path}/act-for`}>
              <FormToken c={c} />
              <p class="hint">{words.actForHint}</p>
              <button type="submit">{words.actFor}</button>
            </form>
            <h3>{words.agents}</h3>
            {delegations.length === 0 ? <p class="muted">{words.noAgents}</p> : null}
            <DelegationList
              c={c}
              cityTz={cityTz}
              delegations={delegations}
              revokeAt={(id) => `${path}/revoke/${id}`}
            />
            <details open={isRefused}>
              <summary>{c.get('text').delegations.give}</summary>
              <GiveForm
                c={c}
                values={isRefused ? refused.values : {}}
                error={isRefused ? refused.error : undefined}
                action={path}
                within={formOf(licence)}
              />
            </details>
          </section>
        );
      })}
    </Frame>
  );
}
