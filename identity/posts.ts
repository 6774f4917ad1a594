// Where an officer sits: in her own organisation, or in one below it where a role of hers reaches. One
// at a time, so that every rule and every wall goes on speaking of one organisation.
import type { Database } from '../platform/index.ts';
import type { Actor } from './actor.ts';
import { identityErrors } from './errors.ts';
import { listPosts, type Post, putPost } from './store-posts.ts';

/** Binds the acts to one house. */
export function createPosts({ database }: { database: Database }) {
  return {
    /** The organisations the officer of this session may sit in, her own first. */
    async listPosts(actor: Actor): Promise<Post[]> {
      const { officerId } = sessionOf(actor);
      return listPosts(database.db, officerId);
    },

    /**
     * From the next request on the session's acts are those of this organisation, with the roles that
     * reach there. One that is not below her own, or where no role reaches, is not found.
     */
    async takePost(actor: Actor, organisationId: string): Promise<void> {
      const { officerId, sessionId } = sessionOf(actor);
      const isTaken = await putPost(database.db, { officerId, sessionId, organisationId });
      if (isTaken) return;
      throw identityErrors.organisation_not_found('You have no place in such an organisation.');
    },
  };
}

function sessionOf({ officerId, sessionId }: Actor): { officerId: string; sessionId: string } {
  if (officerId !== undefined && sessionId !== undefined) return { officerId, sessionId };
  throw identityErrors.other_caller_needed('Only officers come in here: sign in as one.');
}
