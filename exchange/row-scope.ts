// What an act opens of the exchange beyond the actor's own rows (docs/adr/0011-row-level-security.md).
import type { RowScope } from '../platform/index.ts';

/** These verifications with their answers, questions and consents. */
export function scopeOfVerifications(...ids: string[]): RowScope {
  return { verifications: ids.join(',') };
}
