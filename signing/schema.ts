// The tables of schema signing (migrations/0003_signing.sql, 0053_timestamps.sql,
// 0054_documents.sql).
import {
  bigint,
  customType,
  integer,
  pgSchema,
  primaryKey,
  smallint,
  text,
  timestamp,
} from 'drizzle-orm/pg-core';

const bytea = customType<{ data: Buffer }>({ dataType: () => 'bytea' });
const xid8 = customType<{ data: string }>({ dataType: () => 'xid8' });

export const signingSchema = pgSchema('signing');

export const statusPositions = signingSchema.sequence('status_positions', {
  minValue: 0,
  startWith: 0,
});

export const statusLists = signingSchema.table('status_lists', {
  id: integer('id').primaryKey(),
  uri: text('uri').notNull().unique(),
  size: integer('size').notNull(),
  shuffled: bytea('shuffled').notNull(),
  createdAt: timestamp('created_at', { withTimezone: true }).notNull(),
});

export const statuses = signingSchema.table(
  'statuses',
  {
    listId: integer('list_id')
      .notNull()
      .references(() => statusLists.id),
    idx: integer('idx').notNull(),
    status: smallint('status').notNull(),
    changedXid: xid8('changed_xid').notNull(),
  },
  (table) => [primaryKey({ columns: [table.listId, table.idx] })],
);

export const revokedCertificates = signingSchema.table('revoked_certificates', {
  serial: text('serial').primaryKey(),
  reason: smallint('reason').notNull(),
  revokedAt: timestamp('revoked_at', { withTimezone: true }).notNull(),
});

export const revocationLists = signingSchema.table('revocation_lists', {
  number: bigint('number', { mode: 'number' }).primaryKey(),
  entries: integer('entries').notNull(),
  thisUpdate: timestamp('this_update', { withTimezone: true }).notNull(),
  nextUpdate: timestamp('next_update', { withTimezone: true }).notNull(),
  der: bytea('der').notNull(),
});

export const timestampSerials = signingSchema.sequence('timestamp_serials');

export const timestamps = signingSchema.table('timestamps', {
  serial: bigint('serial', { mode: 'bigint' }).primaryKey(),
  hash: text('hash').notNull(),
  imprint: bytea('imprint').notNull(),
  stampedAt: timestamp('stamped_at', { withTimezone: true }).notNull(),
});

export const sealedDocuments = signingSchema.table('sealed_documents', {
  digest: bytea('digest').primaryKey(),
  number: text('number').notNull(),
  certificate: text('certificate').notNull(),
  sealedAt: timestamp('sealed_at', { withTimezone: true }).notNull(),
});
