// A dataset of a data.json 1.1 (DCAT-US, spec: catalogue 2.4), nulls included as publishers write them.
import type { DatasetContent, ResourceContent } from './dataset.ts';
import { mediaTypeOf, readFormat } from './formats.ts';
import { readFrequency } from './frequency.ts';
import type { OpenLevel } from './open-level.ts';
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

const levels: Record<string, OpenLevel> = {
  public: 'unconditional',
  'restricted public': 'conditional',
  'non-public': 'not_open',
};

/** Kept as extras; contactPoint is left out, since it names a person as a rule. */
const extraKeys = [
  'bureauCode',
  'conformsTo',
  'dataQuality',
  'describedBy',
  'describedByType',
  'isPartOf',
  'language',
  'programCode',
  'references',
  'spatial',
  'systemOfRecords',
  'temporal',
];

/** Values of one object, by pointer, with the faults met on the way. */
class Reader {
  readonly faults: Fault[];
  readonly #value: Record<string, unknown>;
  readonly #pointer: string;

  constructor(value: Record<string, unknown>, pointer: string, faults: Fault[]) {
    this.#value = value;
    this.#pointer = pointer;
    this.faults = faults;
  }

  /** The text at `key`; '' when absent or null. Numbers and objects in its place are faults. */
  text(key: string, maxLength = 10_000): string {
    const value = this.#value[key];
    if (value === undefined || value === null) return '';
    if (typeof value !== 'string') return this.#fault(key, `is ${kindOf(value)}, not text`, '');
    if (value.length > maxLength) {
      return this.#fault(key, `has ${value.length} characters, at most ${maxLength}`, '');
    }
    return withoutBlank(value);
  }

  required(key: string, maxLength?: number): string {
    const before = this.faults.length;
    const text = this.text(key, maxLength);
    return text === '' && this.faults.length === before ? this.#fault(key, 'is missing', '') : text;
  }

  texts(key: string): string[] {
    const value = this.#value[key];
    if (value === undefined || value === null) return [];
    if (!Array.isArray(value)) return this.#fault(key, `is ${kindOf(value)}, not a list`, []);
    const items: unknown[] = value;
    const texts: string[] = [];
    items.forEach((item, at) => {
      if (typeof item === 'string') texts.push(item.trim());
      else if (item !== null)
        this.#fault(`${key}/${at}`, `is ${kindOf(item)}, not text`, undefined);
    });
    return texts.filter((text) => text !== '');
  }

  object(key: string): Reader | null {
    const value = this.#value[key];
    if (value === undefined || value === null) return null;
    if (!isRecord(value)) return this.#fault(key, `is ${kindOf(value)}, not an object`, null);
    return new Reader(value, `${this.#pointer}/${key}`, this.faults);
  }

  objects(key: string): Reader[] {
    const value = this.#value[key];
    if (value === undefined || value === null) return [];
    if (!Array.isArray(value)) return this.#fault(key, `is ${kindOf(value)}, not a list`, []);
    const items: unknown[] = value;
    return items.flatMap((item, at) => {
      if (isRecord(item)) return [new Reader(item, `${this.#pointer}/${key}/${at}`, this.faults)];
      return item === null
        ? []
        : this.#fault(`${key}/${at}`, `is ${kindOf(item)}, not an object`, []);
    });
  }

  /** Any value as text, for the extras. */
  kept(key: string): [string, string][] {
    const value = this.#value[key];
    if (value === undefined || value === null || value === '') return [];
    return [[key, typeof value === 'string' ? value : JSON.stringify(value)]];
  }

  fault(key: string, why: string): void {
    this.#fault(key, why, undefined);
  }

  #fault<T>(key: string, why: string, instead: T): T {
    this.faults.push({ field: `${this.#pointer}/${key}`, why });
    return instead;
  }
}

/**
 * Reads one member of `dataset`. Title, identifier and publisher's name are asked for; nulls
 * elsewhere count as absent (402 of 402 real records had none of the other required fields wrong,
 * 391 a null `modified`), but a value of the wrong kind or an unknown accessLevel is a fault.
 */
export function readDataJsonDataset(value: unknown): ReadRecord {
  if (!isRecord(value)) {
    return {
      faults: [{ field: '/', why: `is ${kindOf(value)}, not an object` }],
      identity: nobody,
    };
  }
  const reader = new Reader(value, '', []);
  const title = reader.required('title', 1000).replace(/\s+/g, ' ');
  const identifier = reader.required('identifier', 500);
  const publisher = reader.object('publisher');
  const organisation = publisher?.required('name', 500) ?? '';
  const content = contentOf(reader, title);
  const identity = { identifier, url: content.url ?? '', title, organisation };
  if (reader.faults.length > 0) return { faults: reader.faults, identity };
  return {
    record: {
      content,
      organisation: organisation === '' ? null : { title: organisation, region: '' },
    },
    identity,
  };
}

function contentOf(reader: Reader, title: string): DatasetContent {
  const accessLevel = reader.text('accessLevel');
  const openLevel = levels[accessLevel.toLowerCase()] ?? null;
  if (accessLevel !== '' && openLevel === null) {
    reader.fault('accessLevel', 'must be public, restricted public or non-public');
  }
  const modified = reader.text('modified');
  const period = reader.text('accrualPeriodicity') || (modified.startsWith('R/') ? modified : '');
  const subjectWords = reader.texts('theme');
  return {
    title,
    notes: reader.text('description', 100_000),
    url: webAddress(reader.text('landingPage')) || null,
    openLevel,
    openWords: accessLevel,
    openCondition: reader.text('rights'),
    isLoginRequired: false,
    isApplicationRequired: false,
    frequency: readFrequency(period),
    frequencyWords: period,
    subjectWords,
    themes: readThemes(subjectWords),
    tags: [...new Set(reader.texts('keyword').map((tag) => tag.slice(0, 100)))],
    licence: reader.text('license', 500) || null,
    version: null,
    issued: readSourceDate(reader.text('issued')),
    modified: readSourceDate(modified),
    extras: extraKeys.flatMap((key) => reader.kept(key)),
    resources: reader.objects('distribution').map(resourceOf),
  };
}

function resourceOf(reader: Reader): ResourceContent {
  const mediaType = reader.text('mediaType', 200);
  const said = readFormat(reader.text('format', 200));
  const format = said === '' ? readFormat(mediaType).slice(0, 40) : said;
  const url = reader.text('downloadURL', 2000) || reader.text('accessURL', 2000);
  return {
    name: reader.text('title', 1000) || format,
    description: reader.text('description'),
    format,
    mimetype: mediaType || mediaTypeOf(format),
    url: webAddress(url) || null,
  };
}
