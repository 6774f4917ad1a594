// What departments' systems and relying parties have in common on the operators' pages: a list of what is
// registered with what waits, and one of them with its state, keys, acts and history.
import type { Child } from 'hono/jsx';
import type { Client, ClientChange, ClientChangeKind, PartyChangeKind } from '../identity/index.ts';
import { Back, Changes, type ChangesProps } from './ops-client-changes.tsx';
import { Frame, type PageContext, showTime, Tag } from './page.tsx';

/** The list they stand in, and where a change of theirs leads back to. */
export type ClientList = '/ops/clients' | '/ops/parties';

interface ListProps extends Omit<ChangesProps, 'changes'> {
  at: ClientList;
  words: { title: string; lead: string; registered: string; register: string; none: string };
  waiting: ClientChange[];
  isEmpty: boolean;
  nextCursor: string | null;
  /** A line for each. */
  children?: Child;
}

/** All that are registered, after the changes that wait for a decision. */
export function RegisteredPage(props: ListProps) {
  const { c, at, words, waiting, isEmpty, nextCursor, children } = props;
  const common = c.get('text').clients;
  return (
    <Frame c={c} title={words.title} at="ops">
      <h1>{words.title}</h1>
      <p class="lead">{words.lead}</p>
      <h2>{common.waiting}</h2>
      {waiting.length === 0 ? <p class="muted">{common.noneWaiting}</p> : null}
      <Changes {...props} changes={waiting} />
      <h2>{words.registered}</h2>
      <p>
        <a href={`${at}/new`}>{words.register}</a>
      </p>
      {isEmpty ? <p class="muted">{words.none}</p> : null}
      <ul class="plain">{children}</ul>
      {nextCursor ? (
        <p class="pager">
          <a href={`${at}?cursor=${encodeURIComponent(nextCursor)}`}>{common.next}</a>
        </p>
      ) : null}
    </Frame>
  );
}

interface OneProps extends ChangesProps {
  at: ClientList;
  title: string;
  registered: Pick<Client, 'id' | 'state' | 'heldUntil' | 'keys'>;
  rows: [string, Child][];
  /** What an operator may propose of it as it is. */
  possible: readonly (ClientChangeKind | PartyChangeKind)[];
  /** What only one of its sort has. */
  children?: Child;
}

/** One of them. */
export function RegisteredOnePage(props: OneProps) {
  const { c, at, title, registered, rows, possible, children, cityTz } = props;
  const words = c.get('text').clients;
  return (
    <Frame c={c} title={title} at="ops">
      <h1>{title}</h1>
      <p>
        <StateTag c={c} state={registered.state} />
      </p>
      {registered.heldUntil ? (
        <p class="notice bad">
          {words.heldUntil} {showTime(registered.heldUntil, cityTz)}
        </p>
      ) : null}
      <dl>
        {rows.map(([term, value]) => (
          <>
            <dt>{term}</dt>
            <dd>{value}</dd>
          </>
        ))}
      </dl>
      <h2>{words.keys}</h2>
      <p class="hint">{words.thumbprintHint}</p>
      <Keys c={c} keys={registered.keys} cityTz={cityTz} />
      {children}
      <h2>{words.acts}</h2>
      <ul class="plain">
        {possible.map((kind) => (
          <li>
            <a href={`${at}/${registered.id}/${kind}`}>{words.kinds[kind]}</a>
            <p class="muted">{words.kindLeads[kind]}</p>
          </li>
        ))}
      </ul>
      <h2>{words.history}</h2>
      <Changes {...props} />
      <Back c={c} to={at} />
    </Frame>
  );
}

export function StateTag({ c, state }: { c: PageContext; state: Client['state'] }) {
  const tone = ({ active: 'good', held: 'warn', suspended: 'bad' } as const)[state];
  return <Tag tone={tone}>{c.get('text').clients.states[state]}</Tag>;
}

function Keys({ c, keys, cityTz }: { c: PageContext; keys: Client['keys']; cityTz: string }) {
  const words = c.get('text').clients;
  return (
    <div class="scroll">
      <table class="fold">
        <thead>
          <tr>
            <th scope="col">{words.kid}</th>
            <th scope="col">{words.thumbprint}</th>
            <th scope="col">{words.addedAt}</th>
            <th scope="col">{words.endsAt}</th>
          </tr>
        </thead>
        <tbody>
          {keys.map((key) => (
            <tr>
              <td data-label={words.kid}>
                <code>{key.kid}</code>
              </td>
              <td data-label={words.thumbprint}>
                <code>{key.thumbprint}</code>
              </td>
              <td data-label={words.addedAt}>{showTime(key.addedAt, cityTz)}</td>
              <td data-label={words.endsAt}>
                {key.endsAt ? showTime(key.endsAt, cityTz) : words.noEnd}{' '}
                {key.serves ? null : <Tag tone="bad">{words.ended}</Tag>}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
