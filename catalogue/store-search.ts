// Dataset search: the query tree as SQL behind the policy, ranking, one page of ids, facets.
import { type SQL, sql } from 'drizzle-orm';
import { selectRows, type Tx } from '../platform/index.ts';
import type { Viewer } from './policy.ts';
import { type Bound, parseQuery, type Query } from './query-syntax.ts';
import { readSourceDate } from './source-date.ts';
import { datasetsWithOrganisations, visibleTo } from './store-policy.ts';
import { type TermOptions, tsqueryLiteral } from './text-tokens.ts';

export type SortKey = 'score' | 'metadata_modified' | 'metadata_created' | 'title' | 'name';
export type FacetField = keyof typeof facetColumns;

export interface SearchInput {
  query: string;
  /** Further conditions (fq), each a query of its own. */
  filters: readonly string[];
  sort: readonly { key: SortKey; isDescending: boolean }[];
  rows: number;
  start: number;
  facets: readonly FacetField[];
  /** Most values told of one facet, the most frequent first. */
  facetLimit: number;
  facetMinCount: number;
}

export interface FacetCount {
  field: FacetField;
  value: string;
  /** Where the value is a name: what people call it. */
  title: string | null;
  count: number;
}

export interface SearchHits {
  count: number;
  ids: string[];
  facets: FacetCount[];
}

/** What each facet counts: a column of the dataset, and its values among the hits. */
const facetColumns = {
  organization: { of: sql`o.name`, values: sql`h.organization` },
  groups: { of: sql`d.themes`, values: sql`unnest(h.groups)` },
  tags: { of: sql`d.tags`, values: sql`unnest(h.tags)` },
  res_format: { of: sql`d.formats`, values: sql`unnest(h.res_format)` },
  license_id: { of: sql`d.licence_id`, values: sql`h.license_id` },
  open_level: { of: sql`d.open_level`, values: sql`h.open_level` },
  frequency: { of: sql`d.frequency`, values: sql`h.frequency` },
  theme: { of: sql`d.subject_words`, values: sql`unnest(h.theme)` },
};

/** Is this a field that can be counted? */
export function isFacetField(name: string): name is FacetField {
  return Object.hasOwn(facetColumns, name);
}

const sortColumns: Record<SortKey, SQL> = {
  score: sql`h.score`,
  metadata_modified: sql`h.changed_at`,
  metadata_created: sql`h.created_at`,
  title: sql`h.title collate "C"`,
  name: sql`h.name collate "C"`,
};

/**
 * One page of hits, their number and facets, from one statement and so from one moment. Over 14,412
 * datasets with three facets: 57 hits 5 ms, 1,559 hits 11 ms, all 44 ms (medians of 21; README).
 */
export async function searchDatasets(
  tx: Tx,
  viewer: Viewer,
  input: SearchInput,
): Promise<SearchHits> {
  const tree = parseQuery(input.query);
  const conditions = [
    visibleTo(viewer, 'listed'),
    compile(tree, 'words'),
    ...input.filters.map((filter) => compile(parseQuery(filter), 'extras')),
  ];
  const order = [
    ...input.sort.map(({ key, isDescending }) =>
      isDescending ? sql`${sortColumns[key]} desc` : sortColumns[key],
    ),
    sql`h.id`,
  ];
  const hitColumns = [
    sql`d.id, d.name, d.title, d.changed_at, d.created_at`,
    ...input.facets.map((field) => sql`${facetColumns[field].of} as ${sql.identifier(field)}`),
  ];
  const counted = input.facets.map(
    (field) => sql`(
      select ${field} as field, v.value, count(*)::int as count
      from (select ${facetColumns[field].values} as value from hits h) v
      where v.value is not null and v.value <> '' group by v.value
      having count(*) >= ${input.facetMinCount}
      order by count(*) desc, v.value limit ${input.facetLimit})`,
  );
  const facets =
    counted.length === 0
      ? sql`'[]'::json`
      : sql`(select coalesce(json_agg(json_build_object('field', f.field, 'value', f.value,
            'count', f.count,
            'title', case f.field when 'organization' then (
              select title from catalogue.organisations where name = f.value) end)), '[]')
          from (${sql.join(counted, sql` union all `)}) f)`;
  const rows = await selectRows<SearchHits>(
    tx,
    sql`with hits as materialized (
        select ${sql.join(hitColumns, sql`, `)}, ${scoreOf(tree)} as score
        from ${datasetsWithOrganisations} where ${sql.join(conditions, sql` and `)})
      select (select count(*)::int from hits) as count,
        (select coalesce(json_agg(p.id order by p.place), '[]') from (
          select h.id, row_number() over (order by ${sql.join(order, sql`, `)}) as place
          from hits h order by place limit ${input.rows} offset ${input.start}) p) as ids,
        ${facets} as facets`,
  );
  return rows[0] ?? { count: 0, ids: [], facets: [] };
}

/** How well the words fit: title before tags before description; 0 when nothing was asked. */
function scoreOf(tree: Query): SQL {
  const literals = wordsOf(tree);
  if (literals.length === 0) return sql`0::real`;
  const all = literals.map((literal) => `(${literal})`).join(' | ');
  return sql`ts_rank('{0.05, 0.2, 0.5, 1}', d.search, ${all}::tsquery, 1)`;
}

function wordsOf(query: Query): string[] {
  if (query.kind === 'and' || query.kind === 'or') return query.of.flatMap(wordsOf);
  if (query.kind !== 'term') return [];
  const literal = tsqueryLiteral(query.text, query);
  return literal === null ? [] : [literal];
}

