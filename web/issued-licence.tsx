// An officer of the issuing department looks at one licence by its number, and takes its document.
import type { Registry } from '../registry/index.ts';
import { ErrorSummary, Field, FormToken, Frame, type PageContext, Tag } from './page.tsx';
import { type PropertySchema, type Told, titleWords, valueWords } from './words.ts';

type Licence = Awaited<ReturnType<Registry['get']>>;

interface IssuedLicenceProps {
  c: PageContext;
  number?: string;
  licence?: Licence;
  typeName: string;
  /** The type's fields, for their titles. */
  fieldSchemas: Record<string, PropertySchema>;
  error?: Told;
}

export function IssuedLicencePage({ c, number, error, ...found }: IssuedLicenceProps) {
  const words = c.get('text').issued;
  return (
    <Frame c={c} title={words.title} at="desk">
      <h1>{words.title}</h1>
      <p class="lead">{words.lead}</p>
      {error ? <ErrorSummary c={c} detail={error.detail} fields={error.fields} /> : null}
      <form class="stack" method="post" action="/desk/licences">
        <FormToken c={c} />
        <Field name="number" label={words.number} value={number} required={true} />
        <button type="submit">{words.look}</button>
      </form>
      {found.licence ? <Found c={c} {...found} licence={found.licence} /> : null}
    </Frame>
  );
}

function Found({
  c,
  licence,
  typeName,
  fieldSchemas,
}: Omit<IssuedLicenceProps, 'licence' | 'error' | 'number'> & { licence: Licence }) {
  const text = c.get('text');
  const { status, holder, validFrom, validTo, fields } = licence;
  const isValid = status === 'valid';
  return (
    <section class={isValid ? 'card licence' : 'card licence bad'}>
      <h2>{typeName}</h2>
      <Tag tone={isValid ? 'good' : 'bad'}>
        {status === 'valid' ? text.results.valid : text.results[status]}
      </Tag>
      <dl>
        <dt>{text.verify.holder}</dt>
        <dd>{holder.name}</dd>
        <dt>{text.issued.period}</dt>
        <dd>
          {validFrom} — {validTo ?? text.me.permanent}
        </dd>
        {Object.entries(fields).map(([name, value]) => (
          <>
            <dt>{titleWords(c, name, fieldSchemas[name])}</dt>
            <dd>{valueWords(c, value)}</dd>
          </>
        ))}
      </dl>
      <p>
        <a href={`/v1/licences/${encodeURIComponent(licence.number)}/document.pdf`} download="">
          {text.me.document}
        </a>
      </p>
    </section>
  );
}
