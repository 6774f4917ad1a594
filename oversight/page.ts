// Pages of the log and times in questions (contract section 3).
import { endOfCityDay, startOfCityDay } from '../platform/index.ts';
import { oversightErrors } from './errors.ts';

/** What every list of entries takes. */
export interface PageQuery {
  limit?: number | undefined;
  cursor?: string | undefined;
}

export interface Page<Item> {
  items: Item[];
  /** Null on the last page. */
  nextCursor: string | null;
}

const usualLimit = 50;
const mostAtOnce = 200;

/** Reads a page's query; the cursor is the index of the last entry of the page before. */
export function readPage({ limit = usualLimit, cursor }: PageQuery) {
  if (cursor !== undefined && !/^\d{1,16}$/.test(cursor)) {
    throw oversightErrors.cursor_invalid('This cursor does not come from a list of ours.');
  }
  return {
    limit: Math.max(1, Math.min(mostAtOnce, Math.floor(limit))),
    beforeIndex: cursor === undefined ? undefined : Number(cursor),
  };
}

/** A page from up to `limit` + 1 rows: the one too many says that there is a next page. */
export function toPage<Row extends { index: number }, Item>(
  rows: readonly Row[],
  items: readonly Item[],
  limit: number,
): Page<Item> {
  const last = rows.length > limit ? rows[limit - 1] : undefined;
  return { items: items.slice(0, limit), nextCursor: last ? String(last.index) : null };
}

const dayPattern = /^\d{4}-\d{2}-\d{2}$/;
const timePattern = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:\d{2})$/;

/** Times or days of the city, both inclusive. */
export function readPeriod(
  { from, to }: { from?: string | undefined; to?: string | undefined },
  cityTz: string,
): { from: Date | undefined; to: Date | undefined } {
  return {
    from: readTime(from, '/from', (day) => startOfCityDay(day, cityTz)),
    to: readTime(to, '/to', (day) => new Date(endOfCityDay(day, cityTz).getTime() - 1)),
  };
}

function readTime(
  text: string | undefined,
  pointer: string,
  ofDay: (day: string) => Date,
): Date | undefined {
  if (text === undefined) return undefined;
  if (timePattern.test(text)) {
    const time = new Date(text);
    if (!Number.isNaN(time.getTime())) return time;
  }
  if (dayPattern.test(text) && !Number.isNaN(new Date(text).getTime())) return ofDay(text);
  throw oversightErrors.time_invalid('Give a day (2026-03-04) or a time (2026-03-04T05:00:00Z).', {
    fields: [{ pointer, detail: 'Not a day or a time.' }],
  });
}
