// The registry's tables as drizzle sees them; migrations/0005_registry.sql and
// 0054_documents.sql make them.
import { sql } from 'drizzle-orm';
import {
  boolean,
  customType,
  date,
  foreignKey,
  index,
  integer,
  json,
  pgSchema,
  primaryKey,
  smallint,
  text,
  timestamp,
  unique,
  uniqueIndex,
  uuid,
} from 'drizzle-orm/pg-core';

const bytea = customType<{ data: Buffer }>({ dataType: () => 'bytea' });
const moment = (name: string) => timestamp(name, { withTimezone: true });

export const registrySchema = pgSchema('registry');

export const licenceTypes = registrySchema.table(
  'licence_types',
  {
    id: text('id').notNull(),
    version: integer('version').notNull(),
    code: text('code').notNull(),
    issuerId: text('issuer_id').notNull(),
    definition: json('definition').notNull(),
    publishedAt: moment('published_at').notNull(),
  },
  (table) => [primaryKey({ columns: [table.id, table.version] })],
);

export const typeCodes = registrySchema.table('type_codes', {
  code: text('code').primaryKey(),
  typeId: text('type_id').notNull().unique(),
});

export const licenceKeys = registrySchema.table(
  'licence_keys',
  {
    number: text('number').primaryKey(),
    codeKey: bytea('code_key').notNull().unique(),
    lineage: uuid('lineage').notNull(),
    version: smallint('version').notNull(),
    holderId: uuid('holder_id').notNull(),
    typeId: text('type_id').notNull(),
    isLive: boolean('is_live').notNull(),
  },
  (table) => [
    unique().on(table.lineage, table.version),
    uniqueIndex('licence_keys_one_live').on(table.lineage).where(sql`is_live`),
    index('licence_keys_holder').on(table.holderId, table.typeId),
  ],
);

export const licences = registrySchema.table(
  'licences',
  {
    number: text('number').primaryKey(),
    lineage: uuid('lineage').notNull(),
    version: smallint('version').notNull(),
    typeId: text('type_id').notNull(),
    typeVersion: integer('type_version').notNull(),
    issuerId: text('issuer_id').notNull(),
    holderId: uuid('holder_id').notNull(),
    status: text('status').notNull(),
    validFrom: date('valid_from').notNull(),
    validTo: date('valid_to'),
    issuedAt: moment('issued_at').notNull(),
    changedAt: moment('changed_at').notNull(),
    revision: integer('revision').notNull(),
    statusListUri: text('status_list_uri').notNull(),
    statusListIndex: integer('status_list_index').notNull(),
    supersedes: text('supersedes'),
    supersededBy: text('superseded_by'),
    bodySealed: bytea('body_sealed').notNull(),
    codeSealed: bytea('code_sealed').notNull(),
  },
  (table) => [
    foreignKey({
      columns: [table.typeId, table.typeVersion],
      foreignColumns: [licenceTypes.id, licenceTypes.version],
    }),
    index('licences_due').on(table.validTo).where(sql`status in ('valid', 'suspended')`),
  ],
);

export const mentions = registrySchema.table(
  'mentions',
  {
    personId: uuid('person_id').notNull(),
    typeId: text('type_id').notNull(),
    number: text('number').notNull(),
  },
  (table) => [primaryKey({ columns: [table.personId, table.typeId, table.number] })],
);

export const credentials = registrySchema.table('credentials', {
  number: text('number').primaryKey(),
  credentialSealed: bytea('credential_sealed').notNull(),
});

export const documents = registrySchema.table(
  'documents',
  {
    number: text('number').notNull(),
    status: text('status').notNull(),
    day: date('day').notNull(),
    cut: text('cut').notNull(),
    pdfSealed: bytea('pdf_sealed').notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.number, table.status, table.day, table.cut] }),
    index('documents_day').on(table.day),
  ],
);

export const licenceEvents = registrySchema.table(
  'licence_events',
  {
    number: text('number').notNull(),
    id: uuid('id').notNull(),
    act: text('act').notNull(),
    status: text('status').notNull(),
    at: moment('at').notNull(),
    organisationId: text('organisation_id'),
    legalBasis: text('legal_basis'),
    related: text('related'),
    reasonSealed: bytea('reason_sealed'),
  },
  (table) => [primaryKey({ columns: [table.number, table.id] })],
);

export const applications = registrySchema.table('applications', {
  id: uuid('id').primaryKey(),
  typeId: text('type_id').notNull(),
  organisationId: text('organisation_id').notNull(),
  holderId: uuid('holder_id').notNull(),
  requester: text('requester').notNull(),
  requestedAt: moment('requested_at').notNull(),
  inputSealed: bytea('input_sealed').notNull(),
  state: text('state').notNull(),
  approver: text('approver'),
  decidedAt: moment('decided_at'),
  number: text('number'),
});

export const lookupCounts = registrySchema.table(
  'lookup_counts',
  {
    number: text('number').notNull(),
    hour: moment('hour').notNull(),
    looks: integer('looks').notNull(),
  },
  (table) => [primaryKey({ columns: [table.hour, table.number] })],
);

export const compareTries = registrySchema.table(
  'compare_tries',
  {
    number: text('number').notNull(),
    day: date('day').notNull(),
    tries: integer('tries').notNull(),
  },
  (table) => [primaryKey({ columns: [table.day, table.number] })],
);

export const sessionReads = registrySchema.table('session_reads', {
  sessionId: text('session_id').primaryKey(),
  at: moment('at').notNull(),
});
