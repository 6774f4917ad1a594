// A licence as others see it: the row without what is sealed, times and days as the API writes them.
import { cityDay, type JsonObject } from '../platform/index.ts';
import { type LicenceStatus, statusOn } from './licence.ts';
import type { SealedBody } from './sealed-licence.ts';
import type { LicenceRow } from './store.ts';

/** A licence for exchange's rules and reads: citizen IDs in `fields` are `{ $person }` references. */
export interface LicenceView {
  number: string;
  type: string;
  typeVersion: number;
  version: number;
  status: LicenceStatus;
  issuerId: string;
  validFrom: string;
  validTo: string | null;
  issuedAt: string;
  fields: JsonObject;
}

/** How the licence stands at the moment it was read. */
export function statusOf(row: LicenceRow, cityTz: string): LicenceStatus {
  return statusOn(cityDay(new Date(row.readAt), cityTz), row.status, row.validTo);
}

export function viewOf(row: LicenceRow, body: SealedBody, cityTz: string): LicenceView {
  const { number, typeId, typeVersion, version, issuerId, validFrom, validTo, issuedAt } = row;
  return {
    number,
    type: typeId,
    typeVersion,
    version,
    status: statusOf(row, cityTz),
    issuerId,
    validFrom,
    validTo,
    issuedAt,
    fields: body.fields,
  };
}

/** Changes with every change of the licence (RFC 9110 section 8.8.3). */
export function etagOf({ version, revision }: Pick<LicenceRow, 'version' | 'revision'>): string {
  return `"${version}.${revision}"`;
}
