// The tables of the log as drizzle sees them; migrations/0002_audit.sql makes them.
import {
  bigint,
  customType,
  pgSchema,
  primaryKey,
  smallint,
  text,
  timestamp,
  uuid,
} from 'drizzle-orm/pg-core';

const bytea = customType<{ data: Buffer }>({ dataType: () => 'bytea' });
const index = (name: string) => bigint(name, { mode: 'number' });
const moment = (name: string) => timestamp(name, { withTimezone: true, precision: 3 });

export const auditSchema = pgSchema('audit');

export const stage = auditSchema.table('stage', {
  seq: index('seq').primaryKey().generatedAlwaysAsIdentity(),
  id: uuid('id').notNull(),
  leaf: bytea('leaf').notNull(),
  at: moment('at').notNull(),
  type: text('type').notNull(),
  outcome: text('outcome').notNull(),
  department: text('department'),
  actor: text('actor').notNull(),
  service: text('service'),
  subjectTag: bytea('subject_tag'),
  caseTag: bytea('case_tag'),
  sealed: bytea('sealed'),
  discloseAt: moment('disclose_at'),
});

export const head = auditSchema.table('head', {
  id: smallint('id').primaryKey(),
  size: index('size').notNull(),
  root: bytea('root').notNull(),
  epoch: index('epoch').notNull(),
});

export const entries = auditSchema.table('entries', {
  idx: index('idx').primaryKey(),
  leaf: bytea('leaf').notNull(),
  leafHash: bytea('leaf_hash').notNull(),
});

export const stageIndexes = auditSchema.table('stage_indexes', {
  stageId: uuid('stage_id').primaryKey(),
  idx: index('idx').notNull(),
});

export const lookups = auditSchema.table('lookups', {
  idx: index('idx').primaryKey(),
  at: moment('at').notNull(),
  type: text('type').notNull(),
  outcome: text('outcome').notNull(),
  department: text('department'),
  actor: text('actor').notNull(),
  service: text('service'),
  subjectTag: bytea('subject_tag'),
  caseTag: bytea('case_tag'),
  sealed: bytea('sealed'),
  discloseAt: moment('disclose_at'),
});

export const tiles = auditSchema.table(
  'tiles',
  {
    level: smallint('level').notNull(),
    n: index('n').notNull(),
    hashes: bytea('hashes').notNull(),
    root: bytea('root').notNull(),
  },
  (table) => [primaryKey({ columns: [table.level, table.n] })],
);

export const checkpoints = auditSchema.table('checkpoints', {
  size: index('size').primaryKey(),
  root: bytea('root').notNull(),
  note: text('note').notNull(),
  signedAt: moment('signed_at').notNull(),
  publishedAt: moment('published_at'),
});
