// Is this list whole? What the proof says in plain words, and the proof to keep.
import type { LogState, Oversight } from '../oversight/index.ts';
import { Frame, type PageContext, showTime } from './page.tsx';
import { WitnessLine } from './witness-line.tsx';

type Proven = Awaited<ReturnType<Oversight['completeness']>>;

interface CompletenessProps {
  c: PageContext;
  /** Null while the first map of the log is being made. */
  proven: Proven | null;
  log: LogState;
  cityTz: string;
}

export function CompletenessPage({ c, proven, log, cityTz }: CompletenessProps) {
  const text = c.get('text');
  const words = text.completeness;
  return (
    <Frame c={c} title={words.title} at="me">
      <h1>{words.title}</h1>
      <p class="lead">{words.lead}</p>
      {proven ? <Proof {...proven} c={c} cityTz={cityTz} /> : <Waiting c={c} />}
      <WitnessLine c={c} log={log} />
      <h2>{words.limitsTitle}</h2>
      <ul>
        {words.limits.map((limit) => (
          <li>{limit}</li>
        ))}
      </ul>
      <p>
        <a href="/me#looks">{words.back}</a>
      </p>
    </Frame>
  );
}

function Waiting({ c }: { c: PageContext }) {
  const words = c.get('text').completeness;
  return (
    <p class="notice" role="status">
      {words.waiting} <a href="/me/completeness">{words.again}</a>
    </p>
  );
}

function Proof({ c, cityTz, indexes, statement }: Proven & { c: PageContext; cityTz: string }) {
  const text = c.get('text');
  const words = text.completeness;
  return (
    <>
      <p class="notice good" role="status">
        {indexes.length === 0 ? words.holdsNone : words.holds(indexes.length)}
      </p>
      <dl>
        <dt>{words.due}</dt>
        <dd>{showTime(statement.due, cityTz)}</dd>
        <dt>{words.covered}</dt>
        <dd>{words.firstEntries(statement.size)}</dd>
        <dt>{words.edition}</dt>
        <dd>{statement.edition}</dd>
      </dl>
      <p>
        <a href="/me/completeness.json" download="yihao-completeness.json">
          {words.save}
        </a>
      </p>
      <p class="muted">
        {words.check} <a href="/verifier.html">{text.me.verifierPage}</a>{' '}
        <a href="/log/vkey">{text.me.logKey}</a>
      </p>
    </>
  );
}
