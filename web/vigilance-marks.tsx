// /audit/watch-list: whom the rules watch over, and which person an officer is; digests, never names.
import type { Vigilance } from '../oversight/index.ts';
import { AuditSections } from './audit-sections.tsx';
import { ErrorSummary, Field, FormToken, Frame, type PageContext, showTime } from './page.tsx';
import type { Told } from './words.ts';

interface MarksProps {
  c: PageContext;
  cityTz: string;
  departments: { id: string; name: string }[];
  list: Awaited<ReturnType<Vigilance['listMarks']>>;
  values: Record<string, string>;
  error?: Told | undefined;
}

export function MarksPage({ c, cityTz, departments, list, values, error }: MarksProps) {
  const text = c.get('text').vigilance;
  const words = text.marks;
  const errors = error?.fields;
  return (
    <Frame c={c} title={words.title} at="audit">
      <h1>{words.title}</h1>
      <p class="lead">{words.lead}</p>
      <AuditSections c={c} at="/audit/watch-list" />
      {error ? <ErrorSummary c={c} detail={error.detail} fields={errors} /> : null}
      {list.items.length === 0 ? <p class="notice">{words.none}</p> : null}
      <ul class="plain">
        {list.items.map((mark) => (
          <li>
            <strong>{words.kinds[mark.kind]}</strong>{' '}
            {mark.officer ? <code>{mark.officer}</code> : null}
            <p class="muted">
              {mark.reason} · {words.by(mark.addedBy, showTime(mark.addedAt, cityTz))}
            </p>
            <form method="post" action={`/audit/watch-list/${mark.id}/remove`}>
              <FormToken c={c} />
              <button class="quiet" type="submit">
                {words.remove}
              </button>
            </form>
          </li>
        ))}
      </ul>
      {list.nextCursor ? (
        <p class="pager">
          <a href={`/audit/watch-list?cursor=${list.nextCursor}`}>{text.alerts.older}</a>
        </p>
      ) : null}
      <form method="post" action="/audit/watch-list" class="stack">
        <FormToken c={c} />
        <h2>{words.add}</h2>
        <Field
          name="kind"
          label={words.kind}
          value={values.kind}
          options={(['listed', 'officer'] as const).map((value) => ({
            value,
            label: words.kinds[value],
          }))}
        />
        <Field
          name="subject-value"
          label={words.subject}
          value={values['subject-value']}
          required={true}
          errors={errors}
        />
        <Field
          name="department"
          label={words.department}
          value={values.department}
          options={[
            { value: '', label: '—' },
            ...departments.map(({ id, name }) => ({ value: id, label: name })),
          ]}
        />
        <Field name="officer" label={words.officer} value={values.officer} errors={errors} />
        <Field
          name="reason"
          label={words.reason}
          hint={words.reasonHint}
          value={values.reason}
          required={true}
          errors={errors}
        />
        <button type="submit">{words.add}</button>
      </form>
    </Frame>
  );
}
