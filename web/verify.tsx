// Anyone checks a licence: by its code, and by comparing what stands on the paper.
import type { Registry } from '../registry/index.ts';
import { type CheckedDocument, DocumentCheck } from './document-check.tsx';
import { ErrorSummary, Field, FormToken, Frame, type PageContext, showTime } from './page.tsx';
import { type PropertySchema, type Told, titleWords, valueWords } from './words.ts';

type Lookup = Awaited<ReturnType<Registry['lookup']>>;

export interface VerifyProps {
  c: PageContext;
  cityTz: string;
  code?: string;
  lookup?: Lookup;
  /** The licence type's fields, for their titles. */
  fieldSchemas: Record<string, PropertySchema>;
  error?: Told | undefined;
  compared?: Record<string, boolean>;
  /** What was found of a PDF, or why it couldn't be checked. */
  document?: CheckedDocument;
  documentError?: Told;
}

function tone(result: string): 'good' | 'warn' | 'bad' {
  if (result === 'genuine') return 'good';
  return result === 'suspended' || result === 'superseded' || result === 'expired' ? 'warn' : 'bad';
}

export function VerifyPage(props: VerifyProps) {
  const { c, code, lookup, compared, error } = props;
  const text = c.get('text');
  const words = text.verify;
  return (
    <Frame
      c={c}
      title={words.title}
      at="verify"
      head={<script src="/assets/verify.js" defer={true} />}
    >
      <h1>{words.title}</h1>
      <p class="lead">{words.lead}</p>
      <form class="stack" method="post" action="/verify">
        <FormToken c={c} />
        <Field name="code" label={words.code} hint={words.codeHint} value={code} required={true} />
        <button type="submit">{words.check}</button>
      </form>
      {error ? <ErrorSummary c={c} detail={error.detail} /> : null}
      {lookup ? <Result {...props} lookup={lookup} /> : null}
      {lookup && code && lookup.result !== 'unknown' ? (
        <section>
          <h2>{words.compare}</h2>
          <p class="hint">{words.compareText}</p>
          <form class="stack" method="post" action="/verify/compare">
            <FormToken c={c} />
            <input type="hidden" name="code" value={code} />
            <Field name="holderName" label={words.holder} />
            <Field name="validTo" label={words.validTo} type="date" />
            <button class="quiet" type="submit">
              {words.compare}
            </button>
          </form>
          {compared ? (
            <dl>
              {Object.entries(compared).map(([field, agrees]) => (
                <>
                  <dt>
                    {field === 'holderName'
                      ? words.holder
                      : field === 'validTo'
                        ? words.validTo
                        : field}
                  </dt>
                  <dd>{agrees ? words.matches : words.differs}</dd>
                </>
              ))}
            </dl>
          ) : null}
        </section>
      ) : null}
      <DocumentCheck c={c} result={props.document} error={props.documentError} />
    </Frame>
  );
}

function Result({ c, lookup, cityTz, fieldSchemas }: VerifyProps & { lookup: Lookup }) {
  const text = c.get('text');
  const lang = c.get('lang');
  const words = text.verify;
  const rows: [string, string][] = [];
  if (lookup.result !== 'unknown') {
    rows.push([words.type, lookup.typeName[lang]]);
    rows.push([words.issuer, lookup.issuerName[lang]]);
    rows.push([words.holder, lookup.holderName ?? '—']);
    rows.push([words.validTo, lookup.validTo ?? text.me.permanent]);
    for (const [field, value] of Object.entries(lookup.publicFields)) {
      rows.push([titleWords(c, field, fieldSchemas[field]), valueWords(c, value)]);
    }
  }
  rows.push([words.checkedAt, showTime(lookup.checkedAt, cityTz)]);
  return (
    <section class="card" aria-live="polite">
      <p class={`verdict ${tone(lookup.result)}`}>{text.results[lookup.result]}</p>
      {lookup.result === 'unknown' ? <p>{words.unknownText}</p> : null}
      <dl>
        {rows.map(([term, value]) => (
          <>
            <dt>{term}</dt>
            <dd>{value}</dd>
          </>
        ))}
      </dl>
    </section>
  );
}
