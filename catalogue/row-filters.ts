// The `filters` of datastore_search (spec: catalogue 2.1): values, lists, and gt/gte/lt/lte/eq objects.
import type { CkanParameters } from './ckan-parameters.ts';
import { readSourceDate } from './source-date.ts';
import { isRecord } from './source-record.ts';
import type { RowField } from './store-read.ts';
import type { Comparison, RowFilter } from './store-rows.ts';

const comparisons: readonly Comparison[] = ['eq', 'lt', 'lte', 'gt', 'gte'];
const maxValues = 1000;

const forms: Record<RowField['type'] | 'int', RegExp> = {
  text: /^/,
  int: /^-?\d{1,18}$/,
  numeric: /^-?\d{1,100}(\.\d{1,100})?$/,
  date: /^\d{4}-\d\d-\d\d$/,
  timestamp: /^\d{4}-\d\d-\d\d([T ]([01]\d|2[0-3]):[0-5]\d(:[0-5]\d(\.\d{1,6})?)?)?$/,
  bool: /^(true|false)$/i,
};

/** The filters that all have to hold; what doesn't fit the table is a fault of `filters`. */
export function readRowFilters(
  parameters: CkanParameters,
  fields: readonly RowField[],
): RowFilter[] {
  const value = parameters.json('filters');
  if (value === undefined) return [];
  if (!isRecord(value)) {
    parameters.fault('filters', 'Not a JSON object');
    return [];
  }
  return Object.entries(value).flatMap(([key, wanted]) => {
    // A column whose name begins with $ is written with $$.
    const column = key.startsWith('$$') ? key.slice(1) : key;
    const type = column === '_id' ? 'int' : fields.find(({ id }) => id === column)?.type;
    if (type === undefined) {
      parameters.fault('filters', `invalid value "${column.slice(0, 200)}"`);
      return [];
    }
    const filters = filtersOf(column, wanted);
    const bad = filters?.flatMap(({ values }) => values).find((text) => !isOfType(text, type));
    if (filters === null || bad !== undefined) {
      const what = bad === undefined ? '' : ` "${bad.slice(0, 200)}"`;
      parameters.fault('filters', `invalid value${what} for the ${type} column "${column}"`);
      return [];
    }
    return filters;
  });
}

function isOfType(text: string, type: RowField['type'] | 'int'): boolean {
  if (!forms[type].test(text)) return false;
  return !(type === 'date' || type === 'timestamp') || readSourceDate(text.slice(0, 10)) !== null;
}

function filtersOf(column: string, wanted: unknown): RowFilter[] | null {
  if (Array.isArray(wanted)) {
    const values = wanted.map(scalar);
    if (wanted.length > maxValues || values.some((value) => value === null)) return null;
    return [{ column, comparison: 'eq', values: values.filter((value) => value !== null) }];
  }
  if (isRecord(wanted)) {
    const filters = Object.entries(wanted).map(([key, value]) => {
      const comparison = comparisons.find((each) => each === key);
      const text = scalar(value);
      return comparison && text !== null ? { column, comparison, values: [text] } : null;
    });
    return filters.some((filter) => filter === null)
      ? null
      : filters.filter((filter) => filter !== null);
  }
  const text = scalar(wanted);
  return text === null ? null : [{ column, comparison: 'eq', values: [text] }];
}

function scalar(value: unknown): string | null {
  return ['string', 'number', 'boolean'].includes(typeof value) ? String(value) : null;
}
