// /audit/samples: are entries an auditor picks in the lists of those they are about?
import type { Oversight } from '../oversight/index.ts';
import { AuditSections } from './audit-sections.tsx';
import { FormToken, Frame, type PageContext, Tag } from './page.tsx';

type Samples = Awaited<ReturnType<Oversight['sampleMap']>>;

interface AuditSamplesProps {
  c: PageContext;
  /** As typed. */
  indexes: string;
  samples?: Samples | undefined;
  error?: string | undefined;
}

const tones = {
  disclosed: 'good',
  pending: 'good',
  nobody: 'warn',
  later: 'warn',
  missing: 'bad',
} as const;

export function AuditSamplesPage({ c, indexes, samples, error }: AuditSamplesProps) {
  const text = c.get('text');
  const words = text.audit.samples;
  return (
    <Frame c={c} title={words.title} at="audit">
      <h1>{words.title}</h1>
      <AuditSections c={c} at="/audit/samples" />
      <p class="lead">{words.lead}</p>
      {error === undefined ? null : (
        <p class="notice bad" role="alert">
          <a href="#indexes">{error}</a>
        </p>
      )}
      <form method="post" action="/audit/samples">
        <FormToken c={c} />
        <label for="indexes">{words.indexes}</label>
        <p class="hint" id="indexes-hint">
          {words.indexesHint}
        </p>
        <input
          id="indexes"
          name="indexes"
          value={indexes}
          inputmode="numeric"
          autocomplete="off"
          aria-describedby="indexes-hint"
          aria-invalid={error === undefined ? undefined : 'true'}
        />
        <p>
          <button type="submit">{words.check}</button>
        </p>
      </form>
      {samples?.length === 0 ? <p class="muted">{words.none}</p> : null}
      {samples && samples.length > 0 ? <Found c={c} samples={samples} /> : null}
    </Frame>
  );
}

function Found({ c, samples }: { c: PageContext; samples: Samples }) {
  const words = c.get('text').audit.samples;
  return (
    <div class="scroll">
      <table class="fold">
        <thead>
          <tr>
            <th scope="col">{words.entry}</th>
            <th scope="col">{words.state}</th>
          </tr>
        </thead>
        <tbody>
          {samples.map(({ index, state }) => (
            <tr>
              <td data-label={words.entry}>#{index}</td>
              <td data-label={words.state}>
                <Tag tone={tones[state]}>{words.states[state]}</Tag>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      <p class="muted">{words.proofs}</p>
    </div>
  );
}
