// The datastore_* actions of CKAN's read API: rows of one resource, and what its columns are.
import type { Database } from '../platform/index.ts';
import { type ActionInput, CkanParameters } from './ckan-parameters.ts';
import { catalogueErrors } from './errors.ts';
import { mayReadRows, type Viewer } from './policy.ts';
import { readRowFilters } from './row-filters.ts';
import { findDatasetOfResource, type RowField } from './store-read.ts';
import { countRows, type RowQuery, type RowRecord, selectPage, sizeOfRows } from './store-rows.ts';

/** CKAN's default and its hard cap on rows in one answer. */
const defaultLimit = 100;
const maxLimit = 32_000;

interface OpenTable {
  resourceId: string;
  name: string;
  count: number;
  fields: RowField[];
}

export interface DatastoreField {
  id: string;
  type: string;
}

export interface DatastoreSearchResult {
  resource_id: string;
  fields: DatastoreField[];
  records: RowRecord[];
  limit: number;
  offset: number;
  total?: number;
  total_was_estimated?: false;
  next_page?: { _id: { gt: number } };
}

/** The acts of reading rows. */
export function rowActs({ database }: { database: Database }) {
  const { db } = database;

  /** The rows' table, if this viewer may know of the resource and read it. */
  async function openTable(viewer: Viewer, resourceId: string): Promise<OpenTable> {
    const dataset = await findDatasetOfResource(db, viewer, resourceId);
    const resource = dataset?.resources.find(({ id }) => id === resourceId.toLowerCase());
    if (!dataset || !resource || resource.rowTable === null || resource.rowFields === null) {
      throw catalogueErrors.resource_not_found(
        `Resource "${resourceId.slice(0, 100)}" was not found.`,
      );
    }
    const { openLevel, isLoginRequired } = dataset;
    const department = dataset.organisation?.department ?? null;
    if (!mayReadRows(viewer, { openLevel, isLoginRequired, department })) {
      throw catalogueErrors.rows_not_open('These rows are not open to everybody.');
    }
    const { rowTable, rowCount, rowFields } = resource;
    return { resourceId: resource.id, name: rowTable, count: rowCount ?? 0, fields: rowFields };
  }

  return {
    /** One page of rows; the number of all rows is cached, a filtered number is counted. */
    async datastoreSearch(viewer: Viewer, input: ActionInput): Promise<DatastoreSearchResult> {
      const parameters = new CkanParameters(input);
      const resourceId = parameters.required('resource_id', 'id');
      parameters.check();
      const table = await openTable(viewer, resourceId);
      const query = readRowQuery(parameters, table.fields);
      const hasTotal = parameters.flag('include_total', true);
      const hasNextPage = parameters.flag('include_next_page', false);
      parameters.check();
      const records = await selectPage(db, table.name, table.fields, query);
      const last = records.at(-1)?._id;
      return {
        resource_id: table.resourceId,
        fields: query.columns.map((column) => fieldDict(table.fields, column)),
        records,
        limit: query.limit,
        offset: query.offset,
        ...(hasTotal ? { total: await totalOf(table, query), total_was_estimated: false } : {}),
        ...(hasNextPage && typeof last === 'number' && records.length === query.limit
          ? { next_page: { _id: { gt: last } } }
          : {}),
      };
    },

    /** The columns of a table and its size. */
    async datastoreInfo(viewer: Viewer, input: ActionInput) {
      const parameters = new CkanParameters(input);
      const resourceId = parameters.required('id', 'resource_id');
      parameters.check();
      const table = await openTable(viewer, resourceId);
      const { size, indexes } = await sizeOfRows(db, table.name);
      return {
        meta: {
          id: table.resourceId,
          count: table.count,
          size,
          db_size: null,
          idx_size: indexes,
          aliases: [],
          table_type: 'BASE TABLE',
        },
        fields: table.fields.map(({ id, type }) => ({
          id,
          type,
          schema: {
            native_type: type,
            is_index: false,
            notnull: false,
            uniquekey: false,
            index_name: null,
          },
        })),
      };
    },

    /**
     * All rows in pages of 5,000, each found by the last `_id` of the one before, so that depth
     * costs nothing. The first answer tells the columns even when there are no rows.
     */
    async openRows(viewer: Viewer, resourceId: string) {
      const table = await openTable(viewer, resourceId);
      const columns = ['_id', ...table.fields.map(({ id }) => id)];
      async function* pages(): AsyncGenerator<RowRecord[]> {
        for (let after = 0; ; ) {
          const filter = { column: '_id', comparison: 'gt' as const, values: [String(after)] };
          const page = await selectPage(db, table.name, table.fields, {
            ...wholeTable(columns),
            filters: [filter],
            limit: 5000,
          });
          if (page.length === 0) return;
          yield page;
          after = Number(page.at(-1)?._id);
        }
      }
      return { columns, pages: pages() };
    },
  };

  async function totalOf(table: OpenTable, query: RowQuery): Promise<number> {
    const isWhole =
      query.filters.length === 0 &&
      query.words === '' &&
      query.columnWords.length === 0 &&
      !query.isDistinct;
    return isWhole ? table.count : countRows(db, table.name, table.fields, query);
  }
}

