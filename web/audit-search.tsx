// /audit: search every look.
import type { Oversight } from '../oversight/index.ts';
import { AuditSections } from './audit-sections.tsx';
import { ErrorSummary, Field, FormToken, Frame, type PageContext, showTime, Tag } from './page.tsx';
import { eventWords, roleWords, type Told } from './words.ts';

type SearchResult = Awaited<ReturnType<Oversight['search']>>;

interface AuditSearchProps {
  c: PageContext;
  cityTz: string;
  departments: { id: string; name: string }[];
  services: { id: string; name: string }[];
  values: Record<string, string>;
  result?: SearchResult | undefined;
  error?: Told | undefined;
}

export function AuditSearchPage(props: AuditSearchProps) {
  const { c, departments, services, values, result, error } = props;
  const text = c.get('text');
  const words = text.audit;
  const errors = error?.fields;
  return (
    <Frame c={c} title={words.title} at="audit">
      <h1>{words.title}</h1>
      <p class="lead">{words.lead}</p>
      <AuditSections c={c} at="/audit" />
      {error ? <ErrorSummary c={c} detail={error.detail} fields={errors} /> : null}
      <form method="post" action="/audit" class="stack">
        <FormToken c={c} />
        <Field
          name="department"
          label={words.department}
          value={values.department}
          options={[
            { value: '', label: words.any },
            ...departments.map(({ id, name }) => ({ value: id, label: name })),
          ]}
        />
        <Field
          name="service"
          label={words.service}
          value={values.service}
          options={[
            { value: '', label: words.any },
            ...services.map(({ id, name }) => ({ value: id, label: name })),
          ]}
        />
        <Field name="caseId" label={words.caseId} value={values.caseId} errors={errors} />
        <Field
          name="outcome"
          label={words.outcome}
          value={values.outcome}
          options={[
            { value: '', label: words.any },
            { value: 'ok', label: text.outcomes.ok },
            { value: 'refused', label: text.outcomes.refused },
            { value: 'failed', label: text.outcomes.failed },
          ]}
        />
        <Field name="subject" label={words.subject} value={values.subject} errors={errors} />
        <Field
          name="reason"
          label={words.reason}
          hint={words.reasonHint}
          value={values.reason}
          errors={errors}
        />
        <button type="submit">{words.search}</button>
      </form>
      {result ? <Results {...props} result={result} /> : null}
    </Frame>
  );
}

/** The name of a thing the log knows by its id. */
function named(things: { id: string; name: string }[], id: string | null | undefined): string {
  return things.find((thing) => thing.id === id)?.name ?? id ?? '—';
}

function Results(props: AuditSearchProps & { result: SearchResult }) {
  const { c, result, cityTz, departments, services } = props;
  const text = c.get('text');
  const words = text.audit;
  if (result.items.length === 0) return <p class="notice">{words.none}</p>;
  return (
    <div class="scroll">
      <table class="fold">
        <caption>{words.results}</caption>
        <thead>
          <tr>
            <th scope="col">{words.index}</th>
            <th scope="col">{text.me.when}</th>
            <th scope="col">{words.department}</th>
            <th scope="col">{text.me.what}</th>
            <th scope="col">{text.me.why}</th>
            <th scope="col">{words.actor}</th>
            <th scope="col">{words.outcome}</th>
          </tr>
        </thead>
        <tbody>
          {result.items.map((item) => (
            <tr>
              <td data-label={words.index}>
                <a href={`/v1/audit/entries/${item.index}/receipt`}>#{item.index}</a>
              </td>
              <td data-label={text.me.when}>{showTime(item.at, cityTz)}</td>
              <td data-label={words.department}>
                {named(departments, item.department)}
                <br />
                <span class="muted">{roleWords(c, item.role)}</span>
              </td>
              <td data-label={text.me.what}>
                {item.service === undefined ? null : (
                  <>
                    {named(services, item.service)}
                    <br />
                  </>
                )}
                <span class={item.service === undefined ? undefined : 'muted'}>
                  {eventWords(c, item.type)}
                </span>
              </td>
              <td data-label={text.me.why}>
                {item.purpose ?? ''}
                <br />
                <span class="muted">{item.caseId ?? ''}</span>
              </td>
              <td data-label={words.actor}>
                <code>{item.actor.slice(0, 12)}</code>
              </td>
              <td data-label={words.outcome}>
                <Tag tone={item.outcome === 'ok' ? 'good' : 'warn'}>
                  {text.outcomes[item.outcome]}
                </Tag>{' '}
                <span class="muted">{item.code ?? ''}</span>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
