// A document someone presents: did a department of this house seal exactly this, and how does the
// licence stand now (contract section 6)?
import { logCheck } from './check-log.ts';
import type { RegistryDeps } from './deps.ts';
import { registryErrors } from './errors.ts';
import { parseLicenceNumber } from './licence-number.ts';
import { type PresentedCheck, type PresentedResult, skippedCheck } from './present.ts';
import type { PublicCaller } from './public-check.ts';
import { scopeOfLicences } from './row-scope.ts';
import { findLicence } from './store.ts';
import { statusOf } from './view.ts';

/** How every PDF begins (ISO 32000-1 section 7.5.2). */
const HEADER = '%PDF-';

/** Is this a PDF, whatever it was called? */
export function isPdf(bytes: Uint8Array): boolean {
  return Buffer.from(bytes.subarray(0, HEADER.length)).toString('latin1') === HEADER;
}

/** Binds the check of presented documents. */
export function createPresentDocument(deps: RegistryDeps) {
  const { database, audit, ids, signing, identity, cityTz } = deps;

  return {
    /**
     * Checks a presented PDF and names each check. What a department of this house didn't seal, or
     * what was changed since, is not genuine; sealed but not in the register, it is unknown. The
     * look is logged for the holder.
     */
    async verifyDocument(
      bytes: Uint8Array,
      caller: PublicCaller = { requestId: ids.uuid() },
    ): Promise<PresentedResult> {
      if (!isPdf(bytes)) {
        throw registryErrors.document_unreadable('This is not a PDF. Send the file as you got it.');
      }
      const { checks, isAuthentic, number, uscc } = await signing.verifyDocument(bytes);
      const isNumber = number !== undefined && parseLicenceNumber(number) !== undefined;
      const scope = isNumber ? scopeOfLicences(number) : {};
      const { row, stageId } = await database.as(scope).transaction(async (tx) => {
        const row = isNumber ? await findLicence(tx, number) : undefined;
        const { stageId } = await logCheck(tx, { identity }, caller, row);
        return { row, stageId };
      });
      await audit.sequenced([stageId]);
      if (!isAuthentic) return result('not_genuine', checks);
      if (number === undefined) return result('unknown', checks);
      if (parseLicenceNumber(number)?.authority !== uscc) {
        const detail = 'The seal is of another department than the licence.';
        return result('not_genuine', [...checks, { name: 'register', result: 'fail', detail }]);
      }
      if (!row) {
        const detail = 'No such licence is in the register.';
        return result('unknown', [...checks, { name: 'register', result: 'fail', detail }]);
      }
      const status = statusOf(row, cityTz);
      const isValid = status === 'valid';
      return {
        ok: isValid,
        verdict: 'genuine',
        status,
        checks: [
          ...checks,
          { name: 'register', result: 'pass', detail: 'The licence is in the register.' },
          {
            name: 'status',
            result: isValid ? 'pass' : 'fail',
            detail: `The licence is ${status}.`,
          },
        ],
      };
    },
  };
}

/** A result without a status; what was not reached stands as skipped. */
function result(
  verdict: 'not_genuine' | 'unknown',
  checks: readonly PresentedCheck[],
): PresentedResult {
  const missing = ['register', 'status'].filter((name) => !checks.some((one) => one.name === name));
  return { ok: false, verdict, checks: [...checks, ...missing.map(skippedCheck)] };
}
