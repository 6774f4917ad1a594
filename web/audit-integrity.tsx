// /audit/integrity: prove the log whole.
import type { LogState, Oversight } from '../oversight/index.ts';
import { AuditSections } from './audit-sections.tsx';
import { FormToken, Frame, type PageContext } from './page.tsx';
import { WitnessLine } from './witness-line.tsx';

type Integrity = Awaited<ReturnType<Oversight['integrity']>>;

interface AuditIntegrityProps {
  c: PageContext;
  log: LogState;
  integrity?: Integrity | undefined;
}

export function AuditIntegrityPage({ c, integrity, log }: AuditIntegrityProps) {
  const text = c.get('text');
  const words = text.audit;
  return (
    <Frame c={c} title={words.integrity} at="audit">
      <h1>{words.integrity}</h1>
      <AuditSections c={c} at="/audit/integrity" />
      <p class="lead">{words.integrityText}</p>
      <WitnessLine c={c} log={log} />
      {log.checkpoint ? (
        <details>
          <summary>{words.head}</summary>
          <pre class="mono scroll">{log.checkpoint}</pre>
        </details>
      ) : null}
      <form method="post" action="/audit/integrity">
        <FormToken c={c} />
        <button class="quiet" type="submit">
          {words.run}
        </button>
      </form>
      {integrity ? (
        <div class={integrity.ok ? 'notice good' : 'notice bad'}>
          <p>
            <strong>{integrity.ok ? words.intact : words.broken}</strong> · {words.checked}:{' '}
            {integrity.checked}
          </p>
          <p>
            {words.root}: <code>{integrity.root}</code>
          </p>
          <ul>
            {integrity.faults.map((fault) => (
              <li>
                {fault.index === undefined ? '' : `#${fault.index}: `}
                {fault.what}
              </li>
            ))}
          </ul>
        </div>
      ) : null}
    </Frame>
  );
}
