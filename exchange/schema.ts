// The exchange's tables as drizzle sees them; migrations/0006_exchange.sql makes them.
import { sql } from 'drizzle-orm';
import {
  boolean,
  customType,
  date,
  foreignKey,
  index,
  integer,
  json,
  jsonb,
  pgSchema,
  primaryKey,
  smallint,
  text,
  timestamp,
  unique,
  uuid,
} from 'drizzle-orm/pg-core';

const bytea = customType<{ data: Buffer }>({ dataType: () => 'bytea' });
const moment = (name: string) => timestamp(name, { withTimezone: true });

export const exchangeSchema = pgSchema('exchange');

export const legalBases = exchangeSchema.table('legal_bases', {
  id: text('id').primaryKey(),
  citeZh: text('cite_zh').notNull(),
  citeEn: text('cite_en').notNull(),
});

export const serviceVersions = exchangeSchema.table(
  'service_versions',
  {
    code: text('code').notNull(),
    version: integer('version').notNull(),
    providerId: text('provider_id').notNull(),
    legalBases: text('legal_bases').array().notNull(),
    definition: json('definition').notNull(),
    publishedAt: moment('published_at').notNull(),
    publishedBy: text('published_by').notNull(),
  },
  (table) => [primaryKey({ columns: [table.code, table.version] })],
);

export const services = exchangeSchema.table(
  'services',
  {
    code: text('code').primaryKey(),
    version: integer('version').notNull(),
  },
  (table) => [
    foreignKey({
      columns: [table.code, table.version],
      foreignColumns: [serviceVersions.code, serviceVersions.version],
    }),
  ],
);

export const agreements = exchangeSchema.table(
  'agreements',
  {
    id: uuid('id').primaryKey(),
    version: integer('version').notNull(),
    requesterId: text('requester_id').notNull(),
    providerId: text('provider_id').notNull(),
    serviceCode: text('service_code').references(() => services.code),
    licenceType: text('licence_type'),
    state: text('state').notNull(),
    legalBases: text('legal_bases').array().notNull(),
    fields: text('fields').array().notNull(),
    purposes: text('purposes').array().notNull(),
    quotaPerDay: integer('quota_per_day').notNull(),
    validFrom: date('valid_from').notNull(),
    validTo: date('valid_to').notNull(),
    paramLimits: json('param_limits'),
    cachesAnswers: boolean('caches_answers').notNull(),
    signedRequests: boolean('signed_requests').notNull(),
    hash: text('hash').notNull(),
    createdAt: moment('created_at').notNull(),
    fourEyes: boolean('four_eyes').notNull().default(false),
    proposedBy: text('proposed_by'),
    approvedBy: text('approved_by'),
    approvedFor: text('approved_for'),
    secondedBy: text('seconded_by'),
  },
  (table) => [
    index('agreements_of_service')
      .on(table.requesterId, table.serviceCode)
      .where(sql`service_code is not null`),
    index('agreements_of_type')
      .on(table.requesterId, table.licenceType)
      .where(sql`licence_type is not null`),
    index('agreements_of_provider').on(table.providerId),
  ],
);

export const agreementVersions = exchangeSchema.table(
  'agreement_versions',
  {
    agreementId: uuid('agreement_id')
      .notNull()
      .references(() => agreements.id),
    version: integer('version').notNull(),
    terms: json('terms').notNull(),
    hash: text('hash').notNull(),
  },
  (table) => [primaryKey({ columns: [table.agreementId, table.version] })],
);

export const agreementEvents = exchangeSchema.table(
  'agreement_events',
  {
    agreementId: uuid('agreement_id')
      .notNull()
      .references(() => agreements.id),
    id: uuid('id').notNull(),
    act: text('act').notNull(),
    state: text('state').notNull(),
    organisationId: text('organisation_id'),
    actedBy: text('acted_by').notNull(),
    reason: text('reason'),
    at: moment('at').notNull(),
  },
  (table) => [primaryKey({ columns: [table.agreementId, table.id] })],
);

export const agreementUsage = exchangeSchema.table(
  'agreement_usage',
  {
    agreementId: uuid('agreement_id')
      .notNull()
      .references(() => agreements.id),
    day: date('day').notNull(),
    shard: smallint('shard').notNull(),
    used: integer('used').notNull(),
  },
  (table) => [primaryKey({ columns: [table.agreementId, table.day, table.shard] })],
);

export const delayAllowances = exchangeSchema.table('delay_allowances', {
  organisationId: text('organisation_id').primaryKey(),
});

export const verifications = exchangeSchema.table(
  'verifications',
  {
    id: uuid('id').primaryKey(),
    serviceCode: text('service_code').notNull(),
    serviceVersion: integer('service_version').notNull(),
    agreementId: uuid('agreement_id'),
    agreementVersion: integer('agreement_version'),
    emergencyId: uuid('emergency_id'),
    requesterId: text('requester_id').notNull(),
    providerId: text('provider_id').notNull(),
    askedBy: text('asked_by').notNull(),
    state: text('state').notNull(),
    route: text('route').notNull(),
    subjectId: uuid('subject_id').notNull(),
    legalBasis: text('legal_basis').notNull(),
    disclosed: text('disclosed').array().notNull(),
    evidence: text('evidence').notNull(),
    requestSealed: bytea('request_sealed').notNull(),
    caseTag: bytea('case_tag').notNull(),
    discloseAt: moment('disclose_at'),
    traceparent: text('traceparent'),
    dispatchNo: integer('dispatch_no').notNull(),
    leaseToken: uuid('lease_token'),
    leaseUntil: moment('lease_until'),
    attempts: jsonb('attempts').notNull().default([]),
    questionStage: uuid('question_stage').notNull(),
    answerStage: uuid('answer_stage'),
    createdAt: moment('created_at').notNull(),
    deadline: moment('deadline').notNull(),
    endedAt: moment('ended_at'),
  },
  (table) => [
    index().on(table.requesterId, table.id),
    index().on(table.requesterId, table.caseTag, table.id),
    index().on(table.deadline).where(sql`state in ('accepted', 'awaiting_consent', 'dispatched')`),
    index().on(table.leaseUntil).where(sql`state in ('accepted', 'dispatched') and route = 'rule'`),
  ],
);

