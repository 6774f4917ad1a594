// How the log stands, wherever a page speaks of it: whether it is vouched for from outside, and what a restore
// has lost of it.
import type { LogState } from '../oversight/index.ts';
import type { PageContext } from './page.tsx';

export function WitnessLine({ c, log }: { c: PageContext; log: LogState }) {
  const text = c.get('text');
  return (
    <>
      {log.isWitnessed ? (
        <p class="muted">
          {text.witnessed} <span class="mono">{log.witnesses.join(', ')}</span>
        </p>
      ) : (
        <p class="muted">{text.unwitnessed}</p>
      )}
      {log.losses.map((loss) => (
        <p>
          {text.logLoss(loss)} <a href={`/log/epochs/${loss.number}`}>{text.logLossStatement}</a>
        </p>
      ))}
    </>
  );
}
