// Which kind of list a harvest source is, and its records with their places: JSON, NDJSON, CSV, data.json.
import { parse } from 'csv-parse/sync';
import { isCkanPackage, readCkanPackage } from './ckan-package.ts';
import { readDataJsonDataset } from './data-json.ts';
import { catalogueErrors } from './errors.ts';
import { mapLabels } from './field-map.ts';
import { jsonFaultPlace } from './json-fault.ts';
import { readListRecord } from './list-record.ts';
import {
  type Fault,
  isRecord,
  nobody,
  type ReadRecord,
  type ReadSource,
  type SourceFormat,
} from './source-record.ts';
import { decodeText, unpack } from './source-text.ts';

/** A raw record, or why the text at this place is none. */
export type RawRecord = { position: number; value: unknown } | { position: number; fault: Fault };

export interface Source {
  format: SourceFormat;
  records: RawRecord[];
  read(value: unknown): ReadRecord;
}

/** Everything of a source's bytes; what is no list of datasets at all is refused. */
export function readSource(bytes: Uint8Array): ReadSource {
  return readRecordsOf(openSource(decodeText(unpack(bytes)).text));
}

/** The records of an open source, each read or with its faults. */
export function readRecordsOf(source: Source): ReadSource {
  const records = source.records.map((raw) => ({
    position: raw.position,
    ...('fault' in raw ? { faults: [raw.fault], identity: nobody } : source.read(raw.value)),
  }));
  return { format: source.format, records };
}

/**
 * Recognises the text's format and splits it into records. What is no list of datasets at all (a web
 * page, RDF, broken JSON) is refused with the place; a broken record is only that record's fault.
 */
export function openSource(text: string): Source {
  const trimmed = text.replace(/^\uFEFF/, '').trim();
  if (trimmed === '') throw catalogueErrors.source_unreadable('The source is empty.');
  if (trimmed.startsWith('<')) {
    throw catalogueErrors.source_unreadable(
      'This is XML or a web page. Lists are taken as JSON, NDJSON, CSV or data.json.',
    );
  }
  if (trimmed.startsWith('[')) return jsonList(parseJson(trimmed), 'json');
  if (trimmed.startsWith('{')) return openObject(trimmed);
  return csvSource(trimmed);
}

function openObject(text: string): Source {
  if (isNdjson(text)) return ndjsonSource(text);
  const value = parseJson(text);
  if (!isRecord(value)) return jsonList([value], 'json');
  if (Array.isArray(value.dataset)) return jsonList(value.dataset, 'data.json');
  const { result } = value;
  if (isRecord(result)) return jsonList(result.results ?? [result], 'json');
  const lists = Object.values(value).filter(
    (member) => Array.isArray(member) && member.some(isRecord),
  );
  if ('@graph' in value) {
    throw catalogueErrors.source_unreadable('This is RDF (JSON-LD); send its data.json instead.');
  }
  return jsonList(lists.length === 1 && !isCkanPackage(value) ? lists[0] : [value], 'json');
}

function jsonList(value: unknown, format: 'json' | 'data.json'): Source {
  const items: unknown[] = Array.isArray(value) ? value : [];
  const records = items.map((item, at) => ({ position: at + 1, value: item }));
  if (format === 'data.json') return { format, records, read: readDataJsonDataset };
  return { ...readerFor(items[0], 'json'), records };
}

/** CKAN's packages are known by the first of them; other records go through the field map. */
function readerFor(first: unknown, format: 'json' | 'ndjson'): Pick<Source, 'format' | 'read'> {
  return isCkanPackage(first)
    ? { format: 'ckan', read: readCkanPackage }
    : { format, read: readListRecord };
}

function ndjsonSource(text: string): Source {
  const records: RawRecord[] = [];
  text.split('\n').forEach((line, at) => {
    if (line.trim() === '') return;
    const position = at + 1;
    try {
      records.push({ position, value: JSON.parse(line) });
    } catch {
      records.push({
        position,
        fault: { field: 'line', why: `is broken at ${jsonFaultPlace(line)}` },
      });
    }
  });
  const first = records.find((record) => 'value' in record);
  return { ...readerFor(first?.value, 'ndjson'), records };
}

function csvSource(text: string): Source {
  const [header, ...rows] = readCsv(text, delimiterOf(text));
  const labels = (header?.cells ?? []).map((label) => label.trim());
  if (!mapLabels(labels).keysOf.has('title')) {
    throw catalogueErrors.source_unreadable(
      `No column is a dataset's title (资源名称, 資料集名稱, title …). The columns are: ${labels.slice(0, 30).join(', ').slice(0, 500)}.`,
    );
  }
  const records = rows.map(({ cells, line }): RawRecord => {
    if (cells.length !== labels.length) {
      const why = `has ${cells.length} values for ${labels.length} columns`;
      return { position: line, fault: { field: 'row', why } };
    }
    return {
      position: line,
      value: Object.fromEntries(cells.map((cell, at) => [labels[at], cell])),
    };
  });
  return { format: 'csv', records, read: readListRecord };
}

/** CSV rows with the line each ends on; quotes that never close are refused with their line. */
export function readCsv(text: string, delimiter: string): { cells: string[]; line: number }[] {
  const rows: { cells: string[]; line: number }[] = [];
  try {
    parse(text, {
      bom: true,
      delimiter,
      relax_column_count: true,
      relax_quotes: true,
      skip_empty_lines: true,
      on_record: (cells: string[], { lines }) => {
        rows.push({ cells, line: lines });
        return null;
      },
    });
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw catalogueErrors.source_unreadable(`The CSV can't be read: ${why}.`, { cause });
  }
  return rows;
}

/** The most frequent of comma, tab and semicolon in the first line. */
export function delimiterOf(text: string): string {
  const header = text.slice(0, (text.indexOf('\n') + 1 || text.length + 1) - 1);
  const counts = [',', '\t', ';'].map((mark) => ({ mark, count: header.split(mark).length }));
  return counts.reduce((best, next) => (next.count > best.count ? next : best)).mark;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw catalogueErrors.source_unreadable(`The JSON is broken at ${jsonFaultPlace(text)}.`, {
      cause,
    });
  }
}

/**
 * Lines that aren't one JSON value together, one of the first of which is a whole object: so a broken
 * line doesn't hide the rest.
 */
function isNdjson(text: string): boolean {
  if (isObject(text)) return false;
  return text.split('\n', 20).some((line) => isObject(line));
}

function isObject(text: string): boolean {
  try {
    return isRecord(JSON.parse(text));
  } catch {
    return false;
  }
}
