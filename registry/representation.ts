// Who speaks for a company: the person its licence names as legal representative (民法典 61). She lets
// agents act for it, herself too, and what she gave ends with what named her.
import {
  type Actor,
  DELEGABLE_ITEMS,
  type Delegation,
  type DelegationInput,
  LONGEST_DELEGATION_DAYS,
  rowScopeOf,
} from '../identity/index.ts';
import { addDays, cityDay, dbNow, type JsonObject, openRows, type Tx } from '../platform/index.ts';
import type { RegistryDeps } from './deps.ts';
import { registryErrors } from './errors.ts';
import type { LicenceType } from './licence-type.ts';
import type { Opening } from './opening.ts';
import { scopeOfSubjects } from './row-scope.ts';
import { findByMention, lockLicence } from './store.ts';
import type { TypeBook } from './type-book.ts';
import { statusOf } from './view.ts';

/** The field of a company's licence that names who speaks for it. */
export const REPRESENTATIVE_FIELD = 'legal_rep_id';

/** A company as its legal representative finds it. */
export interface RepresentedCompany {
  /** The reference of the company, for the acts below. */
  id: string;
  uscc: string;
  name: string;
  /** The licence that names her. */
  licence: string;
  /** Whom it lets act for it, newest first. */
  delegations: Delegation[];
}

type Named = Omit<RepresentedCompany, 'delegations'>;

/** Binds representation to the rooms below. */
export function createRepresentation(
  deps: Pick<RegistryDeps, 'database' | 'identity' | 'cityTz'>,
  { book, opening }: { book: TypeBook; opening: Opening },
) {
  const { database, identity, cityTz } = deps;

  /** The companies whose valid licence names this person, each once. */
  async function companiesOf(tx: Tx, personId: string): Promise<Named[]> {
    const typeIds = (await book.listTypes()).filter(namesRepresentative).map(({ id }) => id);
    if (typeIds.length === 0) return [];
    await openRows(tx, scopeOfSubjects(personId));
    const rows = await findByMention(tx, personId, typeIds);
    const views = await opening.openViews(tx, rows);
    const held = new Map<string, string>();
    for (const { number, status, fields } of views) {
      const row = rows.find((one) => one.number === number);
      const names = referenceOf(fields) === personId;
      if (row && status === 'valid' && names && !held.has(row.holderId)) {
        held.set(row.holderId, number);
      }
    }
    const people = await identity.revealPeople(tx, [...held.keys()]);
    return [...held].flatMap(([id, licence]) => {
      const company = people.get(id);
      if (company?.scheme !== 'uscc') return [];
      return [{ id, uscc: company.value, name: company.name ?? company.value, licence }];
    });
  }

  /** The company of this licence as one she speaks for; any other, known or not, is refused alike. */
  async function getRepresented(tx: Tx, personId: string, licence: string): Promise<Named> {
    const company = (await companiesOf(tx, personId)).find((one) => one.licence === licence);
    if (company) return company;
    throw notRepresented();
  }

  /** She herself; nobody speaks for a company in another's name. */
  async function representative(actor: Actor): Promise<string> {
    const personId = await identity.subjectOf(actor, 'delegation.give');
    if (personId !== null) return personId;
    throw registryErrors.not_the_representative('Sign in as the legal representative.');
  }

  async function giveForCompany(
    actor: Actor,
    licence: string,
    input: DelegationInput,
  ): Promise<Delegation> {
    const personId = await representative(actor);
    return database.as(rowScopeOf(actor)).transaction(async (tx) => {
      const { id } = await getRepresented(tx, personId, licence);
      // Held until the end: what ends the licence meanwhile waits, and ends this with it.
      const row = await lockLicence(tx, licence);
      if (!row || statusOf(row, cityTz) !== 'valid') throw notRepresented();
      const principal = { principalId: id, underLicence: licence };
      return identity.proposeDelegation(tx, actor, principal, input);
    });
  }

  return {
    /** The companies the person who asks speaks for. */
    async representedCompanies(actor: Actor): Promise<RepresentedCompany[]> {
      const personId = await representative(actor);
      const named = await database
        .as(rowScopeOf(actor))
        .transaction((tx) => companiesOf(tx, personId));
      return Promise.all(
        named.map(async (company) => ({
          ...company,
          delegations: await identity.listDelegationsOf(company.id),
        })),
      );
    },

    /**
     * Lets somebody act for the company of a licence, in its name; the representative herself may from now on, without
     * accepting. It ends when the licence ends or its next version names somebody.
     */
    giveForCompany,

    /**
     * From the next request on, her session acts for the company: by what she holds from it, or else by
     * a delegation of every item to herself, for as long as one may last.
     */
    async actForCompany(actor: Actor, licence: string): Promise<void> {
      const personId = await representative(actor);
      const { uscc, self, today } = await database
        .as(rowScopeOf(actor))
        .transaction(async (tx) => ({
          ...(await getRepresented(tx, personId, licence)),
          self: await identity.revealPerson(tx, personId),
          today: cityDay(await dbNow(tx), cityTz),
        }));
      const held = (await identity.listDelegations(actor)).find(
        ({ side, state, principal }) =>
          side === 'agent' && state === 'accepted' && principal.masked === uscc,
      );
      const { id } =
        held ??
        (await giveForCompany(actor, licence, {
          agent: { scheme: 'cn-id', value: self.value },
          items: [...DELEGABLE_ITEMS],
          validTo: addDays(today, LONGEST_DELEGATION_DAYS - 1),
        }));
      await identity.actFor(actor, id);
    },

    /** Ends a delegation in the company's name, whoever gave it. */
    async revokeForCompany(actor: Actor, licence: string, delegation: string): Promise<Delegation> {
      const personId = await representative(actor);
      return database.as(rowScopeOf(actor)).transaction(async (tx) => {
        const { id } = await getRepresented(tx, personId, licence);
        return identity.revokeDelegationOf(tx, actor, id, delegation);
      });
    },
  };
}

function notRepresented() {
  return registryErrors.not_the_representative(
    'This is no valid licence of a company that names you as its legal representative.',
  );
}

/** Does a licence of this type say who speaks for its holder? */
function namesRepresentative({ holderKind, schema }: LicenceType): boolean {
  const { properties } = schema;
  return (
    holderKind === 'legal_person' && isObject(properties) && REPRESENTATIVE_FIELD in properties
  );
}

function referenceOf(fields: JsonObject): unknown {
  const named = fields[REPRESENTATIVE_FIELD];
  return isObject(named) ? named.$person : undefined;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
