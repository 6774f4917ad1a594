// The face of platform/: what every room may lean on, and nothing that knows a licence or a person.
export { decodeBase64url, encodeBase64url } from './base64url.ts';
export { canonicalJson, type Json, type JsonObject } from './canonical-json.ts';
export { addDays, cityDay, endOfCityDay, startOfCityDay } from './city-day.ts';
export { type Clock, type FixedClock, fixedClock, systemClock } from './clock.ts';
export { type Config, ConfigError, loadConfig, Settings } from './config.ts';
export {
  type ConnectOptions,
  connectDatabase,
  type Database,
  dbNow,
  selectRows,
  type TransactionOptions,
  type Tx,
} from './database.ts';
export { type DatabaseFault, databaseFault, isUniqueViolation } from './database-errors.ts';
export { type RuntimeUrls, readRolePasswords, runtimeUrls } from './database-roles.ts';
export {
  type EmbeddedOptions,
  type EmbeddedPostgres,
  startEmbeddedPostgres,
} from './embedded-postgres.ts';
export { AppError, errorCatalogue, type FieldError, type Kind } from './errors.ts';
export { findHouseFact, holdPublicUrl, putHouseFact } from './house-facts.ts';
export { type Ids, sequentialIds, systemIds } from './ids.ts';
export { assertMigrated, type MigrateOptions, migrate } from './migrate.ts';
export { settingsDocument } from './settings-document.ts';
