// A credential someone presents: is it authentic, and how does the licence stand (contract section 6)?
import { type AccessEntry, anonymousActor } from '../identity/index.ts';
import { cityDay } from '../platform/index.ts';
import type { RegistryDeps } from './deps.ts';
import { registryErrors } from './errors.ts';
import { type LicenceStatus, statusListValue } from './licence.ts';
import type { PublicCaller } from './public-check.ts';
import { findLicence, type LicenceRow } from './store.ts';
import { statusOf } from './view.ts';

export interface PresentedCheck {
  name: string;
  result: 'pass' | 'fail' | 'skipped';
  detail: string;
}

/** `verdict`: is it authentic; `status`: does it still hold; `ok`: both. */
export interface PresentedResult {
  ok: boolean;
  verdict: 'genuine' | 'not_genuine' | 'unknown';
  status?: LicenceStatus;
  checks: PresentedCheck[];
}

/** Longest credential that is read: 40 fields of a type at their longest are under 100 kB. */
const LONGEST = 1_048_576;

/** Binds the check of presented credentials. */
export function createPresent(deps: RegistryDeps) {
  const { database, audit, ids, signing, identity, clock, cityTz } = deps;

  /** The licence a credential speaks of, if it is in the register under this very status. */
  async function findPresented(
    claims: Record<string, unknown>,
    status: { uri: string; idx: number } | undefined,
  ): Promise<LicenceRow | undefined> {
    const { licence_id: number } = claims;
    const row = typeof number === 'string' ? await findLicence(database.db, number) : undefined;
    const isSame = row?.statusListUri === status?.uri && row?.statusListIndex === status?.idx;
    return row && isSame ? row : undefined;
  }

  /** Every upload is a look; of what isn't ours nobody is the subject. */
  async function logCheck(
    caller: PublicCaller,
    look: Pick<AccessEntry, 'outcome' | 'subject' | 'licence'>,
  ): Promise<void> {
    const { stageId } = await database.transaction((tx) =>
      identity.recordAccess(tx, anonymousActor(caller.requestId), {
        type: 'licence.checked',
        answerKind: 'match',
        ...look,
      }),
    );
    await audit.sequenced([stageId]);
  }

  return {
    /**
     * Checks a presented credential and names each check. What we didn't sign is not genuine; what
     * we signed but don't find in the register is unknown. The look is logged for the holder.
     */
    async verifyPresented(
      compact: string,
      caller: PublicCaller = { requestId: ids.uuid() },
    ): Promise<PresentedResult> {
      if (compact.length > LONGEST || !isReadable(compact)) {
        throw registryErrors.credential_unreadable(
          'This is not a credential. Send the SD-JWT text as it was issued or presented.',
        );
      }
      const { checks, isAuthentic, claims, status } = await signing.verifyCredential(compact, {
        now: clock.now(),
      });
      if (!isAuthentic || !claims) {
        await logCheck(caller, { outcome: 'failed' });
        return {
          ok: false,
          verdict: 'not_genuine',
          checks: [...checks, skipped('register'), skipped('status')],
        };
      }
      const row = await findPresented(claims, status);
      if (!row) {
        await logCheck(caller, { outcome: 'failed' });
        return {
          ok: false,
          verdict: 'unknown',
          checks: [
            ...checks,
            { name: 'register', result: 'fail', detail: 'No such licence is in the register.' },
            skipped('status'),
          ],
        };
      }
      const standing = statusOf(row, cityTz);
      const expected = statusListValue(row.status);
      const listed = await signing.getStatus(database.db, {
        uri: row.statusListUri,
        idx: row.statusListIndex,
      });
      // Register and list change in one transaction; a difference that stays means tampering.
      const agrees = expected === null || expected === listed;
      await logCheck(caller, { outcome: 'ok', subject: row.holderId, licence: row.number });
      const day = cityDay(new Date(row.readAt), cityTz);
      return {
        ok: agrees && standing === 'valid' && checks.every(({ result }) => result !== 'fail'),
        verdict: 'genuine',
        status: standing,
        checks: [
          ...checks,
          { name: 'register', result: 'pass', detail: 'The licence is in the register.' },
          {
            name: 'status',
            result: agrees && standing === 'valid' ? 'pass' : 'fail',
            detail: agrees
              ? `The licence is ${standing} on ${day}.`
              : 'Register and status list differ: ask the issuer.',
          },
        ],
      };
    },
  };
}

function skipped(name: string): PresentedCheck {
  return { name, result: 'skipped', detail: 'Not checked, because an earlier check failed.' };
}

/** Has it the outer form of an SD-JWT, so that a verdict on it makes sense? */
function isReadable(compact: string): boolean {
  return /^[\w-]+\.[\w-]+\.[\w-]+~[\w~.-]*$/.test(compact);
}
