// Dates as portals write them, read into days; what isn't a day that exists is not a date.

const patterns: [RegExp, (year: number) => number][] = [
  [/^(\d{4})-(\d{1,2})-(\d{1,2})(?:[ T].*)?$/, (year) => year],
  [/^(\d{4})[/.](\d{1,2})[/.](\d{1,2})(?: .*)?$/, (year) => year],
  [/^(\d{4})年(\d{1,2})月(\d{1,2})日?(?:.*)?$/, (year) => year],
  [/^(\d{4})(\d{2})(\d{2})$/, (year) => year],
  // Years of the Republic: 107/07/22, 民國107年7月22日.
  [/^(?:民[國国])?(\d{2,3})[/.](\d{1,2})[/.](\d{1,2})(?: .*)?$/, (year) => year + 1911],
  [/^民[國国](\d{2,3})年(\d{1,2})月(\d{1,2})日?$/, (year) => year + 1911],
];

/** The day (`YYYY-MM-DD`) in a source's words; null when they name none. */
export function readSourceDate(words: string): string | null {
  const text = words.normalize('NFKC').trim();
  for (const [pattern, toYear] of patterns) {
    const match = pattern.exec(text);
    if (!match) continue;
    return dayOf(toYear(Number(match[1])), Number(match[2]), Number(match[3]));
  }
  return null;
}

function dayOf(year: number, month: number, day: number): string | null {
  const date = new Date(Date.UTC(year, month - 1, day));
  const isReal =
    date.getUTCFullYear() === year && date.getUTCMonth() === month - 1 && date.getUTCDate() === day;
  return isReal && year >= 1000 ? date.toISOString().slice(0, 10) : null;
}
