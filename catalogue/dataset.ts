// What a dataset is: its content, its states, and what of it may be told (contract 6, CKAN terms).
import { z } from 'zod';
import { frequencies } from './frequency.ts';
import { namePattern } from './names.ts';
import { openLevels } from './open-level.ts';
import { themes } from './themes.ts';

/** draft → review → published → withdrawn; `withdrawn` is also what a harvest's delete leaves. */
export const datasetStates = ['draft', 'review', 'published', 'withdrawn'] as const;
export type DatasetState = (typeof datasetStates)[number];

const Day = z.iso.date();
const HttpUrl = z.url({ protocol: /^https?$/ });

export const ResourceContent = z.object({
  name: z.string().max(1000),
  description: z.string().default(''),
  format: z.string().max(40).default(''),
  mimetype: z.string().max(200).nullable().default(null),
  url: HttpUrl.nullable().default(null),
});
export type ResourceContent = z.infer<typeof ResourceContent>;

/** All that describes a dataset, whoever brought it. */
export const DatasetContent = z.object({
  title: z.string().min(1).max(1000),
  notes: z.string().max(100_000).default(''),
  url: HttpUrl.nullable().default(null),
  openLevel: z.enum(openLevels).nullable(),
  /** The source's own words for the level. */
  openWords: z.string().default(''),
  /** The condition, or for data that isn't opened the reason. */
  openCondition: z.string().default(''),
  isLoginRequired: z.boolean().default(false),
  isApplicationRequired: z.boolean().default(false),
  frequency: z.enum(frequencies).nullable().default(null),
  frequencyWords: z.string().default(''),
  subjectWords: z.array(z.string()).default([]),
  themes: z.array(z.string()).default([]),
  tags: z.array(z.string().min(1).max(100)).default([]),
  licence: z.string().max(500).nullable().default(null),
  version: z.string().max(100).nullable().default(null),
  issued: Day.nullable().default(null),
  modified: Day.nullable().default(null),
  /** What else the source says, by the source's own labels. */
  extras: z.array(z.tuple([z.string(), z.string()])).default([]),
  resources: z.array(ResourceContent).default([]),
});
export type DatasetContent = z.infer<typeof DatasetContent>;

/** A dataset as a department hands it in. */
export const DatasetInput = DatasetContent.extend({
  name: z.string().regex(namePattern),
  /** The CKAN name of an organisation of the catalogue. */
  organisation: z.string().regex(namePattern),
  state: z.enum(datasetStates).default('draft'),
  isPrivate: z.boolean().default(false),
  embargoUntil: z.iso.datetime().nullable().default(null),
});
export type DatasetInput = z.input<typeof DatasetInput>;

export const OrganisationInput = z.object({
  name: z.string().regex(namePattern),
  title: z.string().min(1).max(500),
  description: z.string().default(''),
  /** The organisation's id in identity/, whose stewards look after it; null for foreign publishers. */
  department: z.string().nullable().default(null),
});
export type OrganisationInput = z.input<typeof OrganisationInput>;

/**
 * The content that is stored and told: of data that isn't opened only title and reason, so that no
 * tag, facet, count or search word can tell the rest (spec: catalogue 2.6). Themes are the
 * catalogue's own, each once.
 */
export function tellable(content: DatasetContent): DatasetContent {
  const known = themes.map(({ name }) => name).filter((name) => content.themes.includes(name));
  if (content.openLevel !== 'not_open') {
    return { ...content, themes: known, tags: [...new Set(content.tags)] };
  }
  return {
    ...DatasetContent.parse({ title: content.title, openLevel: 'not_open' }),
    openWords: content.openWords,
    openCondition: content.openCondition,
  };
}
