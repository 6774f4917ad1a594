// /audit/integrity: prove the log whole, or any range of it, by a run that goes on by itself.
import type { IntegrityRun, LogState } from '../oversight/index.ts';
import { accountName } from './audit-by-two.tsx';
import { AuditSections } from './audit-sections.tsx';
import { ErrorSummary, Field, FormToken, Frame, type PageContext, showTime, Tag } from './page.tsx';
import { WitnessLine } from './witness-line.tsx';
import type { Told } from './words.ts';

interface Common {
  c: PageContext;
  cityTz: string;
}

interface ListProps extends Common {
  log: LogState;
  runs: { items: IntegrityRun[] };
  values: Record<string, string>;
  error?: Told | undefined;
}

export function AuditIntegrityPage({ c, cityTz, log, runs, values, error }: ListProps) {
  const words = c.get('text').audit;
  return (
    <Frame c={c} title={words.integrity} at="audit">
      <h1>{words.integrity}</h1>
      <AuditSections c={c} at="/audit/integrity" />
      <p class="lead">{words.integrityText}</p>
      <WitnessLine c={c} log={log} />
      {log.checkpoint ? (
        <details>
          <summary>{words.head}</summary>
          <pre class="mono scroll">{log.checkpoint}</pre>
        </details>
      ) : null}
      {error ? <ErrorSummary c={c} detail={error.detail} fields={error.fields} /> : null}
      <form class="stack" method="post" action="/audit/integrity">
        <FormToken c={c} />
        <Field
          name="from"
          label={words.fromIndex}
          hint={words.rangeHint}
          value={values.from}
          inputmode="numeric"
          errors={error?.fields}
        />
        <Field
          name="to"
          label={words.toIndex}
          value={values.to}
          inputmode="numeric"
          errors={error?.fields}
        />
        <button class="quiet" type="submit">
          {words.run}
        </button>
      </form>
      <h2>{words.runs}</h2>
      {runs.items.length === 0 ? <p class="muted">{words.noRuns}</p> : null}
      <ul class="plain">
        {runs.items.map((run) => (
          <li>
            <a href={`/audit/integrity/${run.id}`}>{showTime(run.requestedAt, cityTz)}</a>{' '}
            <RunTag c={c} run={run} />
            <p class="muted">
              #{run.from} – #{run.to}
            </p>
          </li>
        ))}
      </ul>
    </Frame>
  );
}

function RunTag({ c, run }: { c: PageContext; run: IntegrityRun }) {
  const words = c.get('text').audit;
  if (run.state !== 'done') return <Tag tone="warn">{words.runStates[run.state]}</Tag>;
  return run.ok ? <Tag tone="good">{words.intact}</Tag> : <Tag tone="bad">{words.broken}</Tag>;
}

interface RunProps extends Common {
  run: IntegrityRun;
  error?: Told | undefined;
}

export function IntegrityRunPage({ c, cityTz, run, error }: RunProps) {
  const words = c.get('text').audit;
  const isRunning = run.state === 'running';
  return (
    <Frame c={c} title={words.integrity} at="audit" refreshSeconds={isRunning ? 2 : undefined}>
      <h1>{words.integrity}</h1>
      {error ? <ErrorSummary c={c} detail={error.detail} fields={error.fields} /> : null}
      <div class={run.ok ? 'notice good' : isRunning ? 'notice' : 'notice bad'} role="status">
        <p>
          <RunTag c={c} run={run} /> {words.checked}: {run.done} / {run.total}
        </p>
        {run.firstBadIndex === null ? null : (
          <p>
            <strong>
              {words.firstBad} #{run.firstBadIndex}
            </strong>
          </p>
        )}
        <ul>
          {run.faults.map((fault) => (
            <li>
              {fault.index === undefined ? '' : `#${fault.index}: `}
              {fault.what}
            </li>
          ))}
        </ul>
      </div>
      <dl>
        <dt>{words.range}</dt>
        <dd>
          #{run.from} – #{run.to}
        </dd>
        {run.root === null ? null : (
          <>
            <dt>{words.root}</dt>
            <dd>
              <code>{run.root}</code>
            </dd>
          </>
        )}
        <dt>{words.requestedBy}</dt>
        <dd>
          {accountName(run.requestedBy)} · {showTime(run.requestedAt, cityTz)}
        </dd>
      </dl>
      {isRunning ? (
        <form method="post" action={`/audit/integrity/${run.id}/cancel`}>
          <FormToken c={c} />
          <button class="quiet" type="submit">
            {words.cancel}
          </button>
        </form>
      ) : null}
      <p>
        <a href="/audit/integrity">{words.back}</a>
      </p>
    </Frame>
  );
}
