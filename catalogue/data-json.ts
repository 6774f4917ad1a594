// A dataset of a data.json 1.1 (DCAT-US, spec: catalogue 2.4), nulls included as publishers write them.
import type { DatasetContent, ResourceContent } from './dataset.ts';
import { mediaTypeOf, readFormat } from './formats.ts';
import { readFrequency } from './frequency.ts';
import { JsonReader } from './json-reader.ts';
import type { OpenLevel } from './open-level.ts';
import { readSourceDate } from './source-date.ts';
import { isRecord, kindOf, nobody, type ReadRecord, webAddress } from './source-record.ts';
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
  const reader = new JsonReader(value, '', []);
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

function contentOf(reader: JsonReader, title: string): DatasetContent {
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

function resourceOf(reader: JsonReader): ResourceContent {
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
