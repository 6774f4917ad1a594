// Emergencies at a desk and before auditors: open one, look, ask, review, and all there were.
import type { Emergency, EmergencyLook } from '../exchange/index.ts';
import { AuditSections } from './audit-sections.tsx';
import { SchemaFields, type Service, serviceName } from './desk.tsx';
import { ErrorSummary, Field, FormToken, Frame, type PageContext, showTime, Tag } from './page.tsx';
import { type PropertySchema, type Told, titleWords, valueWords } from './words.ts';

interface Common {
  c: PageContext;
  cityTz: string;
  typeName: (id: string) => string;
  serviceOf: (code: string) => Service | undefined;
  organisationName: (id: string) => string;
  citationOf: (legalBasis: string) => string;
}

interface DeskProps extends Common {
  types: { id: string; name: string }[];
  services: Service[];
  /** The type chosen, with the fields that may be asked for; without one there is nothing to fill in. */
  chosen?: { id: string; properties: Record<string, PropertySchema> } | undefined;
  /** The service chosen, if it is a question. */
  question?: Service | undefined;
  mayOpen: boolean;
  mayReview: boolean;
  list: { items: Emergency[]; nextCursor: string | null };
  values: Record<string, string>;
  error?: Told | undefined;
}

export function EmergenciesPage(props: DeskProps) {
  const { c, list, mayOpen, error } = props;
  const words = c.get('text').emergencies;
  return (
    <Frame c={c} title={words.title} at="desk">
      <h1>{words.title}</h1>
      <p class="lead">{words.lead}</p>
      <p>
        <a href="/desk/questions">{c.get('text').questions.title}</a>
      </p>
      {error ? <ErrorSummary c={c} detail={error.detail} fields={error.fields} /> : null}
      {mayOpen ? <OpenForm {...props} /> : null}
      <h2>{words.list}</h2>
      {list.items.length === 0 ? <p class="muted">{words.none}</p> : null}
      <ul class="plain">
        {list.items.map((one) => (
          <li>
            <Facts {...props} one={one} />
            <Acts {...props} one={one} />
          </li>
        ))}
      </ul>
      <Pager c={c} at="/desk/emergencies" cursor={list.nextCursor} />
    </Frame>
  );
}

function OpenForm(props: DeskProps) {
  const { c, types, services, chosen, question, values, error } = props;
  const words = c.get('text').emergencies;
  const errors = error?.fields;
  return (
    <>
      <h2>{words.open}</h2>
      <form class="row" method="get" action="/desk/emergencies">
        <div class="grow">
          <Field
            name="type"
            label={words.type}
            value={chosen?.id}
            options={types.map(({ id, name }) => ({ value: id, label: name }))}
          />
        </div>
        <div class="field">
          <button class="quiet" type="submit">
            {words.choose}
          </button>
        </div>
      </form>
      <form class="row" method="get" action="/desk/emergencies">
        <div class="grow">
          <Field
            name="service"
            label={words.service}
            value={question?.id}
            options={services.map((one) => ({ value: one.id, label: serviceName(c, one) }))}
          />
        </div>
        <div class="field">
          <button class="quiet" type="submit">
            {words.choose}
          </button>
        </div>
      </form>
      {chosen || question ? (
        <form class="stack" method="post" action="/desk/emergencies">
          <FormToken c={c} />
          {chosen ? <input type="hidden" name="licenceType" value={chosen.id} /> : null}
          {question ? <input type="hidden" name="service" value={question.id} /> : null}
          {question ? <p class="notice">{questionOf(c, question)}</p> : null}
          <Field
            name="subject-value"
            label={words.subject}
            value={values['subject-value']}
            required={true}
            errors={errors}
          />
          {chosen ? (
            <fieldset id="fields">
              <legend>{words.fields}</legend>
              {Object.entries(chosen.properties).map(([name, schema]) => (
                <label for={`field-${name}`}>
                  <input
                    id={`field-${name}`}
                    type="checkbox"
                    name={`field-${name}`}
                    value="on"
                    checked={values[`field-${name}`] === 'on'}
                  />
                  {titleWords(c, name, schema)}
                </label>
              ))}
            </fieldset>
          ) : null}
          <Field
            name="reason"
            label={words.reason}
            hint={words.reasonHint}
            value={values.reason}
            required={true}
            errors={errors}
          />
          <Field
            name="caseId"
            label={words.caseId}
            value={values.caseId}
            required={true}
            errors={errors}
          />
          <Field
            name="legalBasis"
            label={words.legalBasis}
            hint={words.legalBasisHint}
            value={values.legalBasis}
            required={true}
            errors={errors}
          />
          <Field
            name="minutes"
            type="number"
            label={words.minutes}
            value={values.minutes ?? '60'}
            required={true}
            errors={errors}
          />
          <button type="submit">{words.openButton}</button>
        </form>
      ) : null}
    </>
  );
}

function questionOf(c: PageContext, service: Service): string {
  return c.get('lang') === 'en' ? service.questionEn : service.questionZh;
}

const tones = {
  open: 'warn',
  to_review: 'warn',
  overdue: 'bad',
  justified: 'good',
  not_justified: 'bad',
} as const satisfies Record<Emergency['state'], 'good' | 'warn' | 'bad'>;

