// The register's part of an erasure: what still needs the person, and giving her up.
import { cityDay, dbNow, type Tx } from '../platform/index.ts';
import type { RegistryDeps } from './deps.ts';
import { findStanding, forgetHolder, listNumbers, type Standing } from './erasure-store.ts';

/** Binds what an erasure asks of the register; its transactions need the system's scope. */
export function createErasing({ cityTz }: Pick<RegistryDeps, 'cityTz'>) {
  return {
    /** What still needs a person today: as holder, as named by others, as applicant. */
    standingOf: async (tx: Tx, personId: string): Promise<Standing> =>
      findStanding(tx, personId, cityDay(await dbNow(tx), cityTz)),
    /** The numbers of all licences she ever held. */
    numbersOf: listNumbers,
    /** Takes from an erased holder's licences all they said; numbers, status and history's acts stay. */
    forgetHolder,
  };
}
