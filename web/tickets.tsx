// Questions about looks as each side sees them: who asks on /me, who answers on /desk, auditors.
import type { Ticket, TicketCase, UnmaskingNotice } from '../oversight/index.ts';
import { AuditSections } from './audit-sections.tsx';
import { ErrorSummary, FormToken, Frame, type PageContext, showTime, Tag } from './page.tsx';
import { TextField } from './text-field.tsx';
import { eventWords, type Told } from './words.ts';

interface Common {
  c: PageContext;
  cityTz: string;
}

const tones = {
  open: 'warn',
  overdue: 'bad',
  answered: 'good',
  escalated: 'bad',
  concluded: 'good',
  closed: 'warn',
} as const satisfies Record<Ticket['state'], 'good' | 'bad' | 'warn'>;

function StateTag({ c, ticket }: { c: PageContext; ticket: Ticket }) {
  return <Tag tone={tones[ticket.state]}>{c.get('text').tickets.states[ticket.state]}</Tag>;
}

export type TicketList = { items: Ticket[]; nextCursor: string | null };

function List({
  c,
  cityTz,
  list,
  base,
  none,
}: Common & { list: TicketList; base: string; none: string }) {
  const words = c.get('text').tickets;
  return (
    <>
      {list.items.length === 0 ? <p class="muted">{none}</p> : null}
      <ul class="plain">
        {list.items.map((ticket) => (
          <li>
            <a href={`${base}/${ticket.id}`}>
              #{ticket.index} · {showTime(ticket.askedAt, cityTz)}
            </a>{' '}
            <StateTag c={c} ticket={ticket} />
            <p class="muted">
              {ticket.department.name} · {words.dueAt} {showTime(ticket.dueAt, cityTz)}
            </p>
          </li>
        ))}
      </ul>
      {list.nextCursor ? (
        <p class="pager">
          <a href={`${base}?cursor=${list.nextCursor}`}>{words.older}</a>
        </p>
      ) : null}
    </>
  );
}

/** What was said, in its order. */
function Said({ c, cityTz, ticket }: Common & { ticket: Ticket }) {
  const words = c.get('text').tickets;
  const said: [string, string | null, string | null][] = [
    [words.question, ticket.question, ticket.askedAt],
    [words.answer, ticket.answer, ticket.answeredAt],
    [words.complaint, ticket.complaint, ticket.complainedAt],
    [words.conclusion, ticket.conclusion, ticket.concludedAt],
  ];
  return (
    <>
      {said.map(([title, text, at]) =>
        at === null ? null : (
          <section class="card">
            <h2>{title}</h2>
            <p class="muted">{showTime(at, cityTz)}</p>
            <p>{text ?? words.noText}</p>
          </section>
        ),
      )}
    </>
  );
}

export function OwnTicketsPage({ c, cityTz, list }: Common & { list: TicketList }) {
  const words = c.get('text').tickets;
  return (
    <Frame c={c} title={words.own} at="me">
      <h1>{words.own}</h1>
      <p class="lead">{words.ownLead}</p>
      <List c={c} cityTz={cityTz} list={list} base="/me/tickets" none={words.noneOwn} />
      <p>
        <a href="/me#looks">{words.backToMe}</a>
      </p>
    </Frame>
  );
}

interface AskProps extends Common {
  index: number;
  values: Record<string, string>;
  error?: Told | undefined;
}

export function AskTicketPage({ c, index, values, error }: AskProps) {
  const words = c.get('text').tickets;
  return (
    <Frame c={c} title={words.ask} at="me">
      <h1>
        {words.ask} #{index}
      </h1>
      <p class="lead">{words.askLead}</p>
      {error ? <ErrorSummary c={c} detail={error.detail} fields={error.fields} /> : null}
      <form class="stack" method="post" action="/me/tickets">
        <FormToken c={c} />
        <input type="hidden" name="index" value={String(index)} />
        <TextField
          name="text"
          label={words.question}
          hint={words.textHint}
          value={values.text}
          required={true}
          errors={error?.fields}
        />
        <button type="submit">{words.send}</button>
      </form>
      <p>
        <a href="/me#looks">{words.backToMe}</a>
      </p>
    </Frame>
  );
}

interface OwnProps extends Common {
  ticket: Ticket;
  values: Record<string, string>;
  error?: Told | undefined;
}

