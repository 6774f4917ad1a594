// /audit/unmaskings: who acted behind a pseudonym, asked by one auditor and approved by another.
import type { Unmasking } from '../oversight/index.ts';
import { AskedAndDecided, DecideOrWait } from './audit-by-two.tsx';
import { AuditSections } from './audit-sections.tsx';
import { ErrorSummary, Field, FormToken, Frame, type PageContext, showTime, Tag } from './page.tsx';
import type { Told } from './words.ts';

interface Common {
  c: PageContext;
  cityTz: string;
  organisationName: (id: string) => string;
}

interface ListProps extends Common {
  list: { items: Unmasking[]; nextCursor: string | null };
  values: Record<string, string>;
  error?: Told | undefined;
}

export function UnmaskingsPage(props: ListProps) {
  const { c, cityTz, list, values, error } = props;
  const words = c.get('text').audit.unmaskings;
  return (
    <Frame c={c} title={words.title} at="audit">
      <h1>{words.title}</h1>
      <p class="lead">{words.lead}</p>
      <AuditSections c={c} at="/audit/unmaskings" />
      {error ? <ErrorSummary c={c} detail={error.detail} fields={error.fields} /> : null}
      <form class="stack" method="post" action="/audit/unmaskings">
        <FormToken c={c} />
        <h2>{words.ask}</h2>
        <Field
          name="index"
          label={words.index}
          hint={words.indexHint}
          value={values.index}
          inputmode="numeric"
          required={true}
          errors={error?.fields}
        />
        <Field
          name="reason"
          label={words.reason}
          hint={words.reasonHint}
          value={values.reason}
          required={true}
          errors={error?.fields}
        />
        <button type="submit">{words.ask}</button>
      </form>
      <h2>{words.list}</h2>
      {list.items.length === 0 ? <p class="muted">{words.none}</p> : null}
      <ul class="plain">
        {list.items.map((one) => (
          <li>
            <a href={`/audit/unmaskings/${one.id}`}>
              #{one.index} · {showTime(one.requestedAt, cityTz)}
            </a>{' '}
            <StateTag c={c} one={one} />
            <p class="muted">{one.reason}</p>
          </li>
        ))}
      </ul>
      {list.nextCursor ? (
        <p class="pager">
          <a href={`/audit/unmaskings?cursor=${list.nextCursor}`}>{c.get('text').audit.older}</a>
        </p>
      ) : null}
    </Frame>
  );
}

function StateTag({ c, one }: { c: PageContext; one: Unmasking }) {
  const tone = ({ requested: 'warn', approved: 'good', refused: 'bad' } as const)[one.state];
  return <Tag tone={tone}>{c.get('text').audit.unmaskings.states[one.state]}</Tag>;
}

interface OneProps extends Common {
  unmasking: Unmasking;
  isOwn: boolean;
  error?: Told | undefined;
}

export function UnmaskingPage({ c, cityTz, organisationName, unmasking, isOwn, error }: OneProps) {
  const text = c.get('text').audit;
  const words = text.unmaskings;
  const { id, state, index, actor, department, officer, shownUntil } = unmasking;
  const isOpen = state === 'requested';
  return (
    <Frame c={c} title={words.one} at="audit">
      <h1>{words.one}</h1>
      <p>
        <StateTag c={c} one={unmasking} />
      </p>
      {error ? <ErrorSummary c={c} detail={error.detail} fields={error.fields} /> : null}
      {officer === null ? null : (
        <p class="notice good">
          {words.officer} <strong>{officer}</strong>
        </p>
      )}
      {state === 'approved' && officer === null ? <p class="notice">{words.over}</p> : null}
      <dl>
        <dt>{text.index}</dt>
        <dd>#{index}</dd>
        <dt>{text.actor}</dt>
        <dd>
          <code>{actor}</code>
        </dd>
        <dt>{text.department}</dt>
        <dd>{department === null ? '—' : organisationName(department)}</dd>
        <dt>{words.reason}</dt>
        <dd>{unmasking.reason}</dd>
        <AskedAndDecided c={c} cityTz={cityTz} one={unmasking} />
        {shownUntil ? (
          <>
            <dt>{words.shownUntil}</dt>
            <dd>{showTime(shownUntil, cityTz)}</dd>
          </>
        ) : null}
      </dl>
      {isOpen ? <DecideOrWait c={c} at={`/audit/unmaskings/${id}`} isOwn={isOwn} /> : null}
      <p>
        <a href="/audit/unmaskings">{text.back}</a>
      </p>
    </Frame>
  );
}
