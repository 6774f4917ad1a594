// /audit/searches: searches kept under a name, run again with a reason of today.
import type { SavedSearch } from '../oversight/index.ts';
import { conditionName } from './audit-exports.tsx';
import { AuditSections } from './audit-sections.tsx';
import { ErrorSummary, Field, FormToken, Frame, type PageContext, showTime } from './page.tsx';
import type { Told } from './words.ts';

interface Props {
  c: PageContext;
  cityTz: string;
  list: { items: SavedSearch[]; nextCursor: string | null };
  /** The search whose form was refused. */
  refused?: { id: string; values: Record<string, string>; error: Told } | undefined;
}

export function SearchesPage({ c, cityTz, list, refused }: Props) {
  const text = c.get('text').audit;
  const words = text.searches;
  return (
    <Frame c={c} title={words.title} at="audit">
      <h1>{words.title}</h1>
      <p class="lead">{words.lead}</p>
      <AuditSections c={c} at="/audit/searches" />
      {refused ? (
        <ErrorSummary
          c={c}
          detail={refused.error.detail}
          fields={refused.error.fields}
          within={refused.id}
        />
      ) : null}
      {list.items.length === 0 ? <p class="muted">{words.none}</p> : null}
      <ul class="plain">
        {list.items.map((one) => (
          <li>
            <h2>{one.name}</h2>
            <p class="muted">
              {one.isByPerson ? `${text.byPerson} · ` : ''}
              {Object.entries(one.conditions)
                .map(([name, value]) => `${conditionName(c, name)}: ${value}`)
                .join(' · ')}
            </p>
            <p class="muted">
              {one.isShared ? words.shared : words.mine} · {words.lastRun}{' '}
              {one.lastRunAt ? showTime(one.lastRunAt, cityTz) : '—'}
            </p>
            <form class="row" method="post" action={`/audit/searches/${one.id}/run`}>
              <FormToken c={c} />
              <div class="grow">
                <Field
                  name="reason"
                  within={one.id}
                  label={text.reason}
                  value={refused?.id === one.id ? refused.values.reason : ''}
                  required={true}
                  errors={refused?.id === one.id ? refused.error.fields : undefined}
                />
              </div>
              <div class="field">
                <button type="submit">{words.run}</button>
              </div>
            </form>
            {one.isMine ? (
              <form method="post" action={`/audit/searches/${one.id}/delete`}>
                <FormToken c={c} />
                <button class="link" type="submit">
                  {words.delete}
                </button>
              </form>
            ) : null}
          </li>
        ))}
      </ul>
      {list.nextCursor ? (
        <p class="pager">
          <a href={`/audit/searches?cursor=${list.nextCursor}`}>{text.older}</a>
        </p>
      ) : null}
    </Frame>
  );
}
