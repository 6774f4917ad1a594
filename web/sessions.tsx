// Where I am signed in: each running session, and how to end it.
import type { OwnSession } from '../identity/index.ts';
import { FormToken, Frame, type PageContext, showTime, Tag } from './page.tsx';

interface SessionsProps {
  c: PageContext;
  at: 'me' | 'desk';
  sessions: OwnSession[];
  cityTz: string;
}

export function SessionsPage({ c, at, sessions, cityTz }: SessionsProps) {
  const words = c.get('text').sessions;
  const hasEnded = c.req.query('ended') !== undefined;
  const others = sessions.filter(({ isCurrent }) => !isCurrent);
  return (
    <Frame c={c} title={words.title} at={at}>
      <h1>{words.title}</h1>
      <p class="lead">{words.lead}</p>
      {at === 'desk' ? (
        <p>
          <a href="/desk/passkeys">{c.get('text').passkeys.title}</a>
        </p>
      ) : null}
      {hasEnded ? (
        <p class="notice good" role="status">
          {words.ended}
        </p>
      ) : null}
      <ul class="cards">
        {sessions.map((session) => (
          <SessionCard c={c} at={at} session={session} cityTz={cityTz} />
        ))}
      </ul>
      {others.length === 0 ? <p class="muted">{words.noOthers}</p> : null}
      <form method="post" action={`/${at}/sessions`} class="row">
        <FormToken c={c} />
        {others.length > 0 ? (
          <button type="submit" name="where" value="elsewhere">
            {words.endOthers}
          </button>
        ) : null}
        <button type="submit" name="where" value="everywhere" class="quiet">
          {words.endAll}
        </button>
      </form>
    </Frame>
  );
}

function SessionCard({
  c,
  at,
  session,
  cityTz,
}: Omit<SessionsProps, 'sessions'> & { session: OwnSession }) {
  const words = c.get('text').sessions;
  const name = (names: Record<string, string>, key: string) => names[key] ?? words.unknown;
  const { browser, system } = session.device;
  return (
    <li class="card">
      <h2>
        {name(words.browsers, browser)} · {name(words.systems, system)}
      </h2>
      {session.isCurrent ? <Tag tone="good">{words.here}</Tag> : null}
      <dl>
        <dt>{words.since}</dt>
        <dd>{showTime(session.since, cityTz)}</dd>
        <dt>{words.lastSeen}</dt>
        <dd>{showTime(session.lastSeen, cityTz)}</dd>
        <dt>{words.signedInBy}</dt>
        <dd>{words.methods[session.method]}</dd>
        <dt>{words.assurance}</dt>
        <dd>{words.assurances[session.assurance]}</dd>
      </dl>
      {session.isCurrent ? null : (
        <form method="post" action={`/${at}/sessions/${session.id}`}>
          <FormToken c={c} />
          <button type="submit" class="quiet">
            {words.end}
          </button>
        </form>
      )}
    </li>
  );
}
