// From when the subject is told of a question: at once, or, for a department that may delay it, at a date or
// when the case is closed, and never later than the law allows.
import type { Tx } from '../platform/index.ts';
import type { Admission } from './admit.ts';
import { holdOpenCase } from './covert-case-store.ts';
import type { ExchangeDeps } from './deps.ts';
import { exchangeErrors } from './errors.ts';
import type { AskInput } from './request.ts';

const DAY_MS = 86_400_000;

/** Binds delays to the rooms below. */
export function createDelays({
  identity,
  ids,
  mostDelayDays,
}: Pick<ExchangeDeps, 'identity' | 'ids' | 'mostDelayDays'>) {
  return {
    /** The date; null when nothing is delayed. Keeps the case from being closed until the question is stored. */
    async delay(
      tx: Tx,
      { requester, now }: Pick<Admission, 'requester' | 'now'>,
      { discloseAfter, caseId }: Pick<AskInput, 'discloseAfter' | 'caseId'>,
    ): Promise<Date | null> {
      if (discloseAfter === undefined) return null;
      const latest = new Date(now.getTime() + mostDelayDays * DAY_MS);
      const wanted = discloseAfter === 'case' ? latest : new Date(discloseAfter);
      if (wanted > latest) {
        throw exchangeErrors.delay_too_long(
          `A look may be kept from its subject for ${mostDelayDays} days at most.`,
          { fields: [{ pointer: '/discloseAfter', detail: `is after ${latest.toISOString()}` }] },
        );
      }
      const made = { id: ids.uuid(), requester, caseTag: identity.caseTag(caseId) };
      if (await holdOpenCase(tx, made)) return wanted;
      throw exchangeErrors.case_closed(
        'Your department has closed this case: nothing more is delayed in it. Ask without a delay.',
      );
    },
  };
}
