// Checking a licence's PDF that somebody has: the form that takes the file, and each check with its result.
import type { Registry } from '../registry/index.ts';
import { ErrorSummary, FormToken, type PageContext } from './page.tsx';
import type { Told } from './words.ts';

export type CheckedDocument = Awaited<ReturnType<Registry['verifyDocument']>>;

interface DocumentCheckProps {
  c: PageContext;
  result?: CheckedDocument | undefined;
  error?: Told | undefined;
}

export function DocumentCheck({ c, result, error }: DocumentCheckProps) {
  const words = c.get('text').documentCheck;
  return (
    <section>
      <h2>{words.title}</h2>
      <p class="hint">{words.lead}</p>
      {error ? <ErrorSummary c={c} detail={error.detail} within="document" /> : null}
      <form class="stack" method="post" action="/verify/document" enctype="multipart/form-data">
        <FormToken c={c} />
        <div class="field">
          <label for="file">{words.file}</label>
          <input id="file" name="file" type="file" accept="application/pdf,.pdf" required={true} />
        </div>
        <button class="quiet" type="submit">
          {words.check}
        </button>
      </form>
      {result ? <Result c={c} result={result} /> : null}
    </section>
  );
}

function Result({ c, result }: { c: PageContext; result: CheckedDocument }) {
  const text = c.get('text');
  const words = text.documentCheck;
  const { verdict, status, checks } = result;
  const tone = verdict === 'genuine' ? (result.ok ? 'good' : 'warn') : 'bad';
  const names: Record<string, string | undefined> = words.names;
  return (
    <div class="card" aria-live="polite">
      <p class={`verdict ${tone}`}>
        {words.verdicts[verdict]}
        {status && status !== 'valid' ? `${text.colon}${text.results[status]}` : null}
      </p>
      <p>{words.meaning[verdict]}</p>
      <dl>
        {checks.map((check) => (
          <>
            <dt>{names[check.name] ?? check.name}</dt>
            <dd>
              {words.results[check.result]}
              {c.get('lang') === 'en' && check.result !== 'skipped' ? (
                <span class="muted"> {check.detail}</span>
              ) : null}
            </dd>
          </>
        ))}
      </dl>
    </div>
  );
}