export const answers = exchangeSchema.table(
  'answers',
  {
    verificationId: uuid('verification_id').primaryKey(),
    subjectId: uuid('subject_id').notNull(),
    kind: text('kind').notNull(),
    contentSealed: bytea('content_sealed'),
    asOf: date('as_of'),
    receipt: text('receipt'),
    answeredAt: moment('answered_at').notNull(),
    eraseAfter: moment('erase_after').notNull(),
    erasedAt: moment('erased_at'),
    answeredBy: text('answered_by'),
    approvedBy: text('approved_by'),
    fourEyes: boolean('four_eyes').notNull().default(false),
  },
  (table) => [index().on(table.eraseAfter).where(sql`content_sealed is not null`)],
);

export const requestKeys = exchangeSchema.table(
  'request_keys',
  {
    owner: text('owner').notNull(),
    keyHash: bytea('key_hash').notNull(),
    verificationId: uuid('verification_id').notNull(),
    createdAt: moment('created_at').notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.owner, table.keyHash] }),
    index('request_keys_age').on(table.createdAt),
  ],
);

export const probes = exchangeSchema.table(
  'probes',
  {
    scopeTag: bytea('scope_tag').primaryKey(),
    paramSets: jsonb('param_sets').notNull(),
    changedAt: moment('changed_at').notNull(),
  },
  (table) => [index('probes_age').on(table.changedAt)],
);

export const questions = exchangeSchema.table(
  'questions',
  {
    verificationId: uuid('verification_id').primaryKey(),
    providerId: text('provider_id').notNull(),
    serviceCode: text('service_code').notNull(),
    requesterId: text('requester_id').notNull(),
    createdAt: moment('created_at').notNull(),
    deadline: moment('deadline').notNull(),
    claimedBy: text('claimed_by'),
    claimedAt: moment('claimed_at'),
    askedBy: text('asked_by'),
    proposalId: uuid('proposal_id'),
    proposalSealed: bytea('proposal_sealed'),
    proposedBy: text('proposed_by'),
    approvedBy: text('approved_by'),
    sentBackSealed: bytea('sent_back_sealed'),
  },
  (table) => [index('questions_of_provider').on(table.providerId, table.deadline)],
);

export const consents = exchangeSchema.table(
  'consents',
  {
    id: uuid('id').primaryKey(),
    verificationId: uuid('verification_id').notNull(),
    personId: uuid('person_id').notNull(),
    state: text('state').notNull(),
    createdAt: moment('created_at').notNull(),
    expiresAt: moment('expires_at').notNull(),
    decidedAt: moment('decided_at'),
  },
  (table) => [
    unique().on(table.verificationId, table.personId),
    index('consents_of_person').on(table.personId, table.id),
  ],
);

export const emergencyAllowances = exchangeSchema.table('emergency_allowances', {
  organisationId: text('organisation_id').primaryKey(),
});

export const emergencies = exchangeSchema.table(
  'emergencies',
  {
    id: uuid('id').primaryKey(),
    organisationId: text('organisation_id').notNull(),
    licenceType: text('licence_type'),
    serviceCode: text('service_code').references(() => services.code),
    fields: text('fields').array().notNull(),
    subjectId: uuid('subject_id').notNull(),
    legalBasis: text('legal_basis').notNull(),
    requestSealed: bytea('request_sealed').notNull(),
    openedBy: text('opened_by').notNull(),
    openedAt: moment('opened_at').notNull(),
    endsAt: moment('ends_at').notNull(),
    reviewDue: moment('review_due').notNull(),
    discloseAt: moment('disclose_at').notNull(),
    looks: integer('looks').notNull().default(0),
    overdueTold: boolean('overdue_told').notNull().default(false),
    verdict: text('verdict'),
    reviewedBy: text('reviewed_by'),
    reviewedAt: moment('reviewed_at'),
    noteSealed: bytea('note_sealed'),
  },
  (table) => [index('emergencies_of_department').on(table.organisationId, table.id)],
);

export const covertCases = exchangeSchema.table(
  'covert_cases',
  {
    id: uuid('id').primaryKey(),
    requesterId: text('requester_id').notNull(),
    caseTag: bytea('case_tag').notNull(),
    openedAt: moment('opened_at').notNull(),
    closedAt: moment('closed_at'),
    closedBy: text('closed_by'),
    settledAt: moment('settled_at'),
  },
  (table) => [
    unique().on(table.requesterId, table.caseTag),
    index('covert_cases_of_department').on(table.requesterId, table.id),
  ],
);
