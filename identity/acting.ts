// A session that acts for somebody: begun and ended by the agent, and asked at every act whose data
// it is about.
import { z } from 'zod';
import { cityDay, type Database } from '../platform/index.ts';
import type { Access } from './access.ts';
import type { Actor } from './actor.ts';
import { isInForce, type PersonalAct, refusalOf } from './delegation.ts';
import { identityErrors } from './errors.ts';
import { scopeOfAccount } from './row-scope.ts';
import { deleteActing, lockDelegation, putActing } from './store-delegations.ts';

const words = {
  delegation_ended: 'The delegation has ended. Stop acting for this person to go on as yourself.',
  not_delegable: 'This is never done for another. Stop acting for this person first.',
  not_delegated: 'Your principal has not delegated this to you.',
} as const satisfies Record<NonNullable<ReturnType<typeof refusalOf>>, string>;

/** Acting for others in one house. */
export function createActing(deps: {
  database: Database;
  access: Pick<Access, 'recordAccess'>;
  cityTz: string;
}) {
  const { database, access, cityTz } = deps;

  return {
    /**
     * The person whose data this act of a citizen is about: herself, or the principal she acts for
     * when the act is among the items delegated. Null for whoever is no citizen. A refusal is logged,
     * and shown to the principal, before it is thrown.
     */
    async subjectOf(actor: Actor, act: PersonalAct): Promise<string | null> {
      if (actor.kind !== 'citizen' || actor.personId === undefined) return null;
      const { actingFor } = actor;
      if (!actingFor) return actor.personId;
      const refusal = refusalOf(actingFor, act);
      if (refusal === null) return actingFor.personId;
      const error = identityErrors[refusal](words[refusal]);
      await database.transaction((tx) =>
        access.recordAccess(tx, actor, {
          type: act,
          outcome: 'refused',
          code: error.code,
          subject: actingFor.personId,
          answerKind: 'none',
        }),
      );
      throw error;
    },

    /** From the next request on, the session acts for the principal of this delegation. */
    async actFor(actor: Actor, delegationId: string): Promise<void> {
      const personId = personOf(actor);
      const { sessionId } = actor;
      if (sessionId === undefined) throw new TypeError('People act in sessions.');
      if (!z.uuid().safeParse(delegationId).success) throw delegationNotFound();
      await database.as(scopeOfAccount(personId)).transaction(async (tx) => {
        const row = await lockDelegation(tx, delegationId, personId);
        if (row?.agentId !== personId) throw delegationNotFound();
        if (!isInForce(cityDay(new Date(row.readAt), cityTz), row)) {
          throw identityErrors.delegation_not_in_force(
            'This delegation is not in force today: see its state and its days.',
          );
        }
        await putActing(tx, sessionId, delegationId);
        await access.recordAccess(tx, actor, {
          type: 'delegation.used',
          outcome: 'ok',
          subject: row.principalId,
          role: 'agent',
          answerKind: 'none',
          delegation: delegationId,
        });
      });
    },

    /** From the next request on, the session acts for its own person again; harmless when it does. */
    async stopActing(actor: Actor): Promise<void> {
      if (actor.sessionId !== undefined) await deleteActing(database.db, actor.sessionId);
    },
  };
}

/** The signed-in person herself, whoever she acts for. */
export function personOf(actor: Actor): string {
  if (actor.kind === 'citizen' && actor.personId !== undefined) return actor.personId;
  throw identityErrors.person_needed('People and companies have delegations: sign in as one.');
}

export function delegationNotFound() {
  return identityErrors.delegation_not_found('There is no such delegation of yours.');
}

export type Acting = ReturnType<typeof createActing>;
