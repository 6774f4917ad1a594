// Erasures and legal holds as operators see them: what waits, what was done, and by whom. Whom they are
// about stands on no page.
import type { Erasure, HoldAct, LegalHold } from '../oversight/index.ts';
import { ErrorSummary, Field, FormToken, Frame, type PageContext, showTime, Tag } from './page.tsx';
import type { Told } from './words.ts';

interface Common {
  c: PageContext;
  cityTz: string;
}

interface ErasuresProps extends Common {
  erasures: { items: Erasure[]; nextCursor: string | null };
  holds: { items: LegalHold[]; nextCursor: string | null };
  /** The form that was refused: asking for an erasure, or placing a hold. */
  refused?: { form: 'request' | 'hold'; values: Record<string, string>; error: Told } | undefined;
}

export function ErasuresPage(props: ErasuresProps) {
  const { c, cityTz, erasures, holds, refused } = props;
  const words = c.get('text').erasures;
  return (
    <Frame c={c} title={words.title} at="ops">
      <h1>{words.title}</h1>
      <p class="lead">{words.lead}</p>
      {refused ? (
        <ErrorSummary
          c={c}
          detail={refused.error.detail}
          fields={fieldsOf(refused.error)}
          within={refused.form}
        />
      ) : null}
      <h2>{words.list}</h2>
      {erasures.items.length === 0 ? <p class="muted">{words.none}</p> : null}
      <ul class="plain">
        {erasures.items.map((erasure) => (
          <li>
            <a href={`/ops/erasures/${erasure.id}`}>{showTime(erasure.requestedAt, cityTz)}</a>{' '}
            <ErasureTag c={c} erasure={erasure} />
            <p class="muted">
              {words.requestedBy} {erasure.requestedBy}
            </p>
          </li>
        ))}
      </ul>
      {erasures.nextCursor ? (
        <p class="pager">
          <a href={`/ops/erasures?cursor=${erasures.nextCursor}`}>{words.next}</a>
        </p>
      ) : null}
      <SubjectForm {...props} form="request" action="/ops/erasures" button={words.request} />
      <h2>{words.holds}</h2>
      <p class="muted">{words.holdsLead}</p>
      {holds.items.length === 0 ? <p class="muted">{words.noHolds}</p> : null}
      <ul class="plain">
        {holds.items.map((hold) => (
          <li>
            <a href={`/ops/erasures/holds/${hold.id}`}>{showTime(hold.placedAt, cityTz)}</a>{' '}
            <HoldTag c={c} hold={hold} />
            <p class="muted">
              {words.placedBy} {hold.placedBy}
            </p>
          </li>
        ))}
      </ul>
      <SubjectForm {...props} form="hold" action="/ops/erasures/holds" button={words.place} />
    </Frame>
  );
}

function SubjectForm(
  props: ErasuresProps & { form: 'request' | 'hold'; action: string; button: string },
) {
  const { c, refused, form, action, button } = props;
  const mine = refused?.form === form ? refused : undefined;
  return (
    <form class="stack" method="post" action={action}>
      <FormToken c={c} />
      <h3>{button}</h3>
      <SubjectField c={c} within={form} error={mine?.error} />
      <ReasonField c={c} within={form} value={mine?.values.reason} error={mine?.error} />
      <button type="submit">{button}</button>
    </form>
  );
}

/** Never filled in again: a page keeps no number. */
function SubjectField({
  c,
  within,
  error,
}: {
  c: PageContext;
  within?: string;
  error: Told | undefined;
}) {
  const words = c.get('text').erasures;
  return (
    <Field
      name="value"
      within={within}
      label={words.subject}
      hint={words.subjectHint}
      required={true}
      errors={error && fieldsOf(error)}
    />
  );
}

function ReasonField(props: {
  c: PageContext;
  within?: string;
  value: string | undefined;
  error: Told | undefined;
}) {
  const words = props.c.get('text').erasures;
  return (
    <Field
      name="reason"
      within={props.within}
      label={words.reason}
      hint={words.reasonHint}
      value={props.value}
      required={true}
      errors={props.error && fieldsOf(props.error)}
    />
  );
}

/** Where a refusal points to the number, in whichever form the act got it. */
function fieldsOf({ fields }: Told) {
  return fields?.map(({ pointer, detail }) => ({
    pointer: pointer.endsWith('/value') ? '/value' : pointer,
    detail,
  }));
}

function ErasureTag({ c, erasure }: { c: PageContext; erasure: Erasure }) {
  const tone = ({ requested: 'warn', refused: 'bad', destroyed: 'warn', done: 'good' } as const)[
    erasure.state
  ];
  return <Tag tone={tone}>{c.get('text').erasures.states[erasure.state]}</Tag>;
}