function Facts({
  c,
  cityTz,
  typeName,
  serviceOf,
  organisationName,
  citationOf,
  one,
}: Common & { one: Emergency }) {
  const words = c.get('text').emergencies;
  const service = one.service === null ? undefined : serviceOf(one.service);
  const over = one.licenceType === null ? one.service : typeName(one.licenceType);
  return (
    <>
      <strong>{service ? serviceName(c, service) : over}</strong>{' '}
      <Tag tone={tones[one.state]}>{words.states[one.state]}</Tag>
      <p>{one.reason}</p>
      <dl>
        <dt>{words.openedBy}</dt>
        <dd>
          {organisationName(one.organisation)} · {one.openedBy.replace(/^officer:/, '')}
        </dd>
        <dt>{words.openedAt}</dt>
        <dd>{showTime(one.openedAt, cityTz)}</dd>
        <dt>{c.get('text').desk.legalBasis}</dt>
        <dd>{citationOf(one.legalBasis)}</dd>
        <dt>{words.caseId}</dt>
        <dd>{one.caseId}</dd>
        <dt>{words.until}</dt>
        <dd>{showTime(one.endsAt, cityTz)}</dd>
        <dt>{words.looks}</dt>
        <dd>{one.looks}</dd>
        <dt>{words.due}</dt>
        <dd>{showTime(one.reviewDue, cityTz)}</dd>
        <dt>{words.told}</dt>
        <dd>{showTime(one.discloseAt, cityTz)}</dd>
      </dl>
    </>
  );
}

function Acts({ c, one, mayReview, serviceOf, values, error }: DeskProps & { one: Emergency }) {
  const words = c.get('text').emergencies;
  const isReviewed = one.reviewedBy !== null;
  const isUsable = one.isMine && one.state === 'open';
  const service = one.service === null ? undefined : serviceOf(one.service);
  return (
    <>
      {isUsable && service ? (
        <form class="stack" method="post" action={`/desk/emergencies/${one.id}/ask`}>
          <FormToken c={c} />
          <p class="notice">{questionOf(c, service)}</p>
          <SchemaFields
            c={c}
            schema={service.paramsSchema}
            within={one.id}
            values={values.asked === one.id ? values : {}}
            errors={values.asked === one.id ? error?.fields : undefined}
          />
          <p class="hint">{words.askHint}</p>
          <button type="submit">{words.ask}</button>
        </form>
      ) : null}
      {isUsable && one.licenceType !== null ? (
        <form method="post" action={`/desk/emergencies/${one.id}/read`}>
          <FormToken c={c} />
          <p class="hint">{words.lookHint}</p>
          <button type="submit">{words.look}</button>
        </form>
      ) : null}
      {mayReview && !isReviewed && one.isMine ? <p class="notice">{words.own}</p> : null}
      {mayReview && !isReviewed && !one.isMine ? (
        <form class="stack" method="post" action={`/desk/emergencies/${one.id}/review`}>
          <FormToken c={c} />
          <Field name="note" within={one.id} label={words.note} required={true} />
          <div class="row">
            {(['justified', 'not_justified'] as const).map((verdict) => (
              <button type="submit" name="verdict" value={verdict}>
                {words.verdicts[verdict]}
              </button>
            ))}
          </div>
        </form>
      ) : null}
    </>
  );
}

interface LookProps extends Common {
  look: EmergencyLook;
  titles: (type: string) => Record<string, PropertySchema>;
}

export function EmergencyLookPage({ c, look, typeName, titles }: LookProps) {
  const words = c.get('text').emergencies;
  const statuses: Record<string, string | undefined> = c.get('text').results;
  return (
    <Frame c={c} title={words.found} at="desk">
      <h1>{words.found}</h1>
      {look.items.length === 0 ? <p class="notice">{words.nothing}</p> : null}
      {look.items.map((item) => (
        <section class="card">
          <h2>{typeName(item.type)}</h2>
          <p class="muted">
            <code>{item.number}</code> · {statuses[item.status] ?? item.status}
          </p>
          <dl>
            {Object.entries(item.fields).map(([name, value]) => (
              <>
                <dt>{titleWords(c, name, titles(item.type)[name])}</dt>
                <dd>{valueWords(c, value)}</dd>
              </>
            ))}
          </dl>
        </section>
      ))}
      <p>
        <a href="/desk/emergencies">{words.title}</a>
      </p>
    </Frame>
  );
}

export function AuditEmergenciesPage(
  props: Common & { list: { items: Emergency[]; nextCursor: string | null } },
) {
  const { c, list } = props;
  const words = c.get('text').emergencies;
  return (
    <Frame c={c} title={words.title} at="audit">
      <h1>{words.title}</h1>
      <p class="lead">{words.auditLead}</p>
      <AuditSections c={c} at="/audit/emergencies" />
      {list.items.length === 0 ? <p class="muted">{words.none}</p> : null}
      <ul class="plain">
        {list.items.map((one) => (
          <li>
            <Facts {...props} one={one} />
          </li>
        ))}
      </ul>
      <Pager c={c} at="/audit/emergencies" cursor={list.nextCursor} />
    </Frame>
  );
}

function Pager({ c, at, cursor }: { c: PageContext; at: string; cursor: string | null }) {
  if (cursor === null) return null;
  return (
    <p class="pager">
      <a href={`${at}?cursor=${encodeURIComponent(cursor)}`}>{c.get('text').emergencies.next}</a>
    </p>
  );
}
