// Open data for people: find a dataset, see what it is, look at its first rows.
import type { Catalogue } from '../catalogue/index.ts';
import { Field, Frame, type PageContext } from './page.tsx';

type SearchResult = Awaited<ReturnType<Catalogue['packageSearch']>>;
type Dataset = Awaited<ReturnType<Catalogue['packageShow']>>;
type Rows = Awaited<ReturnType<Catalogue['datastoreSearch']>>;

const pageSize = 20;

function link(query: string, start: number): string {
  return `/catalogue?q=${encodeURIComponent(query)}&start=${start}`;
}

export function CataloguePage({
  c,
  query,
  start,
  result,
}: {
  c: PageContext;
  query: string;
  start: number;
  result: SearchResult;
}) {
  const words = c.get('text').catalogue;
  return (
    <Frame c={c} title={words.title} at="catalogue">
      <h1>{words.title}</h1>
      <form class="row" method="get" action="/catalogue">
        <div class="grow">
          <Field
            name="q"
            label={words.search}
            hint={words.placeholder}
            type="search"
            value={query}
          />
        </div>
        <div class="field">
          <button type="submit">{words.find}</button>
        </div>
      </form>
      <p class="muted">
        {result.count} {words.count}
      </p>
      {result.count === 0 ? <p>{words.none}</p> : null}
      <ul class="plain">
        {result.results.map((dataset) => (
          <li>
            <a href={`/dataset/${dataset.name}`}>
              <strong>{dataset.title}</strong>
            </a>{' '}
            <Level c={c} level={dataset.open_level} />
            <p>{excerpt(dataset.notes ?? '')}</p>
            <p class="muted">{dataset.organization?.title ?? ''}</p>
          </li>
        ))}
      </ul>
      <div class="pager">
        {start > 0 ? (
          <a href={link(query, Math.max(0, start - pageSize))}>{words.previous}</a>
        ) : null}
        {start + pageSize < result.count ? (
          <a href={link(query, start + pageSize)}>{words.next}</a>
        ) : null}
      </div>
    </Frame>
  );
}

function excerpt(text: string): string {
  return text.length > 160 ? `${text.slice(0, 160)}…` : text;
}

function Level({ c, level }: { c: PageContext; level: string | null | undefined }) {
  const levels = c.get('text').levels;
  if (level !== 'unconditional' && level !== 'conditional' && level !== 'not_open') return null;
  const tone = level === 'unconditional' ? 'good' : level === 'conditional' ? 'warn' : 'bad';
  return <span class={`tag ${tone}`}>{levels[level]}</span>;
}

export function DatasetPage({
  c,
  dataset,
  preview,
}: {
  c: PageContext;
  dataset: Dataset;
  preview: { resourceId: string; rows: Rows } | null;
}) {
  const words = c.get('text').catalogue;
  return (
    <Frame c={c} title={dataset.title} at="catalogue">
      <h1>{dataset.title}</h1>
      <Level c={c} level={dataset.open_level} />
      <p>{dataset.notes}</p>
      <dl>
        <dt>{words.organization}</dt>
        <dd>{dataset.organization?.title ?? '—'}</dd>
        <dt>{words.updated}</dt>
        <dd>{dataset.metadata_modified.slice(0, 10)}</dd>
        {dataset.open_condition ? (
          <>
            <dt>{words.condition}</dt>
            <dd>{dataset.open_condition}</dd>
          </>
        ) : null}
      </dl>
      <h2>{words.resources}</h2>
      <ul class="plain">
        {dataset.resources.map((resource) => (
          <li>
            {resource.name} <span class="tag">{resource.format}</span>{' '}
            {resource.url ? <a href={resource.url}>{words.download}</a> : null}
          </li>
        ))}
      </ul>
      {preview ? <Preview c={c} rows={preview.rows} /> : null}
    </Frame>
  );
}

function Preview({ c, rows }: { c: PageContext; rows: Rows }) {
  // CKAN's row number is no column of the data.
  const columns = rows.fields.map((field) => field.id).filter((id) => id !== '_id');
  return (
    <section>
      <h2 id="preview">{c.get('text').catalogue.preview}</h2>
      {/* A keyboard scrolls what it can focus. */}
      <section class="scroll" tabindex={0} aria-labelledby="preview">
        <table>
          <thead>
            <tr>
              {columns.map((column) => (
                <th scope="col">{column}</th>
              ))}
            </tr>
          </thead>
          <tbody>
            {rows.records.map((record) => (
              <tr>
                {columns.map((column) => (
                  <td>{String(record[column] ?? '—')}</td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </section>
    </section>
  );
}
