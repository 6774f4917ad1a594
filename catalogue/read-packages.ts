// The package_* actions of CKAN's read API: list, show, search, autocomplete.
import type { Database } from '../platform/index.ts';
import { type ActionInput, CkanParameters } from './ckan-parameters.ts';
import { catalogueErrors } from './errors.ts';
import { type PackageDict, packageDict } from './package-dict.ts';
import type { Viewer } from './policy.ts';
import {
  findDataset,
  findDatasetOfResource,
  listNames,
  readListed,
  searchResources,
} from './store-read.ts';
import {
  type FacetCount,
  type FacetField,
  isFacetField,
  type SearchInput,
  type SortKey,
  searchDatasets,
} from './store-search.ts';
import { themes } from './themes.ts';

export interface PackageDeps {
  database: Database;
  publicUrl: string;
}

/** Rows of one answer; ckanapi asks for 1,000 at a time and pages until none come. */
const maxRows = 1000;
const maxQueryLength = 2000;
const maxFilters = 50;
const maxFacetItems = 1000;

/** Solr parameters that CKAN lets through; those without a meaning here are read past. */
const searchKeys = new Set(
  (
    'q fl fq fq_list rows start sort wt qf mm bf boost tie df defType extras facet facet.field ' +
    'facet.limit facet.mincount include_private include_drafts include_deleted use_default_schema'
  ).split(' '),
);

const sortKeys = new Map<string, SortKey>(
  Object.entries({
    score: 'score',
    metadata_modified: 'metadata_modified',
    last_modified: 'metadata_modified',
    metadata_created: 'metadata_created',
    title: 'title',
    title_string: 'title',
    name: 'name',
  } as const),
);
const defaultSort = 'score desc, metadata_modified desc';

interface FacetItem {
  name: string;
  display_name: string;
  count: number;
}

export interface PackageSearchResult {
  count: number;
  sort: string;
  results: PackageDict[];
  facets: Record<string, Record<string, number>>;
  search_facets: Record<string, { title: string; items: FacetItem[] }>;
}

/** The acts of reading packages. Each takes what the client sent as it came. */
export function packageActs({ database, publicUrl }: PackageDeps) {
  const { db } = database;
  return {
    /** Names of all listed datasets, sorted. Unknown keys are read past: ckanapi sends some. */
    async packageList(viewer: Viewer, input: ActionInput = {}): Promise<string[]> {
      const parameters = new CkanParameters(input);
      const limit = parameters.natural('limit', -1, Number.MAX_SAFE_INTEGER);
      const offset = parameters.natural('offset', 0, Number.MAX_SAFE_INTEGER);
      parameters.check();
      return listNames(db, viewer, { limit: limit === -1 ? null : limit, offset });
    },

    /** One dataset by id or name. */
    async packageShow(viewer: Viewer, input: ActionInput): Promise<PackageDict> {
      const parameters = new CkanParameters(input);
      const id = parameters.required('id', 'name_or_id');
      parameters.check();
      const row = await findDataset(db, viewer, id);
      if (!row) throw catalogueErrors.dataset_not_found('There is no such dataset.');
      return packageDict(row, viewer, publicUrl);
    },

    /** Datasets found by words and filters, with facets. */
    async packageSearch(viewer: Viewer, input: ActionInput = {}): Promise<PackageSearchResult> {
      const { search, sort, facets } = readSearch(input);
      const hits = await searchDatasets(db, viewer, search);
      const rows = await readListed(db, hits.ids);
      return {
        count: hits.count,
        sort,
        results: rows.map((row) => packageDict(row, viewer, publicUrl)),
        ...facetDicts(hits.facets, facets),
      };
    },

    /** Up to `limit` datasets that hold what was typed as words, the last perhaps unfinished. */
    async packageAutocomplete(viewer: Viewer, input: ActionInput) {
      const parameters = new CkanParameters(input);
      const typed = parameters.required('q');
      const limit = parameters.natural('limit', 10, 100);
      parameters.check();
      const hits = await searchDatasets(db, viewer, {
        query: `"${typed.slice(0, 200).replace(/["\\]/g, ' ')}" OR ${escapeWords(typed)}*`,
        filters: [],
        sort: readSort(defaultSort),
        rows: limit,
        start: 0,
        ...noFacets,
      });
      const rows = await readListed(db, hits.ids);
      return rows.map(({ name, title }) => {
        const isByName = name.startsWith(typed.toLowerCase());
        return {
          name,
          title,
          match_field: isByName ? 'name' : 'title',
          match_displayed: isByName ? name : `${title} (${name})`,
        };
      });
    },

    /** One resource by id. */
    async resourceShow(viewer: Viewer, input: ActionInput) {
      const parameters = new CkanParameters(input);
      const id = parameters.required('id');
      parameters.check();
      const row = await findDatasetOfResource(db, viewer, id);
      const resource =
        row && packageDict(row, viewer, publicUrl).resources.find((each) => each.id === id);
      if (!resource) throw catalogueErrors.resource_not_found('There is no such resource.');
      return resource;
    },

    /** Resources by `query=name:x`, also as a list of such terms that must all hold. */
    async resourceSearch(viewer: Viewer, input: ActionInput) {
      const parameters = new CkanParameters(input);
      parameters.required('query');
      const limit = parameters.natural('limit', maxRows, maxRows);
      const offset = parameters.natural('offset', 0, Number.MAX_SAFE_INTEGER);
      const wanted = parameters.texts('query').map(readResourceTerm);
      parameters.check();
      const { total, found } = await searchResources(db, viewer, wanted, { limit, offset });
      const rows = await readListed(db, [...new Set(found.map(({ datasetId }) => datasetId))]);
      const resources = new Map(
        rows
          .flatMap((row) => packageDict(row, viewer, publicUrl).resources)
          .map((resource) => [resource.id, resource]),
      );
      return {
        count: total,
        results: found.flatMap(({ resourceId }) => resources.get(resourceId) ?? []),
      };
    },
  };
}

