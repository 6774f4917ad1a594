// The tables of identity as drizzle sees them; the migrations that name their columns make them.
import {
  bigint,
  boolean,
  customType,
  date,
  integer,
  jsonb,
  pgSchema,
  primaryKey,
  smallint,
  text,
  timestamp,
  uuid,
} from 'drizzle-orm/pg-core';

const bytea = customType<{ data: Buffer }>({ dataType: () => 'bytea' });
const xid8 = customType<{ data: string }>({ dataType: () => 'xid8' });
const moment = (name: string) => timestamp(name, { withTimezone: true });

export const identitySchema = pgSchema('identity');

export const organisations = identitySchema.table('organisations', {
  id: text('id').primaryKey(),
  nameZh: text('name_zh').notNull(),
  nameEn: text('name_en').notNull(),
  shortZh: text('short_zh').notNull(),
  uscc: text('uscc').notNull().unique(),
  kind: text('kind').notNull(),
  roles: text('roles').array().notNull(),
  level: text('level').notNull().default('city'),
  parentId: text('parent_id'),
  parentLevel: text('parent_level'),
  createdAt: moment('created_at').notNull(),
});

export const officers = identitySchema.table('officers', {
  id: uuid('id').primaryKey(),
  key: text('key').notNull().unique(),
  username: text('username').notNull().unique(),
  organisationId: text('organisation_id')
    .notNull()
    .references(() => organisations.id),
  duty: text('duty').notNull().default('work'),
  leftAt: moment('left_at'),
  createdAt: moment('created_at').notNull(),
});

export const roleRequests = identitySchema.table('role_requests', {
  id: uuid('id').primaryKey(),
  act: text('act').notNull(),
  officerId: uuid('officer_id')
    .notNull()
    .references(() => officers.id),
  role: text('role').notNull(),
  reach: text('reach').notNull(),
  validFrom: date('valid_from').notNull(),
  validTo: date('valid_to'),
  reason: text('reason').notNull(),
  requestedBy: uuid('requested_by').notNull(),
  requestedAt: moment('requested_at').notNull(),
  state: text('state').notNull(),
  decidedBy: uuid('decided_by'),
  decidedAt: moment('decided_at'),
  ofOperators: text('of_operators').notNull().generatedAlwaysAs('operate'),
});

export const setUp = identitySchema.table('set_up', {
  id: smallint('id').primaryKey(),
  at: moment('at').notNull(),
});

export const roleGrants = identitySchema.table(
  'role_grants',
  {
    officerId: uuid('officer_id')
      .notNull()
      .references(() => officers.id, { onDelete: 'cascade' }),
    role: text('role').notNull(),
    grantedAt: moment('granted_at').notNull(),
    reach: text('reach').notNull().default('own'),
    validFrom: date('valid_from').notNull().default('-infinity'),
    validTo: date('valid_to'),
    requestId: uuid('request_id').references(() => roleRequests.id),
    duty: text('duty').notNull().generatedAlwaysAs('work'),
  },
  (table) => [primaryKey({ columns: [table.officerId, table.role] })],
);

export const people = identitySchema.table('people', {
  id: uuid('id').primaryKey(),
  scheme: text('scheme').notNull(),
  indexVersion: smallint('index_version').notNull(),
  blindIndex: bytea('blind_index').unique(),
  auditTag: bytea('audit_tag').unique(),
  valueSealed: bytea('value_sealed'),
  nameSealed: bytea('name_sealed'),
  erasedAt: moment('erased_at'),
  createdAt: moment('created_at').notNull(),
});

export const dataKeys = identitySchema.table('data_keys', {
  personId: uuid('person_id')
    .primaryKey()
    .references(() => people.id),
  kekVersion: smallint('kek_version').notNull(),
  wrapped: bytea('wrapped').notNull(),
  createdAt: moment('created_at').notNull(),
});

export const keyVersions = identitySchema.table(
  'key_versions',
  {
    name: text('name').notNull(),
    version: smallint('version').notNull(),
    createdAt: moment('created_at').notNull(),
    createdXid: xid8('created_xid').notNull(),
    retiredAt: moment('retired_at'),
  },
  (table) => [primaryKey({ columns: [table.name, table.version] })],
);

