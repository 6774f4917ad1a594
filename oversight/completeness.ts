// The proof that a citizen's list of looks is whole, as far as they are disclosed (docs/adr/0021).
import type { ProvenList } from '../audit/index.ts';
import type { Actor, PersonalAct } from '../identity/index.ts';
import type { OversightDeps } from './deps.ts';

/** Whose log it is, and the entry of an agent who looks at it. */
interface Subjects {
  subjectFor(actor: Actor, act: PersonalAct): Promise<string>;
  logAgent(actor: Actor, act: PersonalAct, subject: string): Promise<void>;
}

export function createCompleteness(deps: OversightDeps, { subjectFor, logAgent }: Subjects) {
  const { database, audit, identity } = deps;

  return {
    /**
     * For the citizen herself, or who may take out proofs for her; audit.not_yet_checkpointed until the
     * first map is published.
     */
    async completeness(actor: Actor): Promise<ProvenList> {
      const subject = await subjectFor(actor, 'access_log.prove');
      const subjectTag = await identity.subjectTagOf(database.db, subject);
      await logAgent(actor, 'access_log.prove', subject);
      return audit.proveCompleteness(subjectTag);
    },
  };
}
