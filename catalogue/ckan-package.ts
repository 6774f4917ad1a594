// A package of another CKAN (package_search, package_show or a dump of ckanapi) as a dataset.
import type { DatasetContent } from './dataset.ts';
import { mediaTypeOf, readFormat } from './formats.ts';
import { readFrequency } from './frequency.ts';
import { JsonReader } from './json-reader.ts';
import { readOpenLevel } from './open-level.ts';
import { readSourceDate } from './source-date.ts';
import { isRecord, kindOf, nobody, type ReadRecord, webAddress } from './source-record.ts';
import { readThemes } from './themes.ts';

/** Extras that say what CKAN has no key for; sites put them beside the other keys as well. */
const ownKeys = ['open_level', 'open_condition', 'frequency', 'issued', 'modified', 'theme'];

/** Is this a package rather than a record of some other list? */
export function isCkanPackage(value: unknown): boolean {
  return isRecord(value) && Array.isArray(value.resources) && 'owner_org' in value;
}

/** Reads one package. What isn't public there is refused here. */
export function readCkanPackage(value: unknown): ReadRecord {
  if (!isRecord(value)) {
    return {
      faults: [{ field: '/', why: `is ${kindOf(value)}, not an object` }],
      identity: nobody,
    };
  }
  const reader = new JsonReader(value, '', []);
  const title = (reader.text('title', 1000) || reader.required('name', 1000)).replace(/\s+/g, ' ');
  const identifier = reader.required('id', 500);
  const organisation = reader.object('organization')?.text('title', 500) ?? '';
  const url = webAddress(reader.text('url'));
  if (value.private === true) reader.fault('private', 'is true: it is not public there');
  const state = reader.text('state');
  if (state !== '' && state !== 'active') reader.fault('state', `is ${state}, not active`);
  const content = contentOf(reader, title, url);
  const identity = { identifier, url, title, organisation };
  if (reader.faults.length > 0) return { faults: reader.faults, identity };
  return {
    record: {
      content,
      organisation: organisation === '' ? null : { title: organisation, region: '' },
    },
    identity,
  };
}

function contentOf(reader: JsonReader, title: string, url: string): DatasetContent {
  const extras = reader
    .objects('extras')
    .map((extra): [string, string] => [extra.text('key', 500), extra.text('value', 100_000)]);
  const said = new Map(extras);
  const openWords = said.get('open_level') ?? '';
  const frequencyWords = said.get('frequency') ?? '';
  const subjectWords = reader.objects('groups').map((group) => group.text('title', 500));
  return {
    title,
    notes: reader.text('notes', 100_000),
    url: url || null,
    ...levelOf(openWords, said.get('open_condition') ?? ''),
    frequency: readFrequency(frequencyWords),
    frequencyWords,
    subjectWords: subjectWords.filter((words) => words !== ''),
    themes: readThemes(subjectWords),
    tags: [...new Set(reader.objects('tags').map((tag) => tag.text('name', 100)))].filter(Boolean),
    licence: reader.text('license_url', 500) || reader.text('license_title', 500) || null,
    version: reader.text('version', 100) || null,
    issued: readSourceDate(said.get('issued') ?? reader.text('metadata_created')),
    modified: readSourceDate(said.get('modified') ?? reader.text('metadata_modified')),
    extras: extras.filter(([key]) => key !== '' && !ownKeys.includes(key)),
    resources: reader.objects('resources').map(resourceOf),
  };
}

function levelOf(openWords: string, openCondition: string) {
  const { level, ...needs } = readOpenLevel(openWords);
  return { openLevel: level, openWords, openCondition, ...needs };
}

function resourceOf(reader: JsonReader): DatasetContent['resources'][number] {
  const format = readFormat(reader.text('format', 200));
  return {
    name: reader.text('name', 1000) || format,
    description: reader.text('description'),
    format,
    mimetype: reader.text('mimetype', 200) || mediaTypeOf(format),
    url: webAddress(reader.text('url', 2000)) || null,
  };
}
