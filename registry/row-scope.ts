// What an act opens of the register beyond the actor's own rows (docs/adr/0011-row-level-security.md).
import type { RowScope } from '../platform/index.ts';

/** These licences, by their numbers: what is in hand, or what a refusal is about. */
export function scopeOfLicences(...numbers: string[]): RowScope {
  return { licences: numbers.join(',') };
}

/** The licences of these people, and those that name them. */
export function scopeOfSubjects(...personIds: string[]): RowScope {
  return { subjects: personIds.join(',') };
}