function HoldTag({ c, hold }: { c: PageContext; hold: LegalHold }) {
  const tone = hold.state === 'lifted' ? 'good' : 'warn';
  return <Tag tone={tone}>{c.get('text').erasures.holdStates[hold.state]}</Tag>;
}

interface ErasureProps extends Common {
  erasure: Erasure;
  values: Record<string, string>;
  error?: Told | undefined;
}

export function ErasurePage({ c, cityTz, erasure, values, error }: ErasureProps) {
  const words = c.get('text').erasures;
  const isOwn = c.get('actor').officerKey === erasure.requestedBy;
  const isOpen = erasure.state === 'requested';
  return (
    <Frame c={c} title={words.one} at="ops">
      <h1>{words.one}</h1>
      <p>
        <ErasureTag c={c} erasure={erasure} />
      </p>
      {error ? <ErrorSummary c={c} detail={error.detail} fields={fieldsOf(error)} /> : null}
      {erasure.state === 'destroyed' ? <p class="notice">{words.settling}</p> : null}
      <dl>
        <dt>{words.requestedBy}</dt>
        <dd>
          {erasure.requestedBy} · {showTime(erasure.requestedAt, cityTz)}
        </dd>
        {erasure.decidedBy && erasure.decidedAt ? (
          <>
            <dt>{words.decidedBy}</dt>
            <dd>
              {erasure.decidedBy} · {showTime(erasure.decidedAt, cityTz)}
            </dd>
          </>
        ) : null}
        {erasure.entries === null ? null : (
          <>
            <dt>{words.entries}</dt>
            <dd>{erasure.entries}</dd>
          </>
        )}
        {erasure.doneAt ? (
          <>
            <dt>{words.doneAt}</dt>
            <dd>{showTime(erasure.doneAt, cityTz)}</dd>
          </>
        ) : null}
      </dl>
      {isOpen && isOwn ? <p class="notice">{words.own}</p> : null}
      {isOpen && !isOwn ? (
        <>
          <form class="stack" method="post" action={`/ops/erasures/${erasure.id}/approve`}>
            <FormToken c={c} />
            <p class="notice bad">{words.final}</p>
            <SubjectField c={c} error={error} />
            <button type="submit">{words.approve}</button>
          </form>
          <form class="stack" method="post" action={`/ops/erasures/${erasure.id}/refuse`}>
            <FormToken c={c} />
            <ReasonField c={c} value={values.reason} error={error} />
            <button type="submit">{words.refuse}</button>
          </form>
        </>
      ) : null}
      <Back c={c} />
    </Frame>
  );
}

interface HoldProps extends Common {
  hold: LegalHold;
  values: Record<string, string>;
  error?: Told | undefined;
}

export function HoldPage({ c, cityTz, hold, values, error }: HoldProps) {
  const words = c.get('text').erasures;
  const me = c.get('actor').officerKey;
  const acts: HoldAct[] = [];
  if (hold.state === 'placed' && me !== hold.placedBy) acts.push('confirm');
  if (hold.state === 'placed' || hold.state === 'confirmed') acts.push('ask_lift');
  if (hold.state === 'lift_asked' && me !== hold.liftAskedBy) acts.push('lift');
  const rows: [string, string | null][] = [
    [words.placedBy, `${hold.placedBy} · ${showTime(hold.placedAt, cityTz)}`],
    [words.confirmedBy, hold.confirmedBy],
    [words.liftAskedBy, hold.liftAskedBy],
    [words.liftedBy, hold.liftedBy],
  ];
  return (
    <Frame c={c} title={words.oneHold} at="ops">
      <h1>{words.oneHold}</h1>
      <p>
        <HoldTag c={c} hold={hold} />
      </p>
      {error ? <ErrorSummary c={c} detail={error.detail} fields={fieldsOf(error)} /> : null}
      <dl>
        {rows.map(([term, value]) =>
          value === null ? null : (
            <>
              <dt>{term}</dt>
              <dd>{value}</dd>
            </>
          ),
        )}
      </dl>
      {acts.length === 0 && hold.state !== 'lifted' ? <p class="notice">{words.own}</p> : null}
      {acts.length > 0 ? (
        <form class="stack" method="post" action={`/ops/erasures/holds/${hold.id}`}>
          <FormToken c={c} />
          <ReasonField c={c} value={values.reason} error={error} />
          <div class="row">
            {acts.map((act) => (
              <button type="submit" name="act" value={act}>
                {words.holdActs[act]}
              </button>
            ))}
          </div>
        </form>
      ) : null}
      <Back c={c} />
    </Frame>
  );
}

function Back({ c }: { c: PageContext }) {
  return (
    <p>
      <a href="/ops/erasures">{c.get('text').erasures.back}</a>
    </p>
  );
}
