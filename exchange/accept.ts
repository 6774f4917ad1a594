// Accepting a question: everything is decided, counted, logged and stored in one transaction, or
// nothing is (house.md 5). Refusals are logged in a transaction of their own.
import {
  type Actor,
  foldIdentifier,
  hasScope,
  identityErrors,
  isCitizenId,
  isUscc,
} from '../identity/index.ts';
import { AppError, cityDay, type JsonObject, type Tx } from '../platform/index.ts';
import { stateOn } from './agreement.ts';
import { type AgreementRow, type AskTerms, findAskTerms } from './agreement-store.ts';
import { insertConsents } from './consent-store.ts';
import { type Decision, decide, type GrantedRights, type QuestionFacts } from './decision.ts';
import type { ExchangeDeps } from './deps.ts';
import { insertQuestion } from './desk-store.ts';
import { exchangeErrors } from './errors.ts';
import { checkFreeTexts, type FreeTexts, freeTextFaults } from './free-text.ts';
import { isProbing, takeQuota } from './guards.ts';
import { namedAdults } from './named-people.ts';
import { RECEIPT_SALT_BYTES, saltedHash } from './receipt.ts';
import { refusalOf } from './refusal.ts';
import {
  type AskInput,
  actorKey,
  bodyOf,
  departmentOf,
  entryAbout,
  keyHash,
  saltText,
  sealRequest,
} from './request.ts';
import {
  claimRequestKey,
  insertVerification,
  LEASE_SECONDS,
  type Lease,
  PICKUP_SECONDS,
  type Route,
} from './request-store.ts';
import { hasNoFaults, type SchemaFaults } from './schema-check.ts';
import type { Service, ServiceBook } from './service-book.ts';
import { consentDeadline, deadlineOf } from './working-days.ts';

export interface AcceptOptions {
  /** How the request was proven: a signature over it (RFC 9421), a DPoP proof, or a session. */
  evidence: 'rfc9421' | 'dpop' | 'session';
  idempotencyKey?: string | undefined;
  /** The caller waits: its own process answers at once, under a lease. */
  takesLease: boolean;
}

/** What accepting led to. */
export interface Accepted {
  id: string;
  /** Set when this process holds the lease and must run the rule now. */
  lease?: Lease;
  /** True when a worker must be woken. */
  needsWaking: boolean;
}

