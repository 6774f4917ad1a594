// The tables of the catalogue as drizzle sees them; migrations/0007_catalogue.sql makes them.
import {
  bigint,
  boolean,
  customType,
  date,
  integer,
  jsonb,
  pgSchema,
  primaryKey,
  text,
  timestamp,
  uuid,
} from 'drizzle-orm/pg-core';

const tsvector = customType<{ data: string }>({ dataType: () => 'tsvector' });
const moment = (name: string) => timestamp(name, { withTimezone: true, precision: 3 });

export const catalogueSchema = pgSchema('catalogue');

export const organisations = catalogueSchema.table('organisations', {
  id: uuid('id').primaryKey(),
  name: text('name').notNull().unique(),
  title: text('title').notNull(),
  description: text('description').notNull(),
  department: text('department'),
  createdAt: moment('created_at').notNull(),
});

export const harvestSources = catalogueSchema.table('harvest_sources', {
  id: uuid('id').primaryKey(),
  location: text('location').notNull().unique(),
  leasedBy: uuid('leased_by'),
  leasedUntil: moment('leased_until'),
  createdAt: moment('created_at').notNull(),
});

export const datasets = catalogueSchema.table('datasets', {
  id: uuid('id').primaryKey(),
  name: text('name').notNull().unique(),
  organisationId: uuid('organisation_id').references(() => organisations.id),
  sourceId: uuid('source_id').references(() => harvestSources.id),
  state: text('state').notNull(),
  isPrivate: boolean('is_private').notNull(),
  embargoUntil: moment('embargo_until'),
  title: text('title').notNull(),
  notes: text('notes').notNull(),
  url: text('url'),
  openLevel: text('open_level'),
  openWords: text('open_words').notNull(),
  openCondition: text('open_condition').notNull(),
  isLoginRequired: boolean('is_login_required').notNull(),
  isApplicationRequired: boolean('is_application_required').notNull(),
  frequency: text('frequency'),
  frequencyWords: text('frequency_words').notNull(),
  subjectWords: text('subject_words').array().notNull(),
  themes: text('themes').array().notNull(),
  tags: text('tags').array().notNull(),
  formats: text('formats').array().notNull(),
  licence: text('licence'),
  licenceId: text('licence_id').notNull(),
  version: text('version'),
  issued: date('issued'),
  modified: date('modified'),
  extras: jsonb('extras').notNull(),
  createdAt: moment('created_at').notNull(),
  changedAt: moment('changed_at').notNull(),
  search: tsvector('search').notNull(),
});

export const resources = catalogueSchema.table('resources', {
  id: uuid('id').primaryKey(),
  datasetId: uuid('dataset_id')
    .notNull()
    .references(() => datasets.id),
  position: integer('position').notNull(),
  name: text('name').notNull(),
  description: text('description').notNull(),
  format: text('format').notNull(),
  mimetype: text('mimetype'),
  url: text('url'),
  createdAt: moment('created_at').notNull(),
  changedAt: moment('changed_at').notNull(),
  rowTable: text('row_table').unique(),
  rowCount: bigint('row_count', { mode: 'number' }),
  rowFields: jsonb('row_fields'),
});

export const harvestJobs = catalogueSchema.table('harvest_jobs', {
  id: uuid('id').primaryKey(),
  sourceId: uuid('source_id')
    .notNull()
    .references(() => harvestSources.id),
  state: text('state').notNull(),
  format: text('format').notNull(),
  startedAt: moment('started_at').notNull(),
  endedAt: moment('ended_at'),
  added: integer('added').notNull(),
  changed: integer('changed').notNull(),
  unchanged: integer('unchanged').notNull(),
  deleted: integer('deleted').notNull(),
  duplicates: integer('duplicates').notNull(),
  errors: jsonb('errors').notNull(),
});

export const harvestRecords = catalogueSchema.table(
  'harvest_records',
  {
    sourceId: uuid('source_id')
      .notNull()
      .references(() => harvestSources.id),
    key: text('key').notNull(),
    ordinal: integer('ordinal').notNull(),
    datasetId: uuid('dataset_id')
      .notNull()
      .unique()
      .references(() => datasets.id),
    hash: text('hash').notNull(),
    isDeleted: boolean('is_deleted').notNull(),
  },
  (table) => [primaryKey({ columns: [table.sourceId, table.key, table.ordinal] })],
);
