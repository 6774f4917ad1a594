// A record of a portal's dataset list (CSV, JSON) read through the field map.
import type { DatasetContent } from './dataset.ts';
import { type Field, mapLabels } from './field-map.ts';
import { mediaTypeOf, readFormat } from './formats.ts';
import { readFrequency } from './frequency.ts';
import { readOpenLevel } from './open-level.ts';
import { readSourceDate } from './source-date.ts';
import {
  type Fault,
  isRecord,
  kindOf,
  nobody,
  type ReadRecord,
  webAddress,
  withoutBlank,
} from './source-record.ts';
import { readThemes } from './themes.ts';

const separators = /[、，,；;|\n\t]+/;
/** Subjects have 、 inside: 公共管理、社会保障和社会组织 is one. */
const subjectSeparators = /[，,；;|\n\t]+/;
const maxTitle = 1000;
const maxNotes = 100_000;

/** The texts of one record by field; faults for values that are no text. */
class RecordTexts {
  readonly faults: Fault[] = [];
  readonly #values: Record<string, unknown>;
  readonly #keysOf: Map<Field, string[]>;

  constructor(values: Record<string, unknown>, keysOf: Map<Field, string[]>) {
    this.#values = values;
    this.#keysOf = keysOf;
  }

  /** All the field's texts, in the order of preference, blanks left out. */
  all(field: Field): string[] {
    return (this.#keysOf.get(field) ?? [])
      .flatMap((key) => this.#texts(key))
      .map(withoutBlank)
      .filter((text) => text !== '');
  }

  first(field: Field): string {
    return this.all(field)[0] ?? '';
  }

  list(field: Field, between = separators): string[] {
    return this.all(field)
      .flatMap((text) => text.split(between))
      .map(withoutBlank)
      .filter((text) => /[\p{L}\p{N}]/u.test(text));
  }

  /** The texts of some labels under the labels themselves. */
  labelled(keys: readonly string[]): [string, string][] {
    return keys
      .map((key): [string, string] => [key, withoutBlank(asText(this.#values[key]))])
      .filter(([, text]) => text !== '');
  }

  #texts(key: string): string[] {
    const value = this.#values[key];
    const list: unknown[] = Array.isArray(value) ? value : [value];
    const texts: string[] = [];
    for (const item of list) {
      if (item === null || item === undefined) continue;
      if (typeof item === 'object') {
        this.faults.push({ field: key, why: `is ${kindOf(item)}, not text` });
        return [];
      }
      texts.push(String(item));
    }
    return texts;
  }
}

function asText(value: unknown): string {
  if (value === null || value === undefined) return '';
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

/** Fields whose first text has a place of its own; further ones are kept as extras. */
const singles = ['organisation', 'notes', 'issued', 'modified', 'url', 'identifier'] as const;
/** Fields that are kept only as extras under the source's label. */
const keptAside = ['serial', 'region', 'columns'] as const;

/**
 * Reads one record. Only a title is asked for; a word that can't be understood (a date, a level) is
 * kept as the source wrote it and isn't a fault, but a value of the wrong kind is.
 */
export function readListRecord(value: unknown): ReadRecord {
  if (!isRecord(value)) {
    return { faults: [{ field: 'record', why: `is ${kindOf(value)}` }], identity: nobody };
  }
  const { keysOf, unmapped } = mapLabels(Object.keys(value));
  const texts = new RecordTexts(value, keysOf);
  const title = texts.first('title').replace(/\s+/g, ' ');
  const organisation = texts.first('organisation').slice(0, 500);
  const region = texts.first('region');
  const url = webAddress(texts.first('url'));
  const content = contentOf(texts, { title, url });
  const identity = {
    identifier: texts.first('identifier').slice(0, 500),
    url,
    title,
    organisation: `${region}\n${organisation}`,
  };
  const faults = [...texts.faults, ...faultsOf(content, keysOf)];
  if (faults.length > 0) return { faults, identity };
  content.extras = texts.labelled([
    ...keptAside.flatMap((field) => keysOf.get(field) ?? []),
    ...singles.flatMap((field) => (keysOf.get(field) ?? []).slice(1)),
    ...unmapped,
  ]);
  return {
    record: { content, organisation: organisation === '' ? null : { title: organisation, region } },
    identity,
  };
}

function contentOf(texts: RecordTexts, known: { title: string; url: string }): DatasetContent {
  const openType = texts.first('openType');
  const openCondition = texts.first('openCondition');
  const byType = readOpenLevel(openType, 'type');
  const openness = byType.level === null ? readOpenLevel(openCondition, 'condition') : byType;
  const frequencyWords = texts.first('frequency');
  const subjectWords = [...new Set(texts.list('subject', subjectSeparators))];
  const notes = texts.first('notes');
  return {
    title: known.title,
    notes: notes === '' ? texts.first('columns') : notes,
    url: known.url === '' ? null : known.url,
    openLevel: openness.level,
    openWords: openType === '' ? openCondition : openType,
    openCondition: openType === '' ? '' : openCondition,
    isLoginRequired: openness.isLoginRequired,
    isApplicationRequired: openness.isApplicationRequired,
    frequency: readFrequency(frequencyWords),
    frequencyWords,
    subjectWords,
    themes: readThemes(subjectWords),
    tags: [...new Set(texts.list('tags').map((tag) => tag.slice(0, 100)))],
    licence: texts.first('licence').slice(0, 500) || null,
    version: texts.first('version').slice(0, 100) || null,
    issued: readSourceDate(texts.first('issued')),
    modified: readSourceDate(texts.first('modified')),
    extras: [],
    resources: resourcesOf(texts, known.url),
  };
}

/** Lists name formats but no files, so each format leads to the dataset's own page. */
function resourcesOf(texts: RecordTexts, url: string): DatasetContent['resources'] {
  const formats = [...new Set(texts.list('formats').map(readFormat))].filter((word) => word !== '');
  return formats.map((format) => ({
    name: format,
    description: '',
    format,
    mimetype: mediaTypeOf(format),
    url: url === '' ? null : url,
  }));
}

function faultsOf(content: DatasetContent, keysOf: Map<Field, string[]>): Fault[] {
  const faults: Fault[] = [];
  const label = keysOf.get('title')?.[0] ?? 'title';
  if (content.title === '') faults.push({ field: label, why: 'is missing' });
  if (content.title.length > maxTitle) {
    faults.push({
      field: label,
      why: `has ${content.title.length} characters, at most ${maxTitle}`,
    });
  }
  if (content.notes.length > maxNotes) {
    const where = keysOf.get('notes')?.[0] ?? 'notes';
    faults.push({
      field: where,
      why: `has ${content.notes.length} characters, at most ${maxNotes}`,
    });
  }
  return faults;
}
