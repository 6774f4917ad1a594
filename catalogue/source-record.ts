// One record of a harvest source after reading: a dataset's content and who it is, or what is wrong.
import type { DatasetContent } from './dataset.ts';

export const sourceFormats = ['data.json', 'ckan', 'json', 'ndjson', 'csv'] as const;
export type SourceFormat = (typeof sourceFormats)[number];

/** What tells a record from the others of its source, strongest first; '' where the source is silent. */
export interface Identity {
  identifier: string;
  url: string;
  title: string;
  organisation: string;
}

export interface SourceRecord {
  content: DatasetContent;
  organisation: { title: string; region: string } | null;
}

/** One faulty place: a label, or a JSON pointer into the record. */
export interface Fault {
  field: string;
  why: string;
}

export type ReadRecord =
  | { record: SourceRecord; identity: Identity }
  | { faults: Fault[]; identity: Identity };

/** A record with its place in the source. */
export type PlacedRecord = ReadRecord & { position: number };

/** A source, read: plain values, so that it can come from another thread. */
export interface ReadSource {
  format: SourceFormat;
  records: PlacedRecord[];
}

export const nobody: Identity = { identifier: '', url: '', title: '', organisation: '' };

const blanks = new Set(['', 'null', 'none', 'undefined', 'n/a', '-', '--', '暂无', '暫無']);

/** Text without the words that sources write for "nothing". */
export function withoutBlank(text: string): string {
  const trimmed = text.trim();
  return blanks.has(trimmed.toLowerCase()) ? '' : trimmed;
}

/** A web address fit to be linked; '' for anything else, `javascript:` above all. */
export function webAddress(text: string): string {
  if (!/^https?:\/\//i.test(text) || text.length > 2000) return '';
  return URL.canParse(text) ? text : '';
}

/** Is this a JSON object? Records, publishers and distributions have to be. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A fault's view of a value, for its words. */
export function kindOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'a list';
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}
