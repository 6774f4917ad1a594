// How sure a session is of who sits there.
import { identityErrors } from './errors.ts';

/**
 * How sure a session is of who sits there (eIDAS art. 8): low for a PIN or a password, what the provider
 * says for sign-ins elsewhere, high for a passkey.
 */
export const ASSURANCES = ['low', 'substantial', 'high'] as const;
export type Assurance = (typeof ASSURANCES)[number];

/** What of an actor says how sure its session is; without a session it is sure of nothing. */
interface Assured {
  assurance?: Assurance | undefined;
}

/** True when the actor's session is at least so sure. */
export function hasAssurance({ assurance }: Assured, least: Assurance): boolean {
  return assurance !== undefined && ASSURANCES.indexOf(assurance) >= ASSURANCES.indexOf(least);
}

/** Refuses an act that needs a surer sign-in than the session's. */
export function requireAssurance(actor: Assured, least: Assurance): void {
  if (hasAssurance(actor, least)) return;
  throw identityErrors.assurance_needed(
    `This needs a sign-in of assurance ${least}: sign in with a passkey and try again.`,
  );
}