function wholeTable(columns: string[]): RowQuery {
  return {
    filters: [],
    words: '',
    columnWords: [],
    columns,
    sort: [],
    isDistinct: false,
    limit: defaultLimit,
    offset: 0,
  };
}

function readRowQuery(parameters: CkanParameters, fields: readonly RowField[]): RowQuery {
  const all = ['_id', ...fields.map(({ id }) => id)];
  const asked = parameters.texts('fields', 'commas');
  const isDistinct = parameters.flag('distinct', false);
  for (const column of asked) {
    if (!all.includes(column)) parameters.fault('fields', `field "${column}" not in table`);
  }
  const unnumbered = isDistinct ? all.slice(1) : all;
  const columns = asked.length === 0 ? unnumbered : asked;
  return {
    filters: readRowFilters(parameters, fields),
    ...readWords(parameters, all),
    columns,
    sort: readRowSort(parameters, isDistinct ? columns : all),
    isDistinct,
    limit: parameters.natural('limit', defaultLimit, maxLimit),
    offset: parameters.natural('offset', 0, Number.MAX_SAFE_INTEGER),
  };
}

/** `q` is text, or a JSON object of texts by column. */
function readWords(
  parameters: CkanParameters,
  columns: readonly string[],
): Pick<RowQuery, 'words' | 'columnWords'> {
  const words = parameters.objectOrText('q');
  if (typeof words === 'string') return { words, columnWords: [] };
  const columnWords = Object.entries(words).map(([column, text]) => ({
    column,
    text: String(text),
  }));
  for (const { column } of columnWords) {
    if (!columns.includes(column)) parameters.fault('q', `field "${column}" not in table`);
  }
  return { words: '', columnWords };
}

/** `sort`: columns parted by commas, each perhaps quoted, with asc or desc. */
function readRowSort(parameters: CkanParameters, columns: readonly string[]): RowQuery['sort'] {
  return parameters.texts('sort', 'commas').flatMap((part) => {
    const match = /^"?(.+?)"?(?:\s+(asc|desc)(?:\s+nulls\s+(?:first|last))?)?$/is.exec(part.trim());
    const column = match?.[1] ?? '';
    if (columns.includes(column)) {
      return [{ column, isDescending: match?.[2]?.toLowerCase() === 'desc' }];
    }
    parameters.fault('sort', `field "${column}" not in table`);
    return [];
  });
}

function fieldDict(fields: readonly RowField[], column: string): DatastoreField {
  if (column === '_id') return { id: '_id', type: 'int' };
  return { id: column, type: fields.find(({ id }) => id === column)?.type ?? 'text' };
}
