// The face of oversight/: who looked, told to those who may know.
export type { AccessItem, AccessReceipt, AnswerKind, AuditItem, Lang } from './access-item.ts';
export type { AccessLogQuery } from './access-log.ts';
export { FINDINGS, type Finding } from './alert-store.ts';
export type { Alert, AlertQuery } from './alerts.ts';
export type { AuditEntry, AuditQuery } from './auditors.ts';
export type { OversightDeps } from './deps.ts';
export { createErasures, type Erasure, type Erasures } from './erasures.ts';
export { oversightErrors } from './errors.ts';
export type { AuditExport, ExportFile } from './exports.ts';
export { HOLD_ACTS, type HoldAct, type LegalHold } from './legal-holds.ts';
export type { Mark, MarkInput } from './marks.ts';
export type { Replay, ReplayResult } from './replays.ts';
export { type PublishedRule, RuleProposal } from './rules.ts';
export type { SavedSearch } from './saved-searches.ts';
export { createOversight, type LogState, type Oversight } from './service.ts';
export type { Unmasking, UnmaskingNotice } from './unmaskings.ts';
export { createVigilance, type Vigilance } from './vigilance.ts';
