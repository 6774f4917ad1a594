// Departments and their officers: who takes part, and who may be what in which department.
import {
  type Clock,
  type Database,
  type Ids,
  isUniqueViolation,
  type Tx,
} from '../platform/index.ts';
import { isRole, type Role } from './actor.ts';
import { identityErrors } from './errors.ts';
import { isUscc } from './identifiers.ts';
import type { SecretHash, Stretching } from './secret-hash.ts';
import {
  findOrganisation,
  findOrganisationByUscc,
  listOfficers,
  listOrganisations,
  type OfficerRow,
  type Organisation,
  upsertOfficer,
  upsertOrganisation,
} from './store-organisations.ts';
import { putSecret } from './store-sessions.ts';

/** An officer as others see her; never with her secret. */
export interface Officer {
  id: string;
  key: string;
  username: string;
  organisationId: string;
  roles: Role[];
}

/** An officer to be put: the same key again changes the same officer. */
export interface OfficerInput {
  key: string;
  username: string;
  organisationId: string;
  roles: readonly Role[];
  password?: string;
  /** Default 'now'; 'first-use' for the many of a sample. */
  stretching?: Stretching;
}

/** Departments and officers of one house. */
export function createOrganisations(deps: {
  database: Database;
  clock: Clock;
  ids: Ids;
  secretHash: SecretHash;
}) {
  const { database, clock, ids, secretHash } = deps;

  return {
    async getOrganisation(id: string): Promise<Organisation> {
      const organisation = await findOrganisation(database.db, id);
      if (!organisation) {
        throw identityErrors.organisation_not_found('There is no such organisation.');
      }
      return organisation;
    },

    findOrganisationByUscc: (uscc: string) => findOrganisationByUscc(database.db, uscc),

    listOrganisations: () => listOrganisations(database.db),

    /** Adds an organisation or changes the one of this id. */
    async putOrganisation(tx: Tx, organisation: Organisation): Promise<void> {
      if (!isUscc(organisation.uscc)) {
        throw identityErrors.uscc_invalid('This is not a unified social credit code.', {
          fields: [{ pointer: '/uscc', detail: 'Check its 18 characters.' }],
        });
      }
      try {
        await upsertOrganisation(tx, organisation, clock.now());
      } catch (cause) {
        if (!isUniqueViolation(cause)) throw cause;
        throw identityErrors.organisation_invalid('Another organisation has this code.', { cause });
      }
    },

    /** Adds an officer or changes the one of this key: these roles and no others. Returns her id. */
    async putOfficer(tx: Tx, input: OfficerInput): Promise<string> {
      const { password, stretching = 'now', roles, ...officer } = input;
      const id = await upsertOfficer(
        tx,
        { ...officer, id: ids.uuid(), roles: [...roles] },
        clock.now(),
      );
      if (password !== undefined) {
        const hash = await secretHash.hashSecret(password, stretching);
        await putSecret(tx, { kind: 'officer', id }, hash, clock.now());
      }
      return id;
    },

    /** Sets the PIN a person or a company signs in with. */
    async putPersonSecret(
      tx: Tx,
      personId: string,
      pin: string,
      stretching: Stretching = 'now',
    ): Promise<void> {
      const hash = await secretHash.hashSecret(pin, stretching);
      await putSecret(tx, { kind: 'person', id: personId }, hash, clock.now());
    },

    async listOfficers(organisationId: string | null = null): Promise<Officer[]> {
      return (await listOfficers(database.db, organisationId)).map(asOfficer);
    },
  };
}

/** The stored officer with the roles this version knows. */
function asOfficer(row: OfficerRow): Officer {
  return { ...row, roles: row.roles.filter(isRole) };
}
