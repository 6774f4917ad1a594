// The face of identity: who acts, whose data it is, and the only way from a reference to an ID.
export type { AccessEntry } from './access.ts';
export type { Actor, Role, Scope } from './actor.ts';
export { isRole, isScope, ROLES, SCOPES } from './actor.ts';
export type { PersonIdentifier } from './identifiers.ts';
export {
  CITIZEN_ID_PATTERN,
  containsCitizenId,
  foldIdentifier,
  isCitizenId,
  isUscc,
  maskIdentifier,
  maskName,
} from './identifiers.ts';