/** Binds accepting to the rooms below. */
export function createAccept(deps: ExchangeDeps, book: ServiceBook) {
  const { database, identity, ids, cityTz, outbox } = deps;

  /** Accepts a question, or refuses it by throwing; either way the log is told. */
  async function accept(actor: Actor, input: AskInput, options: AcceptOptions): Promise<Accepted> {
    const attempt: RefusedAttempt = { service: undefined };
    try {
      requireAskScope(actor);
      checkFreeTexts(textsOf(input));
      if (input.discloseAfter !== undefined && input.discloseReason === undefined) {
        throw exchangeErrors.request_invalid('A delayed disclosure needs a reason.', {
          fields: [{ pointer: '/discloseReason', detail: 'is missing' }],
        });
      }
      return await database.transaction((tx) => acceptIn(tx, actor, input, options, attempt));
    } catch (error) {
      if (error instanceof AppError) await recordRefusal(actor, input, attempt, error.code);
      throw error;
    }
  }

  async function acceptIn(
    tx: Tx,
    actor: Actor,
    input: AskInput,
    options: AcceptOptions,
    attempt: RefusedAttempt,
  ): Promise<Accepted> {
    const requester = departmentOf(actor);
    // 1. What stands: the service, the agreements, the clock.
    const terms = await findAskTerms(tx, requester, input.service);
    const service = await findService(tx, terms, input.service);
    attempt.service = service;
    if (!service) throw refusalOf('unknown_service');
    checkSubject(input);
    const faults = service.checkParams(input.params, '/params');
    const areParamsValid = hasNoFaults(faults);
    const facts = { ...factsOf(requester, input, options, terms, service, cityTz), areParamsValid };
    const allowed = settle(decide(facts), faults);
    checkParamLimits(input.params, allowed);

    // 2. A retry of a request that was stored already adds nothing.
    const id = ids.uuid();
    if (options.idempotencyKey !== undefined) {
      const key = { owner: actorKey(actor), hash: keyHash(options.idempotencyKey) };
      const earlier = await claimRequestKey(tx, { ...key, verificationId: id, at: terms.now });
      if (earlier !== undefined) return { id: earlier, needsWaking: false };
    }

    // 3. Whom it is about. Unknown people get a row like known ones.
    const [subjectId] = await identity.ensurePeople(tx, [input.subject], () => '/subject/value');
    if (subjectId === undefined) throw new TypeError('One person in, one reference out.');
    const { paramsSchema } = service.definition;
    const params = await identity.internReferences(tx, paramsSchema, input.params, '/params');

    // 4. What is counted.
    const { caseId } = input;
    const scope = { subjectId, service: input.service, caseId, requester };
    const counts = {
      isQuotaLeft: await takeQuota(tx, ids, allowed, facts.today),
      isProbing:
        !isListed(input.params, allowed) &&
        (await isProbing(tx, identity, scope, params, terms.now)),
    };
    settle(decide(facts, counts), faults);

    // 5. What is stored, logged and waited for.
    const plan = planOf(service, terms.now, options.takesLease && (deps.runsAtOnce ?? true));
    const salt = ids.bytes(RECEIPT_SALT_BYTES);
    const { purpose, officer, discloseReason } = input;
    const request = {
      params,
      purpose,
      caseId,
      ...(officer === undefined ? {} : { officer }),
      ...(discloseReason === undefined ? {} : { discloseReason }),
      salt: saltText(salt),
      requestHash: saltedHash(salt, bodyOf(input)),
    };
    const discloseAt = input.discloseAfter === undefined ? null : new Date(input.discloseAfter);
    const about = {
      id,
      subjectId,
      service: input.service,
      legalBasis: input.legalBasis,
      discloseAt: discloseAt?.getTime() ?? null,
    };
    const asked = await identity.recordAccess(tx, actor, {
      ...entryAbout(about, service, request),
      type: 'verification.asked',
      outcome: 'ok',
      answerKind: service.definition.minimalDisclosure.kind,
    });
    const lease = plan.isLeased ? { verificationId: id, token: ids.uuid() } : undefined;
    await insertVerification(tx, {
      ...about,
      serviceVersion: service.definition.version,
      agreementId: allowed.id,
      agreementVersion: allowed.version,
      requester,
      provider: service.definition.provider,
      askedBy: actorKey(actor),
      state: plan.state,
      route: plan.route,
      disclosed: service.disclosed(allowed.fields),
      evidence: options.evidence,
      requestSealed: await sealRequest(tx, identity, about, request),
      caseTag: identity.caseTag(caseId),
      discloseAt,
      traceparent: actor.traceparent ?? null,
      leaseToken: lease?.token ?? null,
      leaseUntil: plan.wakeAt,
      questionStage: asked.stageId,
      createdAt: terms.now,
      deadline: plan.deadline,
    });
    if (plan.state === 'awaiting_consent') {
      const people = await namedAdults(tx, identity, subjectId, params, facts.today);
      const made = people.map((personId) => ({ id: ids.uuid(), personId }));
      await insertConsents(tx, id, made, { at: terms.now, expiresAt: plan.deadline });
    } else if (plan.route === 'desk') {
      await insertQuestion(tx, id);
    }
    return { id, ...(lease && { lease }), needsWaking: plan.needsWaking };
  }

  async function findService(tx: Tx, terms: AskTerms, code: string): Promise<Service | undefined> {
    const { serviceVersion } = terms;
    return serviceVersion === null ? undefined : book.findVersion(tx, code, serviceVersion);
  }

  function planOf(service: Service, now: Date, takesLease: boolean): Plan {
    const { consent, mode, sla } = service.definition;
    const route: Route = mode === 'manual' ? 'desk' : 'rule';
    if (consent === 'required') {
      const deadline = consentDeadline(now, cityTz);
      return { state: 'awaiting_consent', route, deadline, wakeAt: null, ...asleep };
    }
    const deadline = deadlineOf(sla, now, cityTz);
    if (route === 'desk') return { state: 'dispatched', route, deadline, wakeAt: null, ...asleep };
    if (takesLease) {
      const wakeAt = new Date(now.getTime() + LEASE_SECONDS * 1000);
      return { state: 'dispatched', route, deadline, wakeAt, isLeased: true, needsWaking: false };
    }
    const wakeAt = new Date(now.getTime() + PICKUP_SECONDS * 1000);
    return { state: 'accepted', route, deadline, wakeAt, isLeased: false, needsWaking: true };
  }

  /** The citizen sees who tried, and the auditor why it failed; texts that hold an ID are left out. */
  async function recordRefusal(
    actor: Actor,
    input: AskInput,
    { service }: RefusedAttempt,
    code: string,
  ): Promise<void> {
    const { faults, holdsIdentifier } = freeTextFaults(textsOf(input));
    const isClean = faults.length + holdsIdentifier.length === 0;
    await database.transaction(async (tx) => {
      const [subject] = isIdentifier(input)
        ? await identity.ensurePeople(tx, [input.subject]).catch(() => [])
        : [];
      const isKnownBasis = service?.definition.legalBasis.includes(input.legalBasis) ?? false;
      await identity.recordAccess(tx, actor, {
        type: 'verification.asked',
        outcome: 'refused',
        code,
        answerKind: 'none',
        ...(subject === undefined ? {} : { subject }),
        ...(service && {
          service: service.definition.code,
          question: service.definition.questionZh,
        }),
        ...(isKnownBasis ? { legalBasis: input.legalBasis } : {}),
        ...(isClean ? { purpose: input.purpose, caseId: input.caseId } : {}),
        ...(isClean && input.officer !== undefined ? { officer: input.officer } : {}),
      });
      if (code === 'exchange.probing') {
        const payload = { requester: actor.organisationId, service: input.service };
        await outbox.add(tx, { topic: 'exchange.probing', key: ids.uuid(), payload });
      }
    });
  }

  return accept;
}

