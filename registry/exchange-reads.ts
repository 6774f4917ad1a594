// Reads for the exchange, inside its own transactions: it decides who may, and logs what it does.
import type { Tx } from '../platform/index.ts';
import type { RegistryDeps } from './deps.ts';
import { licenceErased } from './errors.ts';
import { parseLicenceNumber } from './licence-number.ts';
import type { Opening } from './opening.ts';
import { openBodies } from './sealed-licence.ts';
import { findByHolder, findByMention, findLicence } from './store.ts';
import { type LicenceView, viewOf } from './view.ts';

/** What the exchange reads for a department that may. */
export interface LicenceForReading extends LicenceView {
  holderId: string;
  holderName: string;
  credential: string;
}

/** A licence that names someone besides its holder. */
export interface NamingLicence extends LicenceView {
  holderId: string;
}

/** Binds the exchange's reads. */
export function createExchangeReads(
  { identity, cityTz }: Pick<RegistryDeps, 'identity' | 'cityTz'>,
  { openViews, openCredential }: Opening,
) {
  return {
    /** A person's licences that this department issued. */
    async searchOwn(
      tx: Tx,
      organisationId: string,
      personId: string,
      types?: readonly string[],
    ): Promise<LicenceView[]> {
      const only = { issuerId: organisationId, typeIds: types };
      return openViews(tx, await findByHolder(tx, personId, only));
    },

    /** A person's licences of these types in every status, newest first, for rules. */
    async licencesOf(tx: Tx, personId: string, typeIds: readonly string[]): Promise<LicenceView[]> {
      return openViews(tx, await findByHolder(tx, personId, { typeIds }));
    },

    /**
     * Licences of these types that name a person besides their holder (a child's birth certificate,
     * a company's licence), in every status, newest first, for rules.
     */
    async licencesNaming(
      tx: Tx,
      personId: string,
      typeIds: readonly string[],
    ): Promise<NamingLicence[]> {
      const rows = await findByMention(tx, personId, typeIds);
      const holders = new Map(rows.map(({ number, holderId }) => [number, holderId]));
      return (await openViews(tx, rows)).map((view) => ({
        ...view,
        holderId: holders.get(view.number) ?? '',
      }));
    },

    /** One licence for a department the exchange lets read it; null when there is none. */
    async getForReading(tx: Tx, number: string): Promise<LicenceForReading | null> {
      const row = parseLicenceNumber(number) ? await findLicence(tx, number) : undefined;
      if (!row) return null;
      const [body] = await openBodies(tx, identity, [row]);
      if (!body) throw licenceErased();
      return {
        ...viewOf(row, body, cityTz),
        holderId: row.holderId,
        holderName: body.holderName,
        credential: await openCredential(tx, row),
      };
    },
  };
}
