// The face of platform/: what every room may lean on, and nothing that knows a licence or a person.
export { decodeBase64url, encodeBase64url } from './base64url.ts';
export { boundedPattern, isExplosive } from './bounded-pattern.ts';
export { prepareSearch, writtenForms } from './byte-search.ts';
export { canonicalJson, type Json, type JsonObject } from './canonical-json.ts';
export { addDays, cityDay, endOfCityDay, startOfCityDay } from './city-day.ts';
export { type Clock, type FixedClock, fixedClock, systemClock } from './clock.ts';
export { type Config, ConfigError, loadConfig, Settings } from './config.ts';
export {
  connectDatabase,
  type Database,
  dbNow,
  openRows,
  type ScopedDatabase,
  selectRows,
  type Tx,
} from './database.ts';
export { databaseAway, databaseFault, isUniqueViolation } from './database-errors.ts';
export { type RuntimeUrls, readRolePasswords, runtimeUrls } from './database-roles.ts';
export {
  type EmbeddedPostgres,
  findEmbeddedFiles,
  startEmbeddedPostgres,
} from './embedded-postgres.ts';
export { AppError, errorCatalogue, type FieldError, type Kind } from './errors.ts';
export {
  compileExpression,
  createRuleEnvironment,
  MAX_LIST,
  type RuleEnvironment,
  RuleFault,
  type RuleNode,
} from './fenced-cel.ts';
export { createHealth, type Health, type HealthCheck, type Readiness } from './health.ts';
export { findHouseFact, holdPublicUrl, putHouseFact } from './house-facts.ts';
export {
  createIdempotency,
  type Idempotency,
  idempotencyErrors,
  requestFingerprint,
  StoredResponse,
} from './idempotency.ts';
export type { IdentityProviderSetting } from './identity-providers.ts';
export { type Ids, sequentialIds, systemIds } from './ids.ts';
export { findInstance, lockInstance } from './instance-lock.ts';
export { createLogger, type Logger } from './logger.ts';
export { createMetrics, type Metrics } from './metrics.ts';
export { migrate } from './migrate.ts';
export { createOutbox, type Outbox } from './outbox.ts';
export type { OutboxEvent, OutboxHandler } from './outbox-line.ts';
export { AddressRefused, postForm } from './outgoing.ts';
export { answerParses } from './parser-thread.ts';
export { createParser, ParserEnded } from './parser-threads.ts';
export { sendAlong } from './prepared-statements.ts';
export { readIfThere, replaceFile } from './private-file.ts';
export { createQueue, type JobHandler, type Queue } from './queue.ts';
export { PermanentFailure, queueErrors } from './queue-errors.ts';
export { migrateQueue, postgresTransport } from './queue-postgres.ts';
export { redisTransport } from './queue-redis.ts';
export type { QueueJob } from './queue-sender.ts';
export type { JobData, QueueTransport } from './queue-transport.ts';
export { createRateTickets, type RateTickets } from './rate-tickets.ts';
export {
  type Residue,
  rewriteRelations,
  scanFiles,
  scanRedis,
  scanTables,
} from './residue-scan.ts';
export { type RowScope, systemScope } from './row-scope.ts';
export { settingsDocument } from './settings-document.ts';
export { createShutdown, type Shutdown } from './shutdown.ts';
export { streamed } from './streamed.ts';
export { createSweeper, type Sweep, type Sweeper } from './sweeper.ts';
export { textArray } from './text-array.ts';
export { checkWall } from './wall-check.ts';
