// Doors: what a route asks of whoever comes, before anything of the request is read. Tables of routes
// are made of them (api/route-rights.ts, web/page-rights.ts). Behind the door other rules decide.
import type { AppError } from '../platform/index.ts';
import type { Actor, Role, Scope } from './actor.ts';
import { identityErrors } from './errors.ts';
import { hasScope, requireRole, requireScope } from './roles.ts';

/** `known`: whoever has been authenticated. Of several scopes or roles one is enough. */
export type Door =
  | 'anyone'
  | 'known'
  | 'citizen'
  | 'officer'
  | { scopes: readonly [Scope, ...Scope[]]; refuse?: Refuse }
  | { roles: readonly [Role, ...Role[]] };

/** How another room words the refusal of a missing scope. */
type Refuse = (detail: string) => AppError;

/** True when this caller may enter; the platform's own acts always may. */
export function mayEnter(actor: Actor, door: Door): boolean {
  if (actor.kind === 'system' || door === 'anyone') return true;
  if (door === 'known') return actor.kind !== 'anonymous';
  if (door === 'citizen' || door === 'officer') return actor.kind === door;
  if ('scopes' in door) return door.scopes.some((scope) => hasScope(actor, scope));
  return actor.kind === 'officer' && actor.roles.some((role) => door.roles.includes(role));
}

/** Refuses who may not enter: strangers are asked who they are, others are told what is missing. */
export function requireEntry(actor: Actor, door: Door): void {
  if (mayEnter(actor, door)) return;
  if (actor.kind === 'anonymous') {
    throw identityErrors.unauthenticated('Send a DPoP-bound access token, or sign in.', {
      headers: { 'WWW-Authenticate': 'DPoP algs="ES256"' },
    });
  }
  if (typeof door === 'string') throw otherCallerNeeded(door);
  if ('roles' in door) requireRole(actor, ...door.roles);
  else if (door.refuse === undefined) requireScope(actor, door.scopes[0]);
  else {
    throw door.refuse(
      `This needs the scope ${door.scopes.join(' or ')}: ask for a token with it, or sign in with a role that has it.`,
    );
  }
}

function otherCallerNeeded(door: string): AppError {
  return identityErrors.other_caller_needed(
    door === 'citizen'
      ? 'Only people and companies themselves come in here: sign in as one.'
      : 'Only officers come in here: sign in as one.',
  );
}