export const localSecrets = identitySchema.table(
  'local_secrets',
  {
    accountKind: text('account_kind').notNull(),
    accountId: uuid('account_id').notNull(),
    hash: text('hash').notNull(),
    changedAt: moment('changed_at').notNull(),
  },
  (table) => [primaryKey({ columns: [table.accountKind, table.accountId] })],
);

export const signInTries = identitySchema.table('sign_in_tries', {
  counterDigest: bytea('counter_digest').primaryKey(),
  tries: integer('tries').notNull(),
  expiresAt: moment('expires_at').notNull(),
});

export const knownDevices = identitySchema.table('known_devices', {
  pairDigest: bytea('pair_digest').primaryKey(),
  expiresAt: moment('expires_at').notNull(),
});

export const providerFlows = identitySchema.table('provider_flows', {
  stateDigest: bytea('state_digest').primaryKey(),
  browserDigest: bytea('browser_digest').notNull(),
  provider: text('provider').notNull(),
  sealed: bytea('sealed').notNull(),
  expiresAt: moment('expires_at').notNull(),
});

export const sessions = identitySchema.table('sessions', {
  id: uuid('id').primaryKey(),
  tokenDigest: bytea('token_digest').notNull().unique(),
  personId: uuid('person_id').references(() => people.id),
  officerId: uuid('officer_id').references(() => officers.id),
  assurance: text('assurance').notNull(),
  method: text('method').notNull(),
  browser: text('browser').notNull(),
  system: text('system').notNull(),
  createdAt: moment('created_at').notNull(),
  seenAt: moment('seen_at').notNull(),
  idleExpiresAt: moment('idle_expires_at').notNull(),
  expiresAt: moment('expires_at').notNull(),
});

export const delegations = identitySchema.table('delegations', {
  id: uuid('id').primaryKey(),
  principalId: uuid('principal_id')
    .notNull()
    .references(() => people.id),
  agentId: uuid('agent_id')
    .notNull()
    .references(() => people.id),
  items: text('items').array().notNull(),
  validFrom: date('valid_from').notNull(),
  validTo: date('valid_to').notNull(),
  state: text('state').notNull().default('proposed'),
  underLicence: text('under_licence'),
  proposedAt: moment('proposed_at').notNull(),
  acceptedAt: moment('accepted_at'),
  endedAt: moment('ended_at'),
});

export const actingSessions = identitySchema.table('acting_sessions', {
  sessionId: uuid('session_id')
    .primaryKey()
    .references(() => sessions.id, { onDelete: 'cascade' }),
  delegationId: uuid('delegation_id')
    .notNull()
    .references(() => delegations.id),
  since: moment('since').notNull(),
});
export const relyingParties = identitySchema.table('relying_parties', {
  id: text('id').primaryKey(),
  organisationId: text('organisation_id')
    .notNull()
    .references(() => organisations.id),
  nameZh: text('name_zh').notNull(),
  nameEn: text('name_en').notNull(),
  redirectUris: text('redirect_uris').array().notNull(),
  postLogoutRedirectUris: text('post_logout_redirect_uris').array().notNull(),
  backchannelLogoutUri: text('backchannel_logout_uri'),
  state: text('state').notNull().default('active'),
  createdAt: moment('created_at').notNull(),
  changedAt: moment('changed_at').notNull(),
});

export const relyingPartyKeys = identitySchema.table(
  'relying_party_keys',
  {
    clientId: text('client_id')
      .notNull()
      .references(() => relyingParties.id),
    kid: text('kid').notNull(),
    jwk: jsonb('jwk').notNull(),
    addedAt: moment('added_at').notNull(),
    endsAt: moment('ends_at'),
  },
  (table) => [primaryKey({ columns: [table.clientId, table.kid] })],
);

