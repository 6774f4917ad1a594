// Refusals that concern a known person are looks too: logged, and shown to her (contract section 7).
import type { AccessEntry, Actor } from '../identity/index.ts';
import { AppError } from '../platform/index.ts';
import type { RegistryDeps } from './deps.ts';

/** What is known of the refused attempt. */
export type Attempt = Pick<
  AccessEntry,
  'type' | 'subject' | 'licence' | 'purpose' | 'legalBasis' | 'answerKind' | 'question'
>;

/** Codes that say no to someone; a fault in the input says nothing about a person. */
const LOGGED = new Set([
  'registry.not_issuer',
  'registry.use_exchange_instead',
  'registry.act_not_allowed',
  'registry.own_application',
  'registry.compare_limit',
  'exchange.purpose_required',
  'identity.scope_missing',
  'identity.role_missing',
]);

/** Binds the logging of refusals. */
export function createRefusals({ database, identity }: RegistryDeps) {
  async function record(actor: Actor, entry: AccessEntry): Promise<void> {
    try {
      await database.transaction((tx) => identity.recordAccess(tx, actor, entry));
    } catch (error) {
      if (!(error instanceof AppError) || error.code !== 'identity.erased') throw error;
      // Nobody is left to show it to; the attempt stays in the log all the same.
      const { subject: _, ...nameless } = entry;
      await database.transaction((tx) => identity.recordAccess(tx, actor, nameless));
    }
  }

  return {
    /**
     * Runs the act; when it refuses with one of the logged codes, the attempt is recorded in a
     * transaction of its own before the refusal goes on to the caller.
     */
    async logged<Result>(
      actor: Actor,
      attempt: () => Attempt | Promise<Attempt>,
      act: () => Promise<Result>,
    ): Promise<Result> {
      try {
        return await act();
      } catch (error) {
        if (error instanceof AppError && LOGGED.has(error.code)) {
          await record(actor, { ...(await attempt()), outcome: 'refused', code: error.code });
        }
        throw error;
      }
    },
  };
}

export type Refusals = ReturnType<typeof createRefusals>;
