// The face of oversight/: who looked, told to those who may know.
export type { AccessItem, AccessReceipt, AnswerKind, AuditItem, Lang } from './access-item.ts';
export type { AccessLogQuery } from './access-log.ts';
export type { AuditEntry, AuditQuery } from './auditors.ts';
export type { OversightDeps } from './deps.ts';
export { oversightErrors } from './errors.ts';
export { createOversight, type LogState, type Oversight } from './service.ts';
