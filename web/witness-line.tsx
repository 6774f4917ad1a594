// Whether the log is vouched for from outside, in one line; every surface that speaks of the log has it.
import type { LogState } from '../oversight/index.ts';
import type { PageContext } from './page.tsx';

export function WitnessLine({ c, log }: { c: PageContext; log: LogState }) {
  const text = c.get('text');
  return log.isWitnessed ? (
    <p class="muted">
      {text.witnessed} <span class="mono">{log.witnesses.join(', ')}</span>
    </p>
  ) : (
    <p class="muted">{text.unwitnessed}</p>
  );
}
