// A CSV table into typed columns: what is surely a number or a day becomes one, all else stays text.
import { catalogueErrors } from './errors.ts';
import { delimiterOf, readCsv } from './source-format.ts';
import { decodeText, unpack } from './source-text.ts';
import type { RowField } from './store-read.ts';

export type Cell = string | null;

export interface RowTable {
  fields: RowField[];
  /** Cells in the text form of their column's type, for PostgreSQL to read. */
  rows: Cell[][];
}

const maxColumns = 500;
const maxNameLength = 200;

/** Codes are written with digits but aren't numbers: nobody adds them up, and zeros lead them. */
const codeName =
  /代码|代號|編號|编号|编码|號碼|号码|证号|證號|电话|電話|邮编|信用|code$|phone|postcode|zip$|_id$|^id$/i;

/** At most 15 significant digits, so that a JSON number holds it; no leading zero, no exponent. */
const numberPattern = /^-?(?:0|[1-9]\d{0,14})(?:\.\d{1,12})?$/;
const dayPattern = /^\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])$/;
const momentPattern = /^\d{4}-\d{2}-\d{2}[T ](?:[01]\d|2[0-3]):[0-5]\d(?::[0-5]\d(?:\.\d{1,6})?)?$/;

/** Reads a table: utf-8, gb18030 or Big5, commas, tabs or semicolons. Any uneven row refuses it. */
export function readRowTable(bytes: Uint8Array): RowTable {
  const { text } = decodeText(unpack(bytes));
  const [header, ...lines] = readCsv(text, delimiterOf(text.replace(/^\uFEFF/, '')));
  if (!header)
    throw catalogueErrors.table_invalid('The table is empty: a line of names is needed.');
  const names = columnNames(header.cells);
  const uneven = lines.filter(({ cells }) => cells.length !== names.length);
  if (uneven.length > 0) {
    throw catalogueErrors.table_invalid('Rows must have one value for each column.', {
      fields: uneven.slice(0, 20).map(({ cells, line }) => ({
        pointer: `/${line}`,
        detail: `line ${line} has ${cells.length} values for ${names.length} columns`,
      })),
    });
  }
  const rows = lines.map(({ cells }) => cells.map((cell) => (cell.trim() === '' ? null : cell)));
  const fields = names.map((id, at): RowField => ({ id, type: inferType(id, rows, at) }));
  return {
    fields,
    rows: rows.map((row) => row.map((cell, at) => cellOf(cell, fields[at]?.type ?? 'text'))),
  };
}

function columnNames(header: string[]): string[] {
  if (header.length > maxColumns) {
    throw catalogueErrors.table_invalid(
      `The table has ${header.length} columns, at most ${maxColumns} are taken.`,
    );
  }
  const taken = new Set(['_id', '_search']);
  return header.map((cell, at) => {
    const wanted = cell.trim().slice(0, maxNameLength) || `column_${at + 1}`;
    let name = wanted;
    for (let next = 2; taken.has(name); next++) name = `${wanted}_${next}`;
    taken.add(name);
    return name;
  });
}

function inferType(name: string, rows: readonly Cell[][], at: number): RowField['type'] {
  const values = rows.flatMap((row) => row[at] ?? []).map((value) => value.trim());
  const allAre = (test: (value: string) => boolean) => values.length > 0 && values.every(test);
  if (!codeName.test(name) && allAre(isNumber)) return 'numeric';
  if (allAre(isDay)) return 'date';
  if (allAre((value) => momentPattern.test(value) && isDay(value.slice(0, 10)))) return 'timestamp';
  return allAre((value) => /^(true|false)$/i.test(value)) ? 'bool' : 'text';
}

function isNumber(value: string): boolean {
  return numberPattern.test(value) && value.replace(/\D/g, '').length <= 15;
}

function isDay(value: string): boolean {
  if (!dayPattern.test(value)) return false;
  const time = new Date(`${value}T00:00:00Z`);
  return !Number.isNaN(time.getTime()) && time.toISOString().startsWith(value);
}

function cellOf(cell: Cell, type: RowField['type']): Cell {
  return cell === null || type === 'text' ? cell : cell.trim();
}