export const openidRecords = identitySchema.table(
  'openid_records',
  {
    model: text('model').notNull(),
    idDigest: bytea('id_digest').notNull(),
    sessionId: uuid('session_id').references(() => sessions.id, { onDelete: 'cascade' }),
    grantDigest: bytea('grant_digest'),
    clientId: text('client_id'),
    uidDigest: bytea('uid_digest'),
    sealed: bytea('sealed').notNull(),
    consumedAt: moment('consumed_at'),
    expiresAt: moment('expires_at').notNull(),
  },
  (table) => [primaryKey({ columns: [table.model, table.idDigest] })],
);

export const sessionPosts = identitySchema.table('session_posts', {
  sessionId: uuid('session_id')
    .primaryKey()
    .references(() => sessions.id, { onDelete: 'cascade' }),
  organisationId: text('organisation_id')
    .notNull()
    .references(() => organisations.id),
});

export const passkeys = identitySchema.table('passkeys', {
  id: uuid('id').primaryKey(),
  officerId: uuid('officer_id')
    .notNull()
    .references(() => officers.id),
  credentialId: bytea('credential_id').notNull().unique(),
  publicKey: bytea('public_key').notNull(),
  counter: bigint('counter', { mode: 'number' }).notNull(),
  rpId: text('rp_id').notNull(),
  label: text('label').notNull(),
  isSynced: boolean('is_synced').notNull(),
  createdAt: moment('created_at').notNull(),
  usedAt: moment('used_at'),
});

export const enrolments = identitySchema.table('enrolments', {
  officerId: uuid('officer_id')
    .primaryKey()
    .references(() => officers.id),
  digest: bytea('digest').notNull().unique(),
  expiresAt: moment('expires_at').notNull(),
});

export const passkeyChallenges = identitySchema.table('passkey_challenges', {
  digest: bytea('digest').primaryKey(),
  use: text('use').notNull(),
  boundTo: bytea('bound_to').notNull(),
  expiresAt: moment('expires_at').notNull(),
});

export const clients = identitySchema.table('clients', {
  id: text('id').primaryKey(),
  organisationId: text('organisation_id')
    .notNull()
    .references(() => organisations.id),
  name: text('name').notNull(),
  scopes: text('scopes').array().notNull(),
  state: text('state').notNull().default('active'),
  createdAt: moment('created_at').notNull(),
  changedAt: moment('changed_at').notNull(),
  method: text('method').notNull().default('private_key_jwt'),
  heldUntil: moment('held_until'),
});

export const clientKeys = identitySchema.table(
  'client_keys',
  {
    clientId: text('client_id')
      .notNull()
      .references(() => clients.id),
    kid: text('kid').notNull(),
    jwk: jsonb('jwk').notNull(),
    addedAt: moment('added_at').notNull(),
    endsAt: moment('ends_at'),
  },
  (table) => [primaryKey({ columns: [table.clientId, table.kid] })],
);

export const clientChanges = identitySchema.table('client_changes', {
  id: uuid('id').primaryKey(),
  clientId: text('client_id').notNull(),
  organisationId: text('organisation_id')
    .notNull()
    .references(() => organisations.id),
  kind: text('kind').notNull(),
  content: jsonb('content').notNull(),
  reason: text('reason').notNull(),
  state: text('state').notNull().default('proposed'),
  holdsUntil: moment('holds_until'),
  proposedBy: uuid('proposed_by')
    .notNull()
    .references(() => officers.id),
  proposedAt: moment('proposed_at').notNull(),
  decidedBy: uuid('decided_by').references(() => officers.id),
  decidedAt: moment('decided_at'),
  decisionReason: text('decision_reason'),
  ofOperators: text('of_operators').notNull().generatedAlwaysAs('operate'),
});

export const assertionJtis = identitySchema.table('assertion_jtis', {
  id: text('id').primaryKey(),
  expiresAt: moment('expires_at').notNull(),
});

export const dpopProofs = identitySchema.table(
  'dpop_proofs',
  {
    slot: smallint('slot').notNull(),
    digest: bytea('digest').notNull(),
  },
  (table) => [primaryKey({ columns: [table.slot, table.digest] })],
);

export const dpopEpochs = identitySchema.table('dpop_epochs', {
  id: smallint('id').primaryKey(),
  startedAt: moment('started_at').notNull(),
});
