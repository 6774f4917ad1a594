// /audit/replays: rules run over history, how far they are, and the difference to what was raised.
import type { Replay, ReplayResult, Vigilance } from '../oversight/index.ts';
import { AuditSections } from './audit-sections.tsx';
import { Frame, type PageContext, showTime, Tag } from './page.tsx';

type ReplayList = Awaited<ReturnType<Vigilance['listReplays']>>;

interface Common {
  c: PageContext;
  cityTz: string;
  organisationName: (id: string) => string;
}

export function ReplaysPage({ c, cityTz, list }: Common & { list: ReplayList }) {
  const text = c.get('text').vigilance;
  const words = text.replays;
  return (
    <Frame c={c} title={words.title} at="audit">
      <h1>{words.title}</h1>
      <p class="lead">{words.lead}</p>
      <AuditSections c={c} at="/audit/replays" />
      <p>
        <a href="/audit/rules#draft">{words.again}</a>
      </p>
      {list.items.length === 0 ? <p class="notice">{words.none}</p> : null}
      <ul class="plain">
        {list.items.map((replay) => (
          <li>
            <a href={`/audit/replays/${replay.id}`}>
              {replay.rule} · {showTime(replay.askedAt, cityTz)}
            </a>{' '}
            <ReplayState c={c} replay={replay} />
          </li>
        ))}
      </ul>
      {list.nextCursor ? (
        <p class="pager">
          <a href={`/audit/replays?cursor=${list.nextCursor}`}>{text.alerts.older}</a>
        </p>
      ) : null}
    </Frame>
  );
}

function ReplayState({ c, replay }: { c: PageContext; replay: Replay }) {
  const words = c.get('text').vigilance.replays;
  const tone = ({ queued: 'warn', running: 'warn', done: 'good', failed: 'bad' } as const)[
    replay.state
  ];
  return <Tag tone={tone}>{words.states[replay.state]}</Tag>;
}

export function ReplayPage(props: Common & { replay: ReplayResult }) {
  const { c, cityTz, replay } = props;
  const words = c.get('text').vigilance.replays;
  const { done, total } = replay.progress;
  const isPending = replay.state === 'queued' || replay.state === 'running';
  const { onlyFound, onlyRaised } = replay.difference;
  const title = `${words.title}: ${replay.rule}`;
  return (
    <Frame c={c} title={title} at="audit" refreshSeconds={isPending ? 2 : undefined}>
      <h1>{title}</h1>
      <AuditSections c={c} at="/audit/replays" />
      <p>
        <ReplayState c={c} replay={replay} />{' '}
        {replay.version === null ? words.draft : `@${replay.version}`} ·{' '}
        {words.period(showTime(replay.from, cityTz), showTime(replay.to, cityTz))}
      </p>
      <pre class="mono scroll">{replay.expression}</pre>
      <p>{words.progress(done, total)}</p>
      {isPending ? <p class="notice">{words.waiting}</p> : null}
      {replay.fault === null ? null : <p class="notice bad">{words.fault(replay.fault)}</p>}
      {replay.state === 'done' && onlyFound.length + onlyRaised.length === 0 ? (
        <p class="notice good">{words.same}</p>
      ) : null}
      <h2>{words.alarms}</h2>
      {replay.alarms.length === 0 ? (
        <p class="muted">{words.noAlarms}</p>
      ) : (
        <Alarms {...props} alarms={replay.alarms} caption={words.alarms} />
      )}
      {onlyFound.length > 0 ? (
        <>
          <h2>{words.onlyFound}</h2>
          <Alarms {...props} alarms={onlyFound} caption={words.onlyFound} />
        </>
      ) : null}
      {onlyRaised.length > 0 ? (
        <>
          <h2>{words.onlyRaised}</h2>
          <Alarms {...props} alarms={onlyRaised} caption={words.onlyRaised} />
        </>
      ) : null}
    </Frame>
  );
}

function Alarms({
  c,
  organisationName,
  alarms,
  caption,
}: Common & { alarms: ReplayResult['alarms']; caption: string }) {
  const text = c.get('text').vigilance;
  const words = text.replays;
  return (
    <div class="scroll">
      <table class="fold">
        <caption>{caption}</caption>
        <thead>
          <tr>
            <th scope="col">{words.day}</th>
            <th scope="col">{text.alerts.department}</th>
            <th scope="col">{text.alerts.actor}</th>
            <th scope="col">{words.look}</th>
            <th scope="col">{words.looks}</th>
            <th scope="col">{words.alert}</th>
          </tr>
        </thead>
        <tbody>
          {alarms.map((alarm) => (
            <tr>
              <td data-label={words.day}>{alarm.day}</td>
              <td data-label={text.alerts.department}>
                {alarm.department === null ? '—' : organisationName(alarm.department)}
              </td>
              <td data-label={text.alerts.actor}>
                <code>{alarm.actor?.slice(0, 12) ?? '—'}</code>
              </td>
              <td data-label={words.look}>
                <a href={`/audit/entries/${alarm.look}`}>#{alarm.look}</a>
              </td>
              <td data-label={words.looks}>{alarm.looks ?? '—'}</td>
              <td data-label={words.alert}>
                {alarm.alert === null ? (
                  '—'
                ) : (
                  <a href={`/audit/alerts/${alarm.alert}`}>{text.alerts.open1}</a>
                )}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
