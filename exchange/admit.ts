// Whether a question may be asked: what stands in the books, decided by decision.ts, counted last.
import type { Actor } from '../identity/index.ts';
import { foldIdentifier, identityErrors, isCitizenId, isUscc } from '../identity/index.ts';
import { cityDay, type JsonObject, type Tx } from '../platform/index.ts';
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
  agreement: Agreement;
  subjectId: string;
  /** Identifiers in it stand as references. */
  params: JsonObject;
  now: Date;
  today: string;
  facts: QuestionFacts<Agreement>;
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
      return { requester, service, agreement, subjectId, params, now, today: facts.today, facts };
    },

    /** Counts the question against quota and guessing; throws the refusal. */
    async count(tx: Tx, admission: Admission, { service, caseId }: AskInput): Promise<void> {
      const { requester, agreement, subjectId, params, now, today, facts } = admission;
      const scope = { subjectId, service, caseId, requester };
      const [isQuotaLeft, isOneTooMany] = await Promise.all([
        takeQuota(tx, ids, agreement, today),
        isListed(params, agreement) ? false : isProbing(tx, identity, scope, params, now),
      ]);
      settle(decide(facts, { isQuotaLeft, isProbing: isOneTooMany }));
    },
  };
}

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
  const kinds = { person: 'cn-id', legal_person: 'uscc' } as const;
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
