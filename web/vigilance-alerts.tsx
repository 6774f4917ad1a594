// /audit/alerts: alarms with their evidence, taken up and closed by a deadline.
import { type Alert, type AuditEntry, FINDINGS, type Vigilance } from '../oversight/index.ts';
import { AuditSections } from './audit-sections.tsx';
import { ErrorSummary, Field, FormToken, Frame, type PageContext, showTime, Tag } from './page.tsx';
import { eventWords, type Told } from './words.ts';

type AlertList = Awaited<ReturnType<Vigilance['listAlerts']>>;

interface Common {
  c: PageContext;
  cityTz: string;
  organisationName: (id: string) => string;
}

const FILTERS = ['open', 'overdue', 'closed', 'all'] as const;

export function AlertsPage(props: Common & { list: AlertList; state: string }) {
  const { c, list, state } = props;
  const words = c.get('text').vigilance.alerts;
  return (
    <Frame c={c} title={words.title} at="audit">
      <h1>{words.title}</h1>
      <p class="lead">{words.lead}</p>
      <AuditSections c={c} at="/audit/alerts" />
      <form method="get" action="/audit/alerts" class="row">
        <Field
          name="state"
          label={words.filter}
          value={state}
          options={FILTERS.map((value) => ({ value, label: words.filters[value] }))}
        />
        <button class="quiet" type="submit">
          {words.show}
        </button>
      </form>
      {list.items.length === 0 ? <p class="notice">{words.none}</p> : <AlertTable {...props} />}
      {list.nextCursor ? (
        <p class="pager">
          <a href={`/audit/alerts?state=${state}&cursor=${list.nextCursor}`}>{words.older}</a>
        </p>
      ) : null}
    </Frame>
  );
}

