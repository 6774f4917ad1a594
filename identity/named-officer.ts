// Four eyes through a department's system: it names the officer it acts for, who must be one, with the
// role, today. Else one system could be two accounts by naming two people it made up.
import { cityDay, type Database, dbNow } from '../platform/index.ts';
import { accountOf } from './account.ts';
import type { Actor, Role } from './actor.ts';
import { identityErrors } from './errors.ts';
import { findOfficer } from './store-officers.ts';

/** Binds the check to one house. */
export function createNamedOfficers({ database, cityTz }: { database: Database; cityTz: string }) {
  return {
    /** Where the officer of a key belongs; null when the house keeps no such account. */
    async organisationOfOfficer(key: string): Promise<string | null> {
      return (await findOfficer(database.db, key))?.organisationId ?? null;
    },

    /** The account of the officer behind an act that needs one with this role; refused without. */
    async officerAccountOf(actor: Actor, role: Role): Promise<string> {
      if (actor.kind === 'officer' && actor.roles.includes(role)) return accountOf(actor);
      const { onBehalfOf } = actor;
      if (actor.kind === 'client' && onBehalfOf !== undefined) {
        const officer = await findOfficer(database.db, onBehalfOf);
        const today = cityDay(await dbNow(database.db), cityTz);
        const isOne =
          officer?.organisationId === actor.organisationId &&
          !officer.hasLeft &&
          officer.grants.some(
            (grant) =>
              grant.role === role &&
              (grant.validFrom ?? '') <= today &&
              (grant.validTo === null || grant.validTo >= today),
          );
        if (isOne) return accountOf(actor);
      }
      throw identityErrors.officer_needed(
        `An officer with the role ${role} does this: sign in as one, or name one in X-On-Behalf-Of.`,
      );
    },
  };
}