const noFacets = { facets: [], facetLimit: 0, facetMinCount: 1 };

/** The search that a client's parameters ask for, with the sort and the facet fields in its words. */
function readSearch(input: ActionInput): { search: SearchInput; sort: string; facets: string[] } {
  const unknown = Object.keys(input).filter(
    (key) => !searchKeys.has(key) && !key.startsWith('ext_'),
  );
  if (unknown.length > 0) {
    const names = unknown.map((key) => `'${key.slice(0, 100)}'`).join(', ');
    throw catalogueErrors.search_invalid(`Invalid search parameters: [${names}]`);
  }
  const parameters = new CkanParameters(input);
  const sort = parameters.text('sort') || defaultSort;
  const facets = parameters.flag('facet', true) ? parameters.texts('facet.field') : [];
  const facetLimit = parameters.integer('facet.limit', 50);
  const search: SearchInput = {
    query: parameters.text('q'),
    filters: [...parameters.texts('fq'), ...parameters.texts('fq_list')],
    sort: readSort(sort),
    rows: parameters.natural('rows', 10, maxRows),
    start: parameters.natural('start', 0, 2_147_483_647),
    facets: [...new Set(facets)].filter(isFacetField),
    facetLimit: facetLimit < 0 ? maxFacetItems : Math.min(facetLimit, maxFacetItems),
    facetMinCount: parameters.natural('facet.mincount', 1, 2_147_483_647),
  };
  parameters.check();
  const queries = [search.query, ...search.filters];
  if (queries.length > maxFilters || queries.some((query) => query.length > maxQueryLength)) {
    throw catalogueErrors.search_invalid(
      `At most ${maxFilters} filters, each of at most ${maxQueryLength} characters`,
    );
  }
  return { search, sort, facets };
}

function readSort(text: string): SearchInput['sort'] {
  return text.split(',').map((part) => {
    const [field = '', direction = 'asc', ...rest] = part.trim().split(/\s+/);
    const key = sortKeys.get(field);
    if (key === undefined || rest.length > 0 || !/^(asc|desc)$/i.test(direction)) {
      throw catalogueErrors.search_invalid('Invalid "sort" parameter');
    }
    return { key, isDescending: direction.toLowerCase() === 'desc' };
  });
}

/** Facets twice, as CKAN tells them; a field that can't be counted is told empty. */
function facetDicts(counts: readonly FacetCount[], fields: readonly string[]) {
  const facets: PackageSearchResult['facets'] = {};
  const searchFacets: PackageSearchResult['search_facets'] = {};
  for (const field of fields) {
    const items = counts
      .filter((item) => item.field === field)
      .map((item) => ({ name: item.value, display_name: displayName(item), count: item.count }));
    facets[field] = Object.fromEntries(items.map(({ name, count }) => [name, count]));
    items.sort((a, b) => (a.display_name < b.display_name ? 1 : -1));
    searchFacets[field] = { title: field, items };
  }
  return { facets, search_facets: searchFacets };
}

function displayName({ field, value, title }: FacetCount): string {
  if (title !== null) return title;
  const theme =
    field === ('groups' satisfies FacetField) && themes.find(({ name }) => name === value);
  return theme ? theme.titleZh : value;
}

const resourceColumns = ['name', 'format', 'description', 'url'] as const;

function readResourceTerm(term: string): {
  column: (typeof resourceColumns)[number];
  text: string;
} {
  const at = term.indexOf(':');
  const column = resourceColumns.find((each) => each === term.slice(0, at));
  if (column === undefined || at === term.length - 1) {
    throw catalogueErrors.parameters_invalid('The query is not understood.', {
      fields: [
        { pointer: '/query', detail: 'Must be name:, format:, description: or url: and text' },
      ],
    });
  }
  return { column, text: term.slice(at + 1) };
}

function escapeWords(text: string): string {
  return text
    .slice(0, 200)
    .replace(/[\s()"\\:*+!|&-]+/g, ' ')
    .trim()
    .replace(/ /g, '\\ ');
}
