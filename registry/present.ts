// A credential someone presents: is it authentic, and how does the licence stand (contract section 6)?
import { logCheck } from './check-log.ts';
import type { RegistryDeps } from './deps.ts';
import { registryErrors } from './errors.ts';
import { type LicenceStatus, statusListValue } from './licence.ts';
import { parseLicenceNumber } from './licence-number.ts';
import type { PublicCaller } from './public-check.ts';
import { scopeOfLicences } from './row-scope.ts';
import { findLicence } from './store.ts';
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

/** How a licence stands by the register, and whether the status list says the same. */
interface Standing {
  status: LicenceStatus;
  isListed: boolean;
}

/** Longest text that is read: the limit of a body (contract section 3). */
const LONGEST = 1_048_576;

/** Binds the check of presented credentials. */
export function createPresent(deps: RegistryDeps) {
  const { database, audit, ids, signing, identity, clock, cityTz } = deps;

  /** What the register holds of an authentic credential, in one view of it. Logs the look. */
  async function consult(
    caller: PublicCaller,
    claims: Record<string, unknown>,
    status: { uri: string; idx: number } | undefined,
  ): Promise<Standing | undefined> {
    const { licence_id: id } = claims;
    const number = typeof id === 'string' && parseLicenceNumber(id) ? id : undefined;
    // Register and list change in one transaction; read in one view of both they must agree.
    const inHand = number === undefined ? {} : scopeOfLicences(number);
    const { standing, stageId } = await database.as(inHand).transaction(
      async (tx) => {
        const row = number === undefined ? undefined : await findLicence(tx, number);
        const isOurs =
          row && row.statusListUri === status?.uri && row.statusListIndex === status.idx;
        const { stageId } = await logCheck(tx, { identity }, caller, isOurs ? row : undefined);
        if (!isOurs) return { standing: undefined, stageId };
        const expected = statusListValue(row.status);
        const isListed = expected === null || expected === (await signing.getStatus(tx, status));
        return { standing: { status: statusOf(row, cityTz), isListed }, stageId };
      },
      { isolation: 'repeatable read' },
    );
    await audit.sequenced([stageId]);
    return standing;
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
        const { stageId } = await database.transaction((tx) =>
          logCheck(tx, { identity }, caller, undefined),
        );
        await audit.sequenced([stageId]);
        return {
          ok: false,
          verdict: 'not_genuine',
          checks: [...checks, skippedCheck('register'), skippedCheck('status')],
        };
      }
      const standing = await consult(caller, claims, status);
      if (!standing) {
        return {
          ok: false,
          verdict: 'unknown',
          checks: [
            ...checks,
            { name: 'register', result: 'fail', detail: 'No such licence is in the register.' },
            skippedCheck('status'),
          ],
        };
      }
      const holds = standing.isListed && standing.status === 'valid';
      return {
        ok: holds && checks.every(({ result }) => result !== 'fail'),
        verdict: 'genuine',
        status: standing.status,
        checks: [
          ...checks,
          { name: 'register', result: 'pass', detail: 'The licence is in the register.' },
          {
            name: 'status',
            result: holds ? 'pass' : 'fail',
            detail: standing.isListed
              ? `The licence is ${standing.status}.`
              : 'Register and status list differ: ask the issuer.',
          },
        ],
      };
    },
  };
}

export function skippedCheck(name: string): PresentedCheck {
  return { name, result: 'skipped', detail: 'Not checked, because an earlier check failed.' };
}

/** Has it the outer form of an SD-JWT, so that a verdict on it makes sense? */
function isReadable(compact: string): boolean {
  return /^[\w-]+\.[\w-]+\.[\w-]+~[\w~.-]*$/.test(compact);
}
