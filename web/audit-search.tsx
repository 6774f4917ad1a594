// /audit: search every look.
import type { Oversight } from '../oversight/index.ts';
import { CONDITION_FIELDS } from './audit-query.ts';
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
  /** The saved search that found it: its next page is asked of it. */
  savedSearch?: string | undefined;
  /** What the export or the search to be saved was refused for. */
  refused?: { form: 'export' | 'save'; error: Told } | undefined;
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
      {props.refused ? (
        <ErrorSummary
          c={c}
          detail={props.refused.error.detail}
          fields={props.refused.error.fields}
          within={props.refused.form}
        />
      ) : null}
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
        <details open={['type', 'actor', 'purpose', 'from', 'to'].some((name) => values[name])}>
          <summary>{words.more}</summary>
          <Field name="from" type="date" label={words.from} value={values.from} errors={errors} />
          <Field name="to" type="date" label={words.to} value={values.to} errors={errors} />
          <Field
            name="type"
            label={words.type}
            value={values.type}
            options={[
              { value: '', label: words.any },
              ...Object.entries(text.events).map(([value, label]) => ({ value, label })),
            ]}
          />
          <Field name="actor" label={words.actor} value={values.actor} errors={errors} />
          <Field
            name="purpose"
            label={words.purpose}
            hint={words.purposeHint}
            value={values.purpose}
            errors={errors}
          />
        </details>
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
      {props.refused ? <Keep {...props} /> : null}
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
  if (result.items.length === 0 && result.nextCursor === null) {
    return <p class="notice">{words.none}</p>;
  }
  return (
    <>
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
                  <code>{item.actor}</code>
                  <br />
                  <a href={`/audit/unmaskings?index=${item.index}`}>{words.unmaskings.ask}</a>
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
      <NextPage {...props} />
      {props.savedSearch === undefined ? <Keep {...props} /> : null}
    </>
  );
}

/** The conditions once more, for a form that goes on with them. */
function Conditions({ values }: AuditSearchProps) {
  return (
    <>
      {CONDITION_FIELDS.map((name) =>
        values[name] ? <input type="hidden" name={name} value={values[name]} /> : null,
      )}
    </>
  );
}

function NextPage(props: AuditSearchProps) {
  const { c, result, savedSearch, values } = props;
  const cursor = result?.nextCursor;
  if (!cursor) return null;
  const action = savedSearch === undefined ? '/audit' : `/audit/searches/${savedSearch}/run`;
  return (
    <form class="pager" method="post" action={action}>
      <FormToken c={c} />
      <Conditions {...props} />
      <input type="hidden" name="reason" value={values.reason ?? ''} />
      <input type="hidden" name="cursor" value={cursor} />
      <button class="quiet" type="submit">
        {c.get('text').audit.older}
      </button>
    </form>
  );
}

/** What can be done with these conditions beside looking: keep them, or take all they find. */
function Keep(props: AuditSearchProps) {
  const { c, values, refused } = props;
  const words = c.get('text').audit;
  const errorsOf = (form: 'export' | 'save') =>
    refused?.form === form ? refused.error.fields : undefined;
  return (
    <div class="cards">
      <form class="stack card" method="post" action="/audit/searches">
        <FormToken c={c} />
        <Conditions {...props} />
        <h2>{words.searches.save}</h2>
        <Field
          name="name"
          within="save"
          label={words.searches.name}
          hint={words.searches.nameHint}
          value={values.name}
          required={true}
          errors={errorsOf('save')}
        />
        <div class="field">
          <label class="choice">
            <input type="checkbox" name="shared" value="on" /> {words.searches.share}
          </label>
        </div>
        <button class="quiet" type="submit">
          {words.searches.save}
        </button>
      </form>
      <form class="stack card" method="post" action="/audit/exports">
        <FormToken c={c} />
        <Conditions {...props} />
        <h2>{words.exports.ask}</h2>
        <Field
          name="reason"
          within="export"
          label={words.reason}
          hint={words.exports.askHint}
          value={values.reason}
          required={true}
          errors={errorsOf('export')}
        />
        <button class="quiet" type="submit">
          {words.exports.ask}
        </button>
      </form>
    </div>
  );
}
