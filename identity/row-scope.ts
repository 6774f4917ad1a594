// Whose rows an actor may see and write by who it is (docs/adr/0011-row-level-security.md).
import { type RowScope, systemScope } from '../platform/index.ts';
import type { Actor } from './actor.ts';

/**
 * The scope of an actor's own acts: a department its own business, a citizen her own or that of the
 * one she acts for, anyone nothing.
 * What an act may see beyond that it opens itself, once it has decided so.
 */
export function rowScopeOf(actor: Actor): RowScope {
  switch (actor.kind) {
    case 'client':
    case 'officer':
      return actor.organisationId === null ? {} : { organisation: actor.organisationId };
    case 'citizen': {
      const { personId, actingFor } = actor;
      if (personId === undefined || actingFor?.hasEnded) return {};
      return { person: actingFor?.personId ?? personId };
    }
    case 'system':
      return systemScope;
    case 'anonymous':
      return {};
  }
}

/** An account's secret, passkeys and delegations: a person's, a company's or an officer's. */
export function scopeOfAccount(id: string): RowScope {
  return { account: id };
}

/** The passkey of a credential somebody signs in with. */
export function scopeOfCredential(id: Buffer): RowScope {
  return { credential: id.toString('hex') };
}

/** The delegations given under these licences. */
export function scopeOfGrounds(...licences: string[]): RowScope {
  return { under: licences.join(',') };
}
