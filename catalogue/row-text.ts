// Rows as CSV and TSV text, the way datastore_search and the dump write them.
import type { RowRecord } from './store-rows.ts';

/** One line of cells; quoted where the separator, a quote or a line break is inside. */
export function delimitedLine(cells: readonly unknown[], separator: ',' | '\t'): string {
  const quoted = cells.map((cell) => {
    const text = cell === null || cell === undefined ? '' : String(cell);
    return text.includes(separator) || /["\r\n]/.test(text)
      ? `"${text.replaceAll('"', '""')}"`
      : text;
  });
  return `${quoted.join(separator)}\r\n`;
}

/** Records as lines, in the order of the columns. */
export function delimitedText(
  records: readonly RowRecord[],
  columns: readonly string[],
  separator: ',' | '\t',
): string {
  return records
    .map((record) =>
      delimitedLine(
        columns.map((column) => record[column]),
        separator,
      ),
    )
    .join('');
}
