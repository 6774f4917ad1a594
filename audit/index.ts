// The face of audit/: leaves in, proofs out. It knows no person.
export { verifyArchive } from './archive-file.ts';
export { createArchiver } from './archiver.ts';
export { openCheckpoint, type TreeHead } from './checkpoint.ts';
export type { EntryQuery, LogEntry } from './entries.ts';
export { auditErrors } from './errors.ts';
export { compareCheckpoints, Evidence, judgeEvidence } from './evidence.ts';
export type { LeafDraft } from './leaf.ts';
export {
  followKeys,
  keyListOf,
  keysInUse,
  type LogEpoch,
  type LogLife,
  openOfEpoch,
  openOfLife,
  takenOver,
  verifiersOf,
} from './life.ts';
export type { MapKey } from './map/extend.ts';
export type { CompletenessProof, ProvenList } from './map/prove.ts';
export type { MapSample } from './map/sample.ts';
export type { Loss } from './new-epoch.ts';
export { growsFrom } from './proofs.ts';
export { scopeOfLog, scopeOfTag } from './row-scope.ts';
export { type Audit, type AuditDeps, createAudit, type WitnessState } from './service.ts';
export { formatVkey, type NoteSigner, type NoteVerifier, parseVkey } from './signed-note.ts';
export { openStatement, statementDigest } from './statement.ts';
export { parseTilePath, type ReadTile, tilePath } from './tiles.ts';
export type { VerifyReport } from './verify.ts';
export {
  createWitness,
  originHash,
  type WitnessRecords,
  type WitnessReply,
} from './witness.ts';
export { parsePolicy, type WitnessPolicy } from './witness-policy.ts';
