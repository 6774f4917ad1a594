// Who may open which door: one table role × scope, and the checks acts begin with. A door is not a
// permission: the department, the agreement and the legal basis decide behind it.
import type { Actor, Role, Scope } from './actor.ts';
import { identityErrors } from './errors.ts';

// An operator reads no personal data, an auditor neither asks nor decides, an approver doesn't ask.
const DOORS = {
  desk: ['verifications:ask', 'licences:read', 'corrections:write'],
  issuer: ['licences:issue', 'licences:read', 'imports:write', 'corrections:write'],
  approver: ['agreements:manage', 'licences:read'],
  provider: ['verifications:answer', 'corrections:write'],
  steward: ['catalogue:publish', 'subscriptions:manage'],
  auditor: ['audit:read'],
  operator: ['types:manage', 'services:manage'],
} as const satisfies Record<Role, readonly Scope[]>;

/** What an account is for; it never changes, and decides which roles may be held together. */
export type Duty = 'work' | 'audit' | 'operate';

// Who watches does not act, and who operates has no role that opens personal data.
const DUTIES = {
  desk: 'work',
  issuer: 'work',
  approver: 'work',
  provider: 'work',
  steward: 'work',
  auditor: 'audit',
  operator: 'operate',
} as const satisfies Record<Role, Duty>;

/** The duty an account must have to hold a role. */
export function dutyOf(role: Role): Duty {
  return DUTIES[role];
}

/** What a role opens. */
export function scopesOf(role: Role): readonly Scope[] {
  return DOORS[role];
}

/**
 * True when the actor may open this door: a client by the scopes of its token, an officer by her
 * roles, the platform's own acts always; citizens and strangers never.
 */
export function hasScope(actor: Actor, scope: Scope): boolean {
  switch (actor.kind) {
    case 'system':
      return true;
    case 'client':
      return actor.scopes.includes(scope);
    case 'officer':
      return actor.roles.some((role) => scopesOf(role).includes(scope));
    case 'citizen':
    case 'anonymous':
      return false;
  }
}

/** Refuses an actor who may not open this door. */
export function requireScope(actor: Actor, scope: Scope): void {
  if (hasScope(actor, scope)) return;
  throw identityErrors.scope_missing(
    `This needs the scope ${scope}: ask for a token with it, or sign in with a role that has it.`,
    // RFC 6750 section 3.1; a session has no such header to answer.
    actor.kind === 'client'
      ? { headers: { 'WWW-Authenticate': `DPoP error="insufficient_scope", scope="${scope}"` } }
      : {},
  );
}

/** Refuses an actor who holds none of these roles. */
export function requireRole(actor: Actor, ...roles: readonly Role[]): void {
  if (actor.kind === 'system' || actor.roles.some((role) => roles.includes(role))) return;
  throw identityErrors.role_missing(
    `This needs the role ${roles.join(' or ')} in your organisation: ask its operator for it.`,
  );
}
