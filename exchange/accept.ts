// Accepting a question: everything is decided, counted, logged and stored in one transaction, or
// nothing is (house.md 5). Where the caller waits for a rule, its answer is in the same transaction:
// no crash can come between. Refusals are logged in a transaction of their own.
import { type Actor, hasScope, rowScopeOf } from '../identity/index.ts';
import { AppError, type Tx } from '../platform/index.ts';
import { type Admission, createAdmission } from './admit.ts';
import { insertConsents } from './consent-store.ts';
import { createDelays } from './delayed-disclosure.ts';
import type { ExchangeDeps } from './deps.ts';
import { insertQuestion } from './desk-store.ts';
import { PICKUP_SECONDS } from './dispatch-store.ts';
import { contentOf, endingEntry, type Outcome, sealContent } from './ending.ts';
import { exchangeErrors } from './errors.ts';
import { checkFreeTexts } from './free-text.ts';
import { namedAdults } from './named-people.ts';
import type { OutcomeOf } from './outcome.ts';
import { RECEIPT_SALT_BYTES, saltedHash } from './receipt.ts';
import { createRefusalLog, textsOf } from './refused-attempt.ts';
import {
  type AskInput,
  actorKey,
  bodyOf,
  entryAbout,
  keyHash,
  type SealedRequest,
  saltText,
  sealRequest,
  systemActor,
} from './request.ts';
import { claimRequestKey, insertVerification, type Route } from './request-store.ts';
import type { Service, ServiceBook } from './service-book.ts';
import type { WholeVerification } from './show.ts';
import { consentDeadline, deadlineOf } from './working-days.ts';

export interface AcceptOptions {
  /** How the request was proven: a signature over it (RFC 9421), a DPoP proof, or a session. */
  evidence: 'rfc9421' | 'dpop' | 'session';
  idempotencyKey?: string | undefined;
  /** The caller waits: what a rule answers is answered at once. */
  isAwaited: boolean;
  /** What stands in for an agreement. */
  emergency?: Emergency | undefined;
}

/** An emergency in which a question is asked. */
export interface Emergency {
  id: string;
  /** The fields of the service when it was opened. */
  fields: readonly string[];
  discloseAt: Date;
  /** Holds it until the transaction ends and counts its use; throws when it has ended. */
  use(tx: Tx): Promise<void>;
}

/** What accepting led to. */
export interface Accepted {
  id: string;
  /** Set when it was answered, or refused by the rule, in the same transaction. */
  ended?: WholeVerification;
  /** True when a worker must be woken. */
  needsWaking: boolean;
  /** True when an earlier request had the idempotency key. */
  isRepeat: boolean;
}

type Timing = 'at once' | 'later';

/** Where a question goes and how long it has. */
interface Plan {
  state: 'accepted' | 'awaiting_consent' | 'dispatched';
  route: Route;
  deadline: Date;
  wakeAt: Date | null;
}

