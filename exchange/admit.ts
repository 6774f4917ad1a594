// Whether a question may be asked: what stands in the books, decided by decision.ts, counted last.
import type { Actor } from '../identity/index.ts';
import { foldIdentifier, identityErrors, isCitizenId, isUscc } from '../identity/index.ts';
import { cityDay, dbNow, type JsonObject, type Tx } from '../platform/index.ts';
import { stateOn } from './agreement.ts';
import { type AgreementRow, type AskTerms, findAskTerms } from './agreement-store.ts';
import { type Decision, decide, type GrantedRights, type QuestionFacts } from './decision.ts';
import type { ExchangeDeps } from './deps.ts';
import { exchangeErrors } from './errors.ts';
import { isProbing, takeQuota } from './guards-store.ts';
import { refusalOf } from './refusal.ts';
import { type AskInput, departmentOf } from './request.ts';
import { hasNoFaults, type SchemaFaults } from './schema-check.ts';
import type { Service, ServiceBook } from './service-book.ts';

/** An agreement as it stands today. */
type Agreement = Omit<AgreementRow, 'service' | 'state'> & GrantedRights;

/** A question that may be asked, as far as nothing has been counted yet. */
export interface Admission {
  requester: string;
  service: Service;
  /** What allows it: an agreement, or an emergency that stands in for one. */
  agreement: Pick<Agreement, 'id' | 'version'> | null;
  /** The fields that this lets through, at most. */
  fields: readonly string[];
  subjectId: string;
  /** Identifiers in it stand as references. */
  params: JsonObject;
  now: Date;
  today: string;
  /** Counts it against quota and guessing; throws the refusal. */
  count(tx: Tx): Promise<void>;
}

/** Binds admission to the rooms below. */
export function createAdmission(deps: ExchangeDeps, book: ServiceBook) {
  const { identity, ids, cityTz } = deps;

  async function subjectOf(tx: Tx, { subject }: AskInput): Promise<string> {
    // Unknown people get a row like known ones, so that nobody can tell by it.
    const [subjectId] = await identity.ensurePeople(tx, [subject], () => '/subject/value');
    if (subjectId === undefined) throw new TypeError('One person in, one reference out.');
    return subjectId;
  }

  return {
    /** Decides about everything that needs no counting; throws the refusal. */
    async admit(tx: Tx, actor: Actor, input: AskInput, isSigned: boolean): Promise<Admission> {
      const requester = departmentOf(actor);
      // Sent together: neither needs the other.
      const [terms, known] = await Promise.all([
        findAskTerms(tx, requester, input.service),
        isIdentifier(input) ? subjectOf(tx, input) : null,
      ]);
      const { serviceVersion } = terms;
      const service =
        serviceVersion === null
          ? undefined
          : await book.findVersion(tx, input.service, serviceVersion);
      if (!service) throw refusalOf('unknown_service');
      const subjectId = known ?? refuseSubject(input);
      const faults = service.checkParams(input.params, '/params');
      const facts = {
        ...factsOf(requester, input, terms, service, cityTz),
        isSigned,
        areParamsValid: hasNoFaults(faults),
      };
      const agreement = settle(decide(facts), faults);
      checkParamLimits(input.params, agreement);
      const { paramsSchema } = service.definition;
      const params = await identity.internReferences(tx, paramsSchema, input.params, '/params');
      const { now } = terms;
      const { today } = facts;
      const scope = { subjectId, service: input.service, caseId: input.caseId, requester };
      const count = async (counting: Tx) => {
        const [isQuotaLeft, isOneTooMany] = await Promise.all([
          takeQuota(counting, ids, agreement, today),
          isListed(params, agreement) ? false : isProbing(counting, identity, scope, params, now),
        ]);
        settle(decide(facts, { isQuotaLeft, isProbing: isOneTooMany }));
      };
      const { fields } = agreement;
      return { requester, service, agreement, fields, subjectId, params, now, today, count };
    },

    /**
     * The same where an emergency stands in for the agreement: the service's own terms hold, and the
     * limit on guessing.
     */
    async admitInEmergency(
      tx: Tx,
      actor: Actor,
      input: AskInput,
      fields: readonly string[],
    ): Promise<Admission> {
      const requester = departmentOf(actor);
      const service = await book.findCurrent(tx, input.service);
      if (!service) throw refusalOf('unknown_service');
      const { subjectKind, paramsSchema } = service.definition;
      if (kinds[subjectKind] !== input.subject.scheme) throw refusalOf('subject_kind');
      const faults = service.checkParams(input.params, '/params');
      if (!hasNoFaults(faults)) throw refusalOf('params_invalid', faults);
      const subjectId = await subjectOf(tx, input);
      const params = await identity.internReferences(tx, paramsSchema, input.params, '/params');
      const now = await dbNow(tx);
      const scope = { subjectId, service: input.service, caseId: input.caseId, requester };
      const count = async (counting: Tx) => {
        if (await isProbing(counting, identity, scope, params, now)) throw refusalOf('probing');
      };
      const today = cityDay(now, cityTz);
      return { requester, service, agreement: null, fields, subjectId, params, now, today, count };
    },
  };
}

const kinds = { person: 'cn-id', legal_person: 'uscc' } as const;

/** True when the subject's identifier holds by its check digit. */
export function isIdentifier({ subject }: AskInput): boolean {
  const value = foldIdentifier(subject.value);
  return subject.scheme === 'cn-id' ? isCitizenId(value) : isUscc(value);
}

function refuseSubject({ subject }: AskInput): never {
  const fields = [{ pointer: '/subject/value', detail: 'is not valid: check its 18 characters' }];
  if (subject.scheme === 'cn-id') {
    throw identityErrors.citizen_id_invalid('The subject is not a citizen ID.', { fields });
  }
  throw identityErrors.uscc_invalid('The subject is not a unified social credit code.', { fields });
}

function factsOf(
  requester: string,
  input: AskInput,
  terms: AskTerms,
  { definition }: Service,
  cityTz: string,
): Omit<QuestionFacts<Agreement>, 'areParamsValid' | 'isSigned'> {
  const today = cityDay(terms.now, cityTz);
  return {
    requester,
    legalBasis: input.legalBasis,
    purpose: input.purpose,
    wantsDelay: input.discloseAfter !== undefined,
    mayDelay: terms.mayDelay,
    today,
    service: { code: input.service, legalBases: definition.legalBasis },
    isSubjectKindRight: kinds[definition.subjectKind] === input.subject.scheme,
    // One with whoever provided an earlier version binds nobody now.
    agreements: terms.agreements
      .filter(({ provider }) => provider === definition.provider)
      .map((agreement) => ({
        ...agreement,
        service: agreement.service ?? '',
        state: stateOn(agreement.state, agreement.validTo, today),
      })),
  };
}

/** The agreement of an allowed question; throws the refusal of a denied one. */
function settle(decision: Decision<Agreement>, faults?: SchemaFaults): Agreement {
  if (decision.isAllowed) return decision.agreement;
  throw refusalOf(decision.code, faults);
}

function checkParamLimits(params: JsonObject, { paramLimits }: Agreement): void {
  const fields = Object.entries(paramLimits ?? {})
    .filter(([name, values]) => {
      const value = params[name];
      return value !== undefined && !values.includes(value);
    })
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
