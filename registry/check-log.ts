// The log entry of an upload that somebody has checked: every one is a look, of what isn't ours nobody
// is the subject.
import { anonymousActor } from '../identity/index.ts';
import type { Tx } from '../platform/index.ts';
import type { RegistryDeps } from './deps.ts';
import type { PublicCaller } from './public-check.ts';
import type { LicenceRow } from './store.ts';

/** Stages the entry in the caller's transaction. */
export function logCheck(
  tx: Tx,
  { identity }: Pick<RegistryDeps, 'identity'>,
  caller: PublicCaller,
  row: LicenceRow | undefined,
) {
  return identity.recordAccess(tx, anonymousActor(caller.requestId), {
    type: 'licence.checked',
    answerKind: 'match',
    ...(row
      ? { outcome: 'ok', subject: row.holderId, licence: row.number }
      : { outcome: 'failed' }),
  });
}
