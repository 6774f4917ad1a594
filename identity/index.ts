// The face of identity: who acts, whose data it is, and the only way from a reference to an ID.
export type { AccessDetail, AccessEntry } from './access.ts';
export { accountOf } from './account.ts';
export { type Actor, anonymousActor, ROLES, type Role, SCOPES, type Scope } from './actor.ts';
export { ASSURANCES, type Assurance, hasAssurance, requireAssurance } from './assurance.ts';
export type { Client } from './client.ts';
export {
  CLIENT_CHANGE_KINDS,
  type ClientChangeKind,
  ClientDecision,
  ClientProposal,
  isClientChangeAllowed,
  isHoldKind,
} from './client-change.ts';
export type { ClientChange } from './client-changes.ts';
export { CLIENT_METHODS } from './client-keys.ts';
export {
  type ActingFor,
  DELEGABLE_ITEMS,
  DELEGATION_STATES,
  type DelegableItem,
  type DelegationDecision,
  DelegationInput,
  LONGEST_DELEGATION_DAYS,
  PERSONAL_ACTS,
  type PersonalAct,
  refusalOf,
} from './delegation.ts';
export type { Delegation, DelegationParty } from './delegations.ts';
export { type Door, mayEnter, requireEntry } from './doors.ts';
export type { Enrolment } from './enrolments.ts';
export { identityErrors } from './errors.ts';
export { requireWayIn } from './founding.ts';
export {
  CITIZEN_ID_PATTERN,
  containsCitizenId,
  foldIdentifier,
  isCitizenId,
  isUscc,
  maskIdentifier,
  maskName,
  type PersonIdentifier,
} from './identifiers.ts';
export type { Credentials } from './local-sign-in.ts';
export type { DecidedRoleRequest, ListedOfficer, RoleRequest } from './officers.ts';
export { type OpenIdPages, openIdMethods } from './openid-provider.ts';
export type { OperatorsInForce, RestoredOperator } from './operator-recovery.ts';
export type { OrganisationInput } from './organisations.ts';
export type { DecidedPasskeyReset, PasskeyReset } from './passkey-resets.ts';
export type { Passkey } from './passkeys.ts';
export type { PersonMarks } from './person-marks.ts';
export type { ListedProvider } from './provider-sign-in.ts';
export type { RelyingParty } from './relying-party.ts';
export {
  isPartyChangeAllowed,
  isPartyKind,
  PARTY_CHANGE_KINDS,
  type PartyChangeKind,
  type PartyProposal,
} from './relying-party-change.ts';
export { hasScope, requireRole, requireScope, scopesOf } from './roles.ts';
export { rowScopeOf } from './row-scope.ts';
export type { Stretching } from './secret-hash.ts';
export { createIdentity, type Identity, type IdentityDeps } from './service.ts';
export { deviceCookie, flowCookie, type HouseCookie, sessionCookie } from './session-cookie.ts';
export type { OwnSession } from './sessions.ts';
export { NOTICE_SUBSCRIBER, SESSION_ENDED, type SignOutNotices } from './sign-out-notices.ts';
export type { Reach } from './store-officers.ts';
export type { Organisation } from './store-organisations.ts';