/**
 * A query as a condition. A field nobody knows is a colon in somebody's words where `unknownFields`
 * is `words` (q), and the label of an extra where it is `extras` (fq).
 */
function compile(query: Query, unknownFields: 'words' | 'extras'): SQL {
  switch (query.kind) {
    case 'all':
      return sql`true`;
    case 'and':
    case 'or': {
      const parts = query.of.map((part) => compile(part, unknownFields));
      return sql`(${sql.join(parts, query.kind === 'and' ? sql` and ` : sql` or `)})`;
    }
    case 'not':
      return sql`not coalesce(${compile(query.of, unknownFields)}, false)`;
    case 'exists':
      return existsCondition(query.field);
    case 'range':
      return rangeCondition(query.field, query.from, query.to);
    case 'term':
      return termCondition(query, unknownFields);
  }
}

type Term = Extract<Query, { kind: 'term' }>;

const weights = new Map(
  Object.entries({
    title: 'A',
    notes: 'C',
    description: 'C',
  } satisfies Record<string, TermOptions['weight']>),
);

const texts = new Map(
  Object.entries({
    name: sql`d.name`,
    id: sql`d.id::text`,
    organization: sql`o.name`,
    owner_org: sql`o.id::text`,
    license_id: sql`d.licence_id`,
    open_level: sql`d.open_level`,
    open_level_words: sql`d.open_words`,
    frequency: sql`d.frequency`,
    version: sql`d.version`,
    url: sql`d.url`,
  }),
);

const lists = new Map(
  Object.entries({
    tags: sql`d.tags`,
    groups: sql`d.themes`,
    res_format: sql`d.formats`,
    theme: sql`d.subject_words`,
  }),
);

const moments = new Map(
  Object.entries({
    metadata_modified: sql`d.changed_at`,
    metadata_created: sql`d.created_at`,
    issued: sql`d.issued`,
    modified: sql`d.modified`,
  }),
);

/** What is the same for everything that is listed. */
const constants = new Map(
  Object.entries({
    state: 'active',
    capacity: 'public',
    private: 'false',
    dataset_type: 'dataset',
    type: 'dataset',
    entity_type: 'package',
  }),
);

function termCondition(term: Term, unknownFields: 'words' | 'extras'): SQL {
  const { field, text } = term;
  const weight = field === null ? undefined : weights.get(field);
  if (field === null || field === 'text' || weight) {
    return wordCondition(text, { ...(weight ? { weight } : {}), isPrefix: term.isPrefix });
  }
  const column = texts.get(field);
  if (column)
    return term.isPrefix ? sql`starts_with(${column}, ${text})` : sql`${column} = ${text}`;
  const list = lists.get(field);
  if (list) return listCondition(list, field === 'res_format' ? text.toUpperCase() : text, term);
  if (moments.has(field)) return rangeCondition(field, ...pointRange(text));
  const constant = constants.get(field);
  if (constant !== undefined) return sql`${constant === text}::boolean`;
  if (unknownFields === 'words') return wordCondition(`${field}:${text}`, {});
  const label = field.replace(/^extras_/, '');
  return sql`d.extras @> ${JSON.stringify([[label, text]])}::text::jsonb`;
}

function wordCondition(text: string, options: TermOptions): SQL {
  const literal = tsqueryLiteral(text, options);
  return literal === null ? sql`true` : sql`d.search @@ ${literal}::tsquery`;
}

function listCondition(list: SQL, text: string, { isPrefix }: Term): SQL {
  return isPrefix
    ? sql`exists (select 1 from unnest(${list}) as item where starts_with(item, ${text}))`
    : sql`${list} @> array[${text}]::text[]`;
}

function existsCondition(field: string): SQL {
  const list = lists.get(field);
  if (list) return sql`cardinality(${list}) > 0`;
  const column = texts.get(field) ?? moments.get(field);
  if (column) return sql`${column} is not null`;
  if (weights.has(field) || field === 'text' || constants.has(field)) return sql`true`;
  return sql`exists (
    select 1 from jsonb_array_elements(d.extras) as e where e->>0 = ${field.replace(/^extras_/, '')})`;
}

function rangeCondition(field: string, from: Bound, to: Bound): SQL {
  const column = moments.get(field);
  const parts = [
    from && boundCondition(column, from, sql`>`),
    to && boundCondition(column, to, sql`<`),
  ].filter((part) => part !== null);
  if (parts.length === 0) return existsCondition(field);
  return sql`(${sql.join(parts, sql` and `)})`;
}

/** A bound that is no date, or on a field without an order, matches nothing. */
function boundCondition(column: SQL | undefined, end: NonNullable<Bound>, sign: SQL): SQL {
  const at = column ? solrMoment(end.value) : null;
  if (at === null) return sql`false`;
  return end.isInclusive
    ? sql`${column} ${sign}= ${at}::timestamptz`
    : sql`${column} ${sign} ${at}::timestamptz`;
}

/** A day or an instant; Solr's NOW arithmetic isn't taken. */
function solrMoment(text: string): string | null {
  const day = readSourceDate(text);
  if (day === null) return null;
  if (!/T/.test(text)) return `${day}T00:00:00Z`;
  const time = new Date(/Z$|[+-]\d\d:?\d\d$/.test(text) ? text : `${text}Z`);
  return Number.isNaN(time.getTime()) ? null : time.toISOString();
}

function pointRange(text: string): [Bound, Bound] {
  const at = { value: text, isInclusive: true };
  return [at, at];
}
