// The face of the registry: licence types, licences, and what anyone may ask about one.
export type { ChangedLicence } from './act.ts';
export { claimOf } from './credential-claims.ts';
export type { RegistryDeps } from './deps.ts';
export { registryErrors } from './errors.ts';
export type { LicenceForReading, NamingLicence } from './exchange-reads.ts';
export type { AwaitingApproval } from './issue.ts';
export type { RegistryJob } from './jobs.ts';
export { ACTS, type Act, ActInput, IssueInput, LicenceStatus, STATUSES } from './licence.ts';
export { formatLicenceNumber, parseLicenceNumber } from './licence-number.ts';
export type { LicenceType, TypeDefinition } from './licence-type.ts';
export { maskText } from './masks.ts';
export type { WholeLicence } from './opening.ts';
export type { PresentedCheck, PresentedResult } from './present.ts';
export type { Lookup, LookupResult } from './public-check.ts';
export type { HistoryItem, OwnLicence } from './read.ts';
export type { IssuedLicence } from './record.ts';
export { createRegistry, type Registry } from './service.ts';
export type { LicenceView } from './view.ts';
