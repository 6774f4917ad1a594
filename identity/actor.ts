// Who acts: the caller every act takes first, with the words for roles and scopes (contract section 4).
import type { Assurance } from './assurance.ts';
import type { ActingFor } from './delegation.ts';

/** What an officer may be in an organisation. */
export const ROLES = [
  'desk',
  'issuer',
  'approver',
  'provider',
  'steward',
  'auditor',
  'operator',
] as const;
export type Role = (typeof ROLES)[number];

/** What a machine client's token may open. A scope opens a door; rules behind it decide. */
export const SCOPES = [
  'licences:issue',
  'licences:read',
  'types:manage',
  'services:manage',
  'verifications:ask',
  'verifications:answer',
  'agreements:manage',
  'corrections:write',
  'subscriptions:manage',
  'imports:write',
  'catalogue:publish',
  'audit:read',
] as const;
export type Scope = (typeof SCOPES)[number];

/** The caller of an act. Made by authenticateRequest, signIn and findSession, never by a route. */
export interface Actor {
  kind: 'client' | 'officer' | 'citizen' | 'system' | 'anonymous';
  requestId: string;
  traceparent?: string;
  /** The department that acts; null for a citizen, for anyone, and for the platform itself. */
  organisationId: string | null;
  clientId?: string;
  officerId?: string;
  officerKey?: string;
  /** The person signed in; whose data her acts are about is for subjectOf to say. */
  personId?: string;
  /** Whom she acts for in this session, if anyone. */
  actingFor?: ActingFor;
  sessionId?: string;
  /** Of the session; absent where there is none. */
  assurance?: Assurance;
  roles: readonly Role[];
  scopes: readonly Scope[];
  /** The officer a machine client names as the one it acts for. */
  onBehalfOf?: string;
}

/** True when the word is one of the scopes of contract section 4. */
export function isScope(word: string): word is Scope {
  return SCOPES.some((scope) => scope === word);
}

/** True when the word is a role an officer can hold. */
export function isRole(word: string): word is Role {
  return ROLES.some((role) => role === word);
}

/** Anyone: no department, no rights. */
export function anonymousActor(requestId: string): Actor {
  return { kind: 'anonymous', requestId, organisationId: null, roles: [], scopes: [] };
}
