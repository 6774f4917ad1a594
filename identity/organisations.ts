// Departments and their officers: who takes part, and who may be what in which department.
import {
  type Clock,
  type Database,
  databaseFault,
  type Ids,
  isUniqueViolation,
  openRows,
  type Tx,
} from '../platform/index.ts';
import { isRole, type Role } from './actor.ts';
import { identityErrors } from './errors.ts';
import { isUscc } from './identifiers.ts';
import { incompatible } from './officers.ts';
import { dutyOf } from './roles.ts';
import { scopeOfAccount } from './row-scope.ts';
import type { SecretHash, Stretching } from './secret-hash.ts';
import {
  closeSetUp,
  listOfficers,
  type OfficerRow,
  type Reach,
  upsertOfficer,
} from './store-officers.ts';
import {
  findOrganisation,
  findOrganisationByUscc,
  type Level,
  listOrganisations,
  type Organisation,
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
  /** Of the roles she gets by this; one she holds keeps its own. */
  reach?: Reach;
  password?: string;
  /** Default 'now'; 'first-use' for the many of a sample. */
  stretching?: Stretching;
}

/** An organisation to be put; without a level it stands at the city's. */
export type OrganisationInput = Omit<Organisation, 'level' | 'parentId'> & {
  level?: Level;
  parentId?: string | null;
};

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

    /** Adds an organisation or changes the one of this id; one below another stands on a lower level. */
    async putOrganisation(tx: Tx, input: OrganisationInput): Promise<void> {
      const organisation = { level: 'city' as const, parentId: null, ...input };
      if (!isUscc(organisation.uscc)) {
        throw identityErrors.uscc_invalid('This is not a unified social credit code.', {
          fields: [{ pointer: '/uscc', detail: 'Check its 18 characters.' }],
        });
      }
      try {
        await upsertOrganisation(tx, organisation, clock.now());
      } catch (cause) {
        if (databaseFault(cause)?.constraint?.startsWith('organisations_') !== true) throw cause;
        throw identityErrors.organisation_invalid(
          isUniqueViolation(cause)
            ? 'Another organisation has this code.'
            : 'It needs an organisation above it on a higher level, and none at the city’s level.',
          { cause },
        );
      }
    },

    /**
     * Adds an officer or changes the one of this key: these roles and no others. Returns her id. For
     * setting up a city; afterwards the database lets roles be granted by two operators only.
     */
    async putOfficer(tx: Tx, input: OfficerInput): Promise<string> {
      const { password, stretching = 'now', roles, reach = 'own', ...account } = input;
      const [duty = 'work', ...others] = new Set(roles.map(dutyOf));
      if (others.length > 0) throw incompatible();
      const officer = { ...account, id: ids.uuid(), duty, roles, reach };
      const id = await upsertOfficer(tx, officer, clock.now());
      if (password !== undefined) {
        const hash = await secretHash.hashSecret(password, stretching);
        await openRows(tx, scopeOfAccount(id));
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
      await openRows(tx, scopeOfAccount(personId));
      await putSecret(tx, { kind: 'person', id: personId }, hash, clock.now());
    },

    async listOfficers(organisationId: string | null = null): Promise<Officer[]> {
      const page = organisationId === null ? {} : { organisationId };
      return (await listOfficers(database.db, page)).map(asOfficer);
    },

    /** Ends the setting up of a city: see putOfficer. */
    closeSetUp,
  };
}

/** The stored officer with the roles this version knows. */
function asOfficer({ id, key, username, organisationId, grants }: OfficerRow): Officer {
  const roles = grants.map(({ role }) => role).filter(isRole);
  return { id, key, username, organisationId, roles };
}