function AlertTable({ c, cityTz, organisationName, list }: Common & { list: AlertList }) {
  const words = c.get('text').vigilance.alerts;
  return (
    <div class="scroll">
      <table class="fold">
        <caption>{words.title}</caption>
        <thead>
          <tr>
            <th scope="col">{words.rule}</th>
            <th scope="col">{words.severity}</th>
            <th scope="col">{words.department}</th>
            <th scope="col">{words.raisedAt}</th>
            <th scope="col">{words.deadline}</th>
            <th scope="col">{words.state}</th>
          </tr>
        </thead>
        <tbody>
          {list.items.map((alert) => (
            <tr>
              <td data-label={words.rule}>
                <a href={`/audit/alerts/${alert.id}`}>{alert.title[c.get('lang')]}</a>
              </td>
              <td data-label={words.severity}>{words.severities[alert.severity]}</td>
              <td data-label={words.department}>
                {alert.department === null ? '—' : organisationName(alert.department)}
              </td>
              <td data-label={words.raisedAt}>{showTime(alert.raisedAt, cityTz)}</td>
              <td data-label={words.deadline}>{showTime(alert.deadline, cityTz)}</td>
              <td data-label={words.state}>
                <AlertState c={c} alert={alert} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function AlertState({ c, alert }: { c: PageContext; alert: Alert }) {
  const words = c.get('text').vigilance.alerts;
  const tone = ({ new: 'warn', noted: 'warn', closed: 'good' } as const)[alert.state];
  return (
    <>
      <Tag tone={tone}>{words.states[alert.state]}</Tag>{' '}
      {alert.overdue ? <Tag tone="bad">{words.overdue}</Tag> : null}
    </>
  );
}

interface AlertProps extends Common {
  alert: Alert;
  values: Record<string, string>;
  error?: Told | undefined;
}

export function AlertPage(props: AlertProps) {
  const { c, cityTz, alert, error, organisationName } = props;
  const words = c.get('text').vigilance.alerts;
  const lang = c.get('lang');
  return (
    <Frame c={c} title={alert.title[lang]} at="audit">
      <p>
        <a href="/audit/alerts">{words.back}</a>
      </p>
      <h1>{alert.title[lang]}</h1>
      <p class="lead">{alert.text[lang]}</p>
      {error ? <ErrorSummary c={c} detail={error.detail} fields={error.fields} /> : null}
      <dl>
        <dt>{words.state}</dt>
        <dd>
          <AlertState c={c} alert={alert} />
        </dd>
        <dt>{words.severity}</dt>
        <dd>{words.severities[alert.severity]}</dd>
        <dt>{words.rule}</dt>
        <dd>
          <code>{`${alert.rule}@${alert.version}`}</code>{' '}
          <a href={`/audit/rules?rule=${alert.rule}`}>{words.replay}</a>
        </dd>
        <dt>{words.raisedAt}</dt>
        <dd>{showTime(alert.raisedAt, cityTz)}</dd>
        <dt>{words.deadline}</dt>
        <dd>{showTime(alert.deadline, cityTz)}</dd>
        <dt>{words.department}</dt>
        <dd>{alert.department === null ? '—' : organisationName(alert.department)}</dd>
        <dt>{words.actor}</dt>
        <dd>
          <code>{alert.actor?.slice(0, 12) ?? '—'}</code>
        </dd>
        <dt>{words.entry}</dt>
        <dd>
          {alert.index === null ? (
            words.pending
          ) : (
            <a href={`/audit/entries/${alert.index}`}>#{alert.index}</a>
          )}
        </dd>
      </dl>
      <h2>{words.evidence}</h2>
      <p class="muted">{words.evidenceLead}</p>
      <Indexes indexes={alert.evidence} />
      {alert.later.length > 0 ? (
        <>
          <h3>{words.later}</h3>
          <Indexes indexes={alert.later} />
        </>
      ) : null}
      <Acts {...props} />
    </Frame>
  );
}

function Indexes({ indexes }: { indexes: readonly number[] }) {
  if (indexes.length === 0) return <p class="muted">—</p>;
  return (
    <ul class="row plain">
      {indexes.map((index) => (
        <li>
          <a href={`/audit/entries/${index}`}>#{index}</a>
        </li>
      ))}
    </ul>
  );
}

function Acts({ c, cityTz, alert, values, error }: AlertProps) {
  const words = c.get('text').vigilance.alerts;
  const { note, closed } = alert;
  return (
    <>
      {note ? (
        <div class="notice">
          <p>{words.noted(note.by, showTime(note.at, cityTz))}</p>
          {note.text ? <p>{note.text}</p> : null}
        </div>
      ) : null}
      {closed ? (
        <div class="notice good">
          <p>
            <strong>{words.findings[closed.finding]}</strong> ·{' '}
            {words.closed(closed.by, showTime(closed.at, cityTz))}
          </p>
          {closed.text ? <p>{closed.text}</p> : null}
        </div>
      ) : (
        <>
          {alert.state === 'new' ? (
            <form method="post" action={`/audit/alerts/${alert.id}/note`} class="stack">
              <FormToken c={c} />
              <h2>{words.note}</h2>
              <Field
                name="note"
                within="take"
                label={words.noteText}
                hint={words.noteHint}
                value={values.act === 'note' ? values.note : ''}
                errors={values.act === 'note' ? error?.fields : undefined}
              />
              <button type="submit">{words.note}</button>
            </form>
          ) : null}
          <form method="post" action={`/audit/alerts/${alert.id}/close`} class="stack">
            <FormToken c={c} />
            <h2>{words.close}</h2>
            <Field
              name="finding"
              label={words.finding}
              value={values.finding}
              options={FINDINGS.map((value) => ({ value, label: words.findings[value] }))}
            />
            <Field
              name="note"
              label={words.noteText}
              hint={words.noteHint}
              value={values.act === 'close' ? values.note : ''}
              errors={values.act === 'close' ? error?.fields : undefined}
            />
            <button type="submit">{words.close}</button>
          </form>
        </>
      )}
    </>
  );
}

/** One entry of the log, as evidence: what it says, and the bytes that were hashed. */
export function EntryPage({ c, cityTz, organisationName, entry }: Common & { entry: AuditEntry }) {
  const text = c.get('text');
  const words = text.vigilance.entry;
  const title = `${words.title} #${entry.index}`;
  return (
    <Frame c={c} title={title} at="audit">
      <h1>{title}</h1>
      <dl>
        <dt>{words.at}</dt>
        <dd>{showTime(entry.at, cityTz)}</dd>
        <dt>{words.what}</dt>
        <dd>
          {eventWords(c, entry.type)} {entry.service ? <code>{entry.service}</code> : null}
        </dd>
        <dt>{text.vigilance.alerts.department}</dt>
        <dd>{entry.department === null ? '—' : organisationName(entry.department)}</dd>
        <dt>{text.vigilance.alerts.actor}</dt>
        <dd>
          <code>{entry.actor.slice(0, 12)}</code>
        </dd>
        <dt>{words.why}</dt>
        <dd>{entry.purpose ?? '—'}</dd>
        <dt>{words.caseId}</dt>
        <dd>{entry.caseId ?? '—'}</dd>
        <dt>{words.basis}</dt>
        <dd>{entry.legalBasis ?? '—'}</dd>
        <dt>{words.outcome}</dt>
        <dd>
          {text.outcomes[entry.outcome]} {entry.code ? <code>{entry.code}</code> : null}
        </dd>
      </dl>
      <details>
        <summary>{words.leaf}</summary>
        <pre class="mono scroll">{Buffer.from(entry.leaf, 'base64').toString('utf8')}</pre>
      </details>
      <p>
        <a href={`/v1/audit/entries/${entry.index}/receipt`}>{words.receipt}</a>
      </p>
    </Frame>
  );
}
