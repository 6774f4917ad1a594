// The officer's desk: choose a question, say why, see the least answer.
import type { Exchange } from '../exchange/index.ts';
import { ErrorSummary, Field, FormToken, Frame, type PageContext, showTime, Tag } from './page.tsx';
import { type PropertySchema, propertiesOf, type Told, titleWords, valueWords } from './words.ts';

export type Service = Awaited<ReturnType<Exchange['getService']>>;
export type Verification = Awaited<ReturnType<Exchange['getVerification']>>;

interface AskProps {
  c: PageContext;
  /** Where the officer sits now, with what is above it. */
  place: string[];
  services: Service[];
  chosen?: Service | undefined;
  citationOf: (id: string) => string;
  values: Record<string, string>;
  error?: Told | undefined;
  recent: Verification[];
  cityTz: string;
}

export function serviceName(c: PageContext, service: Service): string {
  return c.get('lang') === 'en' ? service.nameEn : service.nameZh;
}

export function AskPage(props: AskProps) {
  const { c, place, services, chosen, error, recent, cityTz } = props;
  const text = c.get('text');
  const words = text.desk;
  return (
    <Frame c={c} title={words.title} at="desk">
      <h1>{words.title}</h1>
      <p class="lead">{words.lead}</p>
      <p>
        {words.place}
        {text.colon}
        <strong>{place.join(' › ')}</strong>
      </p>
      <p>
        <a href="/desk/questions">{text.questions.title}</a> ·{' '}
        <a href="/desk/emergencies">{text.emergencies.title}</a> ·{' '}
        <a href="/desk/licences">{text.issued.title}</a> ·{' '}
        <a href="/desk/cases">{text.cases.title}</a> · <a href="/desk/post">{text.rights.post}</a>
      </p>
      {error ? <ErrorSummary c={c} detail={error.detail} fields={error.fields} /> : null}
      <form class="row" method="get" action="/desk">
        <div class="grow">
          <Field
            name="service"
            label={words.service}
            value={chosen?.id}
            // What may be asked comes first.
            options={[...services]
              .sort((a, b) => Number(b.callable) - Number(a.callable))
              .map((service) => ({
                value: service.id,
                label: `${serviceName(c, service)}${service.callable ? '' : ` ${text.open}${words.notCallable}${text.close}`}`,
              }))}
          />
        </div>
        <div class="field">
          <button class="quiet" type="submit">
            {words.choose}
          </button>
        </div>
      </form>
      {chosen ? <AskForm {...props} chosen={chosen} /> : null}
      <h2>{words.recent}</h2>
      {recent.length === 0 ? <p class="muted">{words.none}</p> : null}
      <ul class="plain">
        {recent.map((verification) => (
          <li>
            <a href={`/desk/verifications/${verification.id}`}>
              {nameOf(c, services, verification.service)} ·{' '}
              {showTime(verification.createdAt, cityTz)}
            </a>{' '}
            <StateTag c={c} state={verification.state} />
          </li>
        ))}
      </ul>
    </Frame>
  );
}

function nameOf(c: PageContext, services: Service[], id: string): string {
  const service = services.find((candidate) => candidate.id === id);
  return service ? serviceName(c, service) : id;
}

function AskForm({ c, chosen, citationOf, values, error }: AskProps & { chosen: Service }) {
  const words = c.get('text').desk;
  const text = c.get('text');
  const question = c.get('lang') === 'en' ? chosen.questionEn : chosen.questionZh;
  const errors = error?.fields;
  return (
    <form class="stack" method="post" action="/desk">
      <FormToken c={c} />
      <input type="hidden" name="service" value={chosen.id} />
      <p class="notice">
        <strong>{question}</strong>
        <br />
        {words.discloses}
        {text.colon}
        {chosen.minimalDisclosure.fields
          .map((name) => titleWords(c, name, propertiesOf(chosen.answerSchema)[name]))
          .join(text.comma)}
      </p>
      <Field
        name="subject-value"
        label={words.subject}
        value={values['subject-value']}
        required={true}
        errors={errors}
      />
      <SchemaFields c={c} schema={chosen.paramsSchema} values={values} errors={errors} />
      <Field
        name="legalBasis"
        label={words.legalBasis}
        value={values.legalBasis}
        errors={errors}
        options={chosen.legalBasis.map((id) => ({ value: id, label: citationOf(id) }))}
      />
      <Field
        name="purpose"
        label={words.purpose}
        value={values.purpose}
        required={true}
        errors={errors}
      />
      <Field
        name="caseId"
        label={words.caseId}
        hint={words.caseHint}
        value={values.caseId}
        required={true}
        errors={errors}
      />
      <button type="submit">{words.ask}</button>
    </form>
  );
}

