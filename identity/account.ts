// Four eyes mean two accounts: whose eyes an act has.
import type { Actor } from './actor.ts';

/**
 * The account behind an act: the officer's where she is known, also through a department's system that
 * names her; else the system's own. Never a person's name.
 */
export function accountOf(actor: Actor, named: string | undefined = actor.onBehalfOf): string {
  const officer = actor.officerKey ?? named;
  return officer === undefined ? `client:${actor.clientId ?? actor.kind}` : `officer:${officer}`;
}