interface RefusedAttempt {
  service: Service | undefined;
}

interface Plan {
  state: 'accepted' | 'awaiting_consent' | 'dispatched';
  route: Route;
  deadline: Date;
  wakeAt: Date | null;
  isLeased: boolean;
  needsWaking: boolean;
}

const asleep = { isLeased: false, needsWaking: false };

// A legal basis that the service doesn't list is refused as such, whatever it looks like.
function textsOf({ purpose, caseId, officer, discloseReason }: AskInput): FreeTexts {
  return { purpose, caseId, officer, discloseReason };
}

function requireAskScope(actor: Actor): void {
  if (hasScope(actor, 'verifications:ask') && actor.organisationId !== null) return;
  throw exchangeErrors.scope(
    'Asking needs the scope verifications:ask, or the role desk in a department.',
  );
}

function isIdentifier({ subject }: AskInput): boolean {
  const value = foldIdentifier(subject.value);
  return subject.scheme === 'cn-id' ? isCitizenId(value) : isUscc(value);
}

function checkSubject(input: AskInput): void {
  if (isIdentifier(input)) return;
  const fields = [{ pointer: '/subject/value', detail: 'is not valid: check its 18 characters' }];
  if (input.subject.scheme === 'cn-id') {
    throw identityErrors.citizen_id_invalid('The subject is not a citizen ID.', { fields });
  }
  throw identityErrors.uscc_invalid('The subject is not a unified social credit code.', { fields });
}

/** An agreement as it stands today. */
type Agreement = Omit<AgreementRow, 'service' | 'state'> & GrantedRights;
type Facts = Omit<QuestionFacts<Agreement>, 'areParamsValid'>;

function factsOf(
  requester: string,
  input: AskInput,
  options: AcceptOptions,
  terms: AskTerms,
  service: Service,
  cityTz: string,
): Facts {
  const today = cityDay(terms.now, cityTz);
  const kinds = { person: 'cn-id', legal_person: 'uscc' } as const;
  return {
    requester,
    legalBasis: input.legalBasis,
    purpose: input.purpose,
    isSigned: options.evidence === 'rfc9421',
    wantsDelay: input.discloseAfter !== undefined,
    mayDelay: terms.mayDelay,
    today,
    service: { code: input.service, legalBases: service.definition.legalBasis },
    isSubjectKindRight: kinds[service.definition.subjectKind] === input.subject.scheme,
    agreements: terms.agreements.map((agreement) => ({
      ...agreement,
      service: agreement.service ?? '',
      state: stateOn(agreement.state, agreement.validTo, today),
    })),
  };
}

/** The agreement of an allowed question; throws the refusal of a denied one. */
function settle(decision: Decision<Agreement>, faults: SchemaFaults | undefined): Agreement {
  if (decision.isAllowed) return decision.agreement;
  throw refusalOf(decision.code, faults);
}

function checkParamLimits(params: JsonObject, { paramLimits }: Agreement): void {
  const fields = Object.entries(paramLimits ?? {})
    .filter(
      ([name, values]) => params[name] !== undefined && !values.includes(params[name] ?? null),
    )
    .map(([name]) => ({
      pointer: `/params/${name}`,
      detail: 'is not a value the agreement lists',
    }));
  if (fields.length === 0) return;
  throw exchangeErrors.params_invalid('The agreement allows only listed values.', { fields });
}

/** True when the agreement lists the values of every parameter: it is itself the limit on guessing. */
function isListed(params: JsonObject, { paramLimits }: Agreement): boolean {
  const names = Object.keys(params);
  return names.length > 0 && names.every((name) => paramLimits?.[name] !== undefined);
}
