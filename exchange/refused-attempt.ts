// Refused questions are logged too: the citizen sees who tried, the auditor why it failed.
import type { Actor } from '../identity/index.ts';
import { dbNow, type Tx } from '../platform/index.ts';
import { isIdentifier } from './admit.ts';
import type { ExchangeDeps } from './deps.ts';
import { type FreeTexts, freeTextFaults } from './free-text.ts';
import type { AskInput } from './request.ts';
import type { ServiceBook } from './service-book.ts';
import { hasDelayAllowance } from './service-store.ts';

const DAY_MS = 86_400_000;

/**
 * The texts of a request that a person wrote. Not its legal basis: one that the service doesn't list
 * is refused as such, whatever it looks like.
 */
export function textsOf({ purpose, caseId, officer, discloseReason }: AskInput): FreeTexts {
  return { purpose, caseId, officer, discloseReason };
}

/** Binds the logging of refusals to the rooms below. */
export function createRefusalLog(
  { database, identity, ids, outbox, mostDelayDays }: ExchangeDeps,
  book: ServiceBook,
) {
  /**
   * From when the subject is told. Where a delay would have been granted, a refusal must not warn her
   * sooner than the question would have; closing the case doesn't hasten it.
   */
  async function delayOf(
    tx: Tx,
    { organisationId }: Actor,
    { discloseAfter, discloseReason }: AskInput,
    code: string,
  ): Promise<Date | undefined> {
    if (discloseAfter === undefined || discloseReason === undefined) return undefined;
    if (code === 'exchange.case_closed' || organisationId === null) return undefined;
    if (!(await hasDelayAllowance(tx, organisationId))) return undefined;
    const latest = (await dbNow(tx)).getTime() + mostDelayDays * DAY_MS;
    const wanted = discloseAfter === 'case' ? latest : Date.parse(discloseAfter);
    return new Date(Math.min(wanted, latest));
  }

  /** Records it in a transaction of its own; texts that hold an identifier are left out. */
  return async function recordRefusal(actor: Actor, input: AskInput, code: string): Promise<void> {
    const { faults, holdsIdentifier } = freeTextFaults(textsOf(input));
    const isClean = faults.length + holdsIdentifier.length === 0;
    await database.transaction(async (tx) => {
      const service = await book.findCurrent(tx, input.service);
      // An identifier that holds by its check digit can still be nobody's: of a birth day to come.
      const [subject] = isIdentifier(input)
        ? await identity.ensurePeople(tx, [input.subject]).catch(() => [])
        : [];
      const discloseAt = await delayOf(tx, actor, input, code);
      const isKnownBasis = service?.definition.legalBasis.includes(input.legalBasis) ?? false;
      const { stageId } = await identity.recordAccess(tx, actor, {
        type: 'verification.asked',
        outcome: 'refused',
        code,
        answerKind: 'none',
        ...(subject === undefined ? {} : { subject }),
        ...(discloseAt === undefined ? {} : { discloseAt }),
        ...(service && {
          service: service.definition.code,
          question: service.definition.questionZh,
        }),
        ...(isKnownBasis ? { legalBasis: input.legalBasis } : {}),
        ...(isClean ? { purpose: input.purpose, caseId: input.caseId } : {}),
        ...(isClean && input.officer !== undefined ? { officer: input.officer } : {}),
      });
      if (code === 'exchange.probing') {
        const payload = { requester: actor.organisationId, service: input.service, stageId };
        await outbox.add(tx, { topic: 'exchange.probing', key: ids.uuid(), payload });
      }
    });
  };
}