/** Binds accepting to the rooms below. */
export function createAccept(deps: ExchangeDeps, book: ServiceBook, outcomeOf: OutcomeOf) {
  const { database, identity, ids, cityTz, logger } = deps;
  const { admit, admitInEmergency } = createAdmission(deps, book);
  const delays = createDelays(deps);
  const recordRefusal = createRefusalLog(deps, book);

  /** Accepts a question, or refuses it by throwing; either way the log is told. */
  async function accept(actor: Actor, input: AskInput, options: AcceptOptions): Promise<Accepted> {
    const run = (timing: Timing) =>
      database
        .as(rowScopeOf(actor))
        .transaction((tx) => acceptIn(tx, actor, input, options, timing));
    try {
      checkInput(actor, input);
      if (!options.isAwaited || !(deps.runsAtOnce ?? true)) return await run('later');
      try {
        return await run('at once');
      } catch (error) {
        if (error instanceof AppError) throw error;
        // The question is good, its answering is not: a worker tries again, and gives up in the end.
        logger.error(
          { err: error, service: input.service },
          'A question was not answered at once.',
        );
        return await run('later');
      }
    } catch (error) {
      if (error instanceof AppError && error.kind !== 'unavailable') {
        await recordRefusal(actor, input, error.code);
      }
      throw error;
    }
  }

  async function acceptIn(
    tx: Tx,
    actor: Actor,
    input: AskInput,
    options: AcceptOptions,
    timing: Timing,
  ): Promise<Accepted> {
    // 1. A retry of a request that was stored already adds nothing.
    const id = ids.uuid();
    const earlier = await claimKey(tx, actor, options.idempotencyKey, id);
    if (earlier !== undefined) return { id: earlier, needsWaking: false, isRepeat: true };

    // 2. May it be asked, of whom, and what does the rule say?
    const { emergency } = options;
    await emergency?.use(tx);
    const isSigned = options.evidence === 'rfc9421';
    const admission = emergency
      ? await admitInEmergency(tx, actor, input, emergency.fields)
      : await admit(tx, actor, input, isSigned);
    const { service, subjectId, params, now, today, agreement } = admission;
    const { definition } = service;
    const disclosed = service.disclosed(admission.fields);
    // Nobody is asked to consent while a life can't wait (PIPL art. 13): the subject is told, and a second
    // officer reviews it.
    const needsConsent = definition.consent === 'required' && !emergency;
    const isToldNow = timing === 'at once' && firstRoute(service) === 'rule' && !needsConsent;
    const told = isToldNow
      ? await outcomeOf(tx, service, { subjectId, params, today }, disclosed)
      : undefined;
    const outcome = told === 'to desk' ? undefined : told;
    const route = told === 'to desk' ? 'desk' : firstRoute(service);
    const plan = planOf(service, now, route, needsConsent);

    // 3. Counted and logged.
    const disclosedFrom = emergency?.discloseAt ?? (await delays.delay(tx, admission, input));
    const { request, about } = describe(id, input, admission, disclosedFrom);
    const { discloseAt } = about;
    const provider = { id, provider: definition.provider, traceparent: actor.traceparent ?? null };
    const asked = {
      ...entryAbout(about, service, request),
      type: emergency ? 'emergency.asked' : 'verification.asked',
      outcome: 'ok' as const,
      answerKind: definition.minimalDisclosure.kind,
    };
    // Sent together, in this order; a refusal by the count takes the entries back.
    const [, question, ending] = await Promise.all([
      admission.count(tx),
      identity.recordAccess(tx, actor, asked),
      outcome &&
        identity.recordAccess(
          tx,
          systemActor(provider),
          endingEntry(about, service, request, outcome),
        ),
    ]);

    // 4. Stored, with its answer where there is one.
    const row = await insertVerification(tx, {
      ...about,
      serviceVersion: definition.version,
      agreement,
      emergencyId: emergency?.id ?? null,
      requester: admission.requester,
      provider: definition.provider,
      askedBy: actorKey(actor),
      state: plan.state,
      route: plan.route,
      disclosed,
      evidence: options.evidence,
      requestSealed: await sealRequest(tx, identity, about, request),
      caseTag: identity.caseTag(input.caseId),
      discloseAt: discloseAt === null ? null : new Date(discloseAt),
      traceparent: actor.traceparent ?? null,
      wakeAt: plan.wakeAt,
      questionStage: question.stageId,
      createdAt: now,
      deadline: plan.deadline,
      ending:
        outcome && ending
          ? {
              state: outcome.state,
              answerStage: ending.stageId,
              content: await sealContent(tx, identity, about, service, outcome),
            }
          : null,
    });
    const accepted = { id, isRepeat: false };
    if (outcome) return { ...accepted, ended: wholeOf(row, request, outcome), needsWaking: false };
    if (plan.state === 'awaiting_consent') await askConsent(tx, id, admission, plan.deadline);
    else if (plan.route === 'desk') await insertQuestion(tx, id);
    return { ...accepted, needsWaking: plan.state === 'accepted' };
  }

  async function claimKey(
    tx: Tx,
    actor: Actor,
    key: string | undefined,
    verificationId: string,
  ): Promise<string | undefined> {
    if (key === undefined) return undefined;
    return claimRequestKey(tx, { owner: actorKey(actor), hash: keyHash(key), verificationId });
  }

  function planOf({ definition }: Service, now: Date, route: Route, needsConsent: boolean): Plan {
    if (needsConsent) {
      const deadline = consentDeadline(now, cityTz);
      return { state: 'awaiting_consent', route, deadline, wakeAt: null };
    }
    const deadline = deadlineOf(definition.sla, now, cityTz);
    if (route === 'desk') return { state: 'dispatched', route, deadline, wakeAt: null };
    const wakeAt = new Date(now.getTime() + PICKUP_SECONDS * 1000);
    return { state: 'accepted', route, deadline, wakeAt };
  }

  /** The request as it is sealed, and what every entry says of it. */
  function describe(
    id: string,
    input: AskInput,
    { subjectId, params }: Admission,
    disclosed: Date | null,
  ) {
    const { service, legalBasis, purpose, caseId, officer, discloseReason } = input;
    const salt = ids.bytes(RECEIPT_SALT_BYTES);
    const request: SealedRequest = {
      params,
      purpose,
      caseId,
      ...(officer === undefined ? {} : { officer }),
      ...(discloseReason === undefined ? {} : { discloseReason }),
      salt: saltText(salt),
      requestHash: saltedHash(salt, bodyOf(input)),
    };
    const discloseAt = disclosed?.getTime() ?? null;
    return { request, about: { id, subjectId, service, legalBasis, discloseAt } };
  }

  async function askConsent(tx: Tx, id: string, admission: Admission, expiresAt: Date) {
    const { subjectId, params, today, now } = admission;
    const people = await namedAdults(tx, identity, subjectId, params, today);
    const consents = people.map((personId) => ({ id: ids.uuid(), personId }));
    await insertConsents(tx, id, consents, { at: now, expiresAt });
  }

  return accept;
}

function firstRoute({ definition }: Service): Route {
  return definition.mode === 'manual' ? 'desk' : 'rule';
}

function wholeOf(
  row: WholeVerification['row'],
  request: SealedRequest,
  outcome: Outcome,
): WholeVerification {
  const kept = contentOf(outcome);
  const answeredAt = row.endedAt ?? row.readAt;
  return {
    row,
    request,
    kept: kept && { ...kept, receipt: null, answeredAt, erasedAt: null },
    readStage: null,
  };
}

function checkInput(actor: Actor, input: AskInput): void {
  if (!hasScope(actor, 'verifications:ask') || actor.organisationId === null) {
    throw exchangeErrors.scope(
      'Asking needs the scope verifications:ask, or the role desk in a department.',
    );
  }
  checkFreeTexts(textsOf(input));
  if (input.discloseAfter !== undefined && input.discloseReason === undefined) {
    throw exchangeErrors.request_invalid('A delayed disclosure needs a reason.', {
      fields: [{ pointer: '/discloseReason', detail: 'is missing' }],
    });
  }
}