/** A field for each property of a schema, named `params-…`, as paramsFromForm reads them. */
export function SchemaFields({
  c,
  schema: whole,
  values,
  errors,
  within,
}: {
  c: PageContext;
  schema: unknown;
  values: Record<string, string>;
  errors?: Told['fields'] | undefined;
  within?: string | undefined;
}) {
  const required = new Set((whole as { required?: string[] }).required ?? []); // a published schema
  return Object.entries(propertiesOf(whole)).map(([name, schema]) => (
    <Field
      name={`params-${name}`}
      within={within}
      label={titleWords(c, name, schema)}
      value={values[`params-${name}`]}
      required={required.has(name)}
      errors={errors}
      options={optionsOf(c, schema, required.has(name))}
    />
  ));
}

function optionsOf(c: PageContext, schema: PropertySchema, isRequired: boolean) {
  const blank = isRequired ? [] : [{ value: '', label: '—' }];
  const values = schema.type === 'boolean' ? [true, false] : schema.enum;
  return (
    values && [
      ...blank,
      ...values.map((value) => ({ value: String(value), label: valueWords(c, value) })),
    ]
  );
}

/** Turns form texts into the parameters' types; what does not fit is left for the schema to refuse. */
export function paramsFromForm(
  schema: unknown,
  form: Record<string, string>,
): Record<string, unknown> {
  const params: Record<string, unknown> = {};
  for (const [name, property] of Object.entries(propertiesOf(schema))) {
    const text = form[`params-${name}`]?.trim() ?? '';
    if (text === '') continue;
    if (property.type === 'integer' || property.type === 'number') {
      params[name] = Number.isFinite(Number(text)) ? Number(text) : text;
    } else if (property.type === 'boolean') params[name] = text === 'true';
    else if (property.type === 'array') params[name] = text.split(/[\s,;,;、]+/).filter(Boolean);
    else params[name] = text;
  }
  return params;
}

function StateTag({ c, state }: { c: PageContext; state: Verification['state'] }) {
  const tone =
    state === 'answered' ? 'good' : state === 'refused' || state === 'failed' ? 'bad' : 'warn';
  return <Tag tone={tone}>{c.get('text').states[state]}</Tag>;
}

interface ResultProps {
  c: PageContext;
  verification: Verification;
  service: Service;
  cityTz: string;
}

export function VerificationPage({ c, verification, service, cityTz }: ResultProps) {
  const text = c.get('text');
  const words = text.desk;
  const isPending = ['accepted', 'awaiting_consent', 'dispatched'].includes(verification.state);
  const schemas = propertiesOf(service.answerSchema);
  // In the order of the schema, which begins with what was asked.
  const order = Object.keys(schemas);
  const answered = Object.entries(verification.answer ?? {}).sort(
    ([a], [b]) => order.indexOf(a) - order.indexOf(b),
  );
  return (
    <Frame c={c} title={words.result} at="desk" refreshSeconds={isPending ? 3 : undefined}>
      <h1>{serviceName(c, service)}</h1>
      <section class="card" aria-live="polite">
        <StateTag c={c} state={verification.state} />
        {isPending ? <p>{words.waiting}</p> : null}
        <dl>
          {answered.map(([name, value]) => (
            <>
              <dt>{titleWords(c, name, schemas[name])}</dt>
              <dd>
                <strong>{valueWords(c, value)}</strong>
              </dd>
            </>
          ))}
          {verification.refusal ? (
            <>
              <dt>{words.reason}</dt>
              <dd>{verification.refusal.text}</dd>
            </>
          ) : null}
          {verification.answeredBy ? (
            <>
              <dt>{words.provider}</dt>
              <dd>{verification.answeredBy.name}</dd>
            </>
          ) : null}
          <dt>{words.deadline}</dt>
          <dd>{showTime(verification.deadline, cityTz)}</dd>
          <dt>{words.auditIndexes}</dt>
          <dd>{verification.audit.map((index) => `#${index}`).join(' ')}</dd>
        </dl>
      </section>
      <p>
        <a href="/desk">{words.again}</a>
      </p>
    </Frame>
  );
}