export function OwnTicketPage({ c, cityTz, ticket, values, error }: OwnProps) {
  const words = c.get('text').tickets;
  return (
    <Frame c={c} title={words.one} at="me">
      <h1>
        {words.one} #{ticket.index}
      </h1>
      <p>
        <StateTag c={c} ticket={ticket} /> {ticket.department.name}
      </p>
      {error ? <ErrorSummary c={c} detail={error.detail} fields={error.fields} /> : null}
      <p class="notice">
        {words.next[ticket.state]}{' '}
        {ticket.state === 'open' ? `${words.dueAt} ${showTime(ticket.dueAt, cityTz)}` : ''}
      </p>
      <Said c={c} cityTz={cityTz} ticket={ticket} />
      {ticket.state === 'answered' ? (
        <form class="stack" method="post" action={`/me/tickets/${ticket.id}/not-satisfied`}>
          <FormToken c={c} />
          <h2>{words.notSatisfied}</h2>
          <TextField
            name="text"
            label={words.complaint}
            hint={words.complaintHint}
            value={values.text}
            errors={error?.fields}
          />
          <button type="submit">{words.notSatisfied}</button>
        </form>
      ) : null}
      <p>
        <a href="/me/tickets">{words.back}</a>
      </p>
    </Frame>
  );
}

interface DeskProps extends Common {
  list: TicketList;
  notices: { items: UnmaskingNotice[] };
}

export function DeskTicketsPage({ c, cityTz, list, notices }: DeskProps) {
  const words = c.get('text').tickets;
  return (
    <Frame c={c} title={words.desk} at="desk">
      <h1>{words.desk}</h1>
      <p class="lead">{words.deskLead}</p>
      <List c={c} cityTz={cityTz} list={list} base="/desk/tickets" none={words.noneDesk} />
      <h2>{words.notices}</h2>
      <p class="muted">{words.noticesLead}</p>
      {notices.items.length === 0 ? <p class="muted">{words.noNotices}</p> : null}
      <ul class="plain">
        {notices.items.map((notice) => (
          <li>
            #{notice.index} · {showTime(notice.at, cityTz)}
            <p class="muted">
              {words.unmaskedAt} {showTime(notice.unmaskedAt, cityTz)}
              {notice.verification === undefined ? '' : ` · ${notice.verification}`}
            </p>
          </li>
        ))}
      </ul>
    </Frame>
  );
}

export function AuditTicketsPage({ c, cityTz, list }: Common & { list: TicketList }) {
  const words = c.get('text').tickets;
  return (
    <Frame c={c} title={words.audit} at="audit">
      <h1>{words.audit}</h1>
      <p class="lead">{words.auditLead}</p>
      <AuditSections c={c} at="/audit/tickets" />
      <List c={c} cityTz={cityTz} list={list} base="/audit/tickets" none={words.noneAudit} />
    </Frame>
  );
}

interface CaseProps extends Common {
  at: 'desk' | 'audit';
  ticket: TicketCase;
  serviceName: (id: string) => string;
  values: Record<string, string>;
  error?: Told | undefined;
}

/** The ticket with the look it is about, and the form of who has the next word. */
export function TicketCasePage(props: CaseProps) {
  const { c, cityTz, at, ticket, serviceName, values, error } = props;
  const text = c.get('text');
  const words = text.tickets;
  const { look } = ticket;
  const mayAnswer =
    at === 'desk' && ticket.answeredAt === null && !['closed', 'concluded'].includes(ticket.state);
  const mayConclude = at === 'audit' && ticket.state === 'escalated';
  const base = `/${at}/tickets`;
  return (
    <Frame c={c} title={words.one} at={at}>
      <h1>
        {words.one} #{ticket.index}
      </h1>
      <p>
        <StateTag c={c} ticket={ticket} />
      </p>
      {error ? <ErrorSummary c={c} detail={error.detail} fields={error.fields} /> : null}
      <dl>
        <dt>{text.me.when}</dt>
        <dd>{showTime(look.at, cityTz)}</dd>
        <dt>{text.me.who}</dt>
        <dd>{ticket.department.name}</dd>
        <dt>{text.me.what}</dt>
        <dd>
          {look.service === undefined ? '' : `${serviceName(look.service)} · `}
          {eventWords(c, look.type)}
        </dd>
        <dt>{text.me.why}</dt>
        <dd>{look.purpose ?? '—'}</dd>
        <dt>{words.caseId}</dt>
        <dd>{look.caseId ?? '—'}</dd>
        {look.verification === undefined ? null : (
          <>
            <dt>{words.verification}</dt>
            <dd>
              <code>{look.verification}</code>
            </dd>
          </>
        )}
        <dt>{words.dueAt}</dt>
        <dd>{showTime(ticket.dueAt, cityTz)}</dd>
      </dl>
      <Said c={c} cityTz={cityTz} ticket={ticket} />
      {mayAnswer || mayConclude ? (
        <form
          class="stack"
          method="post"
          action={`${base}/${ticket.id}/${mayAnswer ? 'answer' : 'conclude'}`}
        >
          <FormToken c={c} />
          <TextField
            name="text"
            label={mayAnswer ? words.answer : words.conclusion}
            hint={words.textHint}
            value={values.text}
            required={true}
            errors={error?.fields}
          />
          <button type="submit">{mayAnswer ? words.sendAnswer : words.sendConclusion}</button>
        </form>
      ) : null}
      <p>
        <a href={base}>{words.back}</a>
      </p>
    </Frame>
  );
}
