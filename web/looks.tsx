// Who looked at one's data, on /me: narrowed, paged, taken out, and each look to be asked about.
import type { Oversight } from '../oversight/index.ts';
import { ErrorSummary, Field, type PageContext, showTime, Tag } from './page.tsx';
import { eventWords, roleWords, type Told } from './words.ts';

type AccessLog = Awaited<ReturnType<Oversight['accessLog']>>;

export interface LooksProps {
  c: PageContext;
  cityTz: string;
  accessLog: AccessLog;
  noLooks: string;
  /** What the looks are narrowed by, as the form has it. */
  filters: Record<string, string>;
  departments: { id: string; name: string }[];
  services: { id: string; name: string }[];
  error?: Told | undefined;
  /** What was asked about, by the index of the entry. */
  tickets: ReadonlyMap<number, { id: string }>;
  /** An agent sees, but neither asks nor takes out. */
  mayAsk: boolean;
}

export function LooksSection(props: LooksProps) {
  const { c, accessLog, filters, noLooks } = props;
  const words = c.get('text').me;
  const isNarrowed = Object.keys(filters).length > 0;
  return (
    <>
      <LookFilters {...props} />
      {accessLog.items.length === 0 ? (
        <p class="muted">{isNarrowed ? words.noneFound : noLooks}</p>
      ) : (
        <Looks {...props} />
      )}
      {accessLog.nextCursor ? (
        <p class="pager">
          <a
            href={`/me?${new URLSearchParams({ ...filters, cursor: accessLog.nextCursor })}#looks`}
          >
            {words.older}
          </a>
        </p>
      ) : null}
    </>
  );
}

function LookFilters({ c, filters, departments, services, error, mayAsk }: LooksProps) {
  const words = c.get('text').me;
  const any = { value: '', label: words.any };
  const named = (things: { id: string; name: string }[]) =>
    things.map(({ id, name }) => ({ value: id, label: name }));
  return (
    <details open={Object.keys(filters).length > 0 || error !== undefined}>
      <summary>{words.filter}</summary>
      {error ? <ErrorSummary c={c} detail={error.detail} fields={error.fields} /> : null}
      <form class="stack" method="get" action="/me#looks">
        <Field
          name="from"
          type="date"
          label={words.from}
          value={filters.from}
          errors={error?.fields}
        />
        <Field name="to" type="date" label={words.to} value={filters.to} errors={error?.fields} />
        <Field
          name="department"
          label={words.who}
          value={filters.department}
          options={[any, ...named(departments)]}
        />
        <Field
          name="service"
          label={words.what}
          value={filters.service}
          options={[any, ...named(services)]}
        />
        <button type="submit">{words.show}</button>
      </form>
      {mayAsk ? (
        <p>
          {words.takeOut} <a href="/me/export?format=json">JSON</a>
          {' · '}
          <a href="/me/export?format=csv">CSV</a>
          {' · '}
          <a href="/me/export?format=bundle">{words.bundle}</a>
        </p>
      ) : null}
    </details>
  );
}

function Looks({ c, accessLog, cityTz, tickets, mayAsk }: LooksProps) {
  const text = c.get('text');
  const words = text.me;
  return (
    <div class="scroll">
      <table class="fold">
        <thead>
          <tr>
            <th scope="col">{words.when}</th>
            <th scope="col">{words.who}</th>
            <th scope="col">{words.what}</th>
            <th scope="col">{words.why}</th>
            <th scope="col">{words.outcome}</th>
            <th scope="col">{words.receipt}</th>
          </tr>
        </thead>
        <tbody>
          {accessLog.items.map((look) => (
            <tr>
              <td data-label={words.when}>{showTime(look.at, cityTz)}</td>
              <td data-label={words.who}>
                {look.department?.name ?? ''} <span class="muted">{roleWords(c, look.role)}</span>
              </td>
              <td data-label={words.what}>
                {look.service === undefined ? null : (
                  <>
                    {look.question ?? look.service}
                    <br />
                  </>
                )}
                <span class={look.service === undefined ? undefined : 'muted'}>
                  {eventWords(c, look.type)}
                </span>
              </td>
              <td data-label={words.why}>
                {look.purpose ?? ''}
                <br />
                <span class="muted">{look.legalBasis?.citation ?? ''}</span>
              </td>
              <td data-label={words.outcome}>
                <Tag tone={look.outcome === 'ok' ? 'good' : 'warn'}>
                  {text.outcomes[look.outcome]}
                </Tag>
                {look.answerKind === 'none' && look.outcome === 'ok' ? null : (
                  <>
                    <br />
                    <span class="muted">{text.answerKinds[look.answerKind]}</span>
                  </>
                )}
              </td>
              <td data-label={words.receipt}>
                <a href={`/me/receipts/${look.index}`}>#{look.index}</a>
                <AskLink c={c} look={look} tickets={tickets} mayAsk={mayAsk} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** The way to ask about a look, or to what was asked. */
function AskLink({
  c,
  look,
  tickets,
  mayAsk,
}: Pick<LooksProps, 'c' | 'tickets' | 'mayAsk'> & { look: AccessLog['items'][number] }) {
  const words = c.get('text').tickets;
  const ticket = tickets.get(look.index);
  if (!ticket && (!mayAsk || look.department.id === null)) return null;
  return (
    <>
      <br />
      {ticket ? (
        <a href={`/me/tickets/${ticket.id}`}>{words.one}</a>
      ) : (
        <a href={`/me/tickets/new?index=${look.index}`}>{words.askLink}</a>
      )}
    </>
  );
}
