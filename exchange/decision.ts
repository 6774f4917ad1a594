// Deny by default: the one place that decides whether a question may be asked (contract section 4.2).
// Pure: it is handed every fact, in the order they are asked for, and answers with one code.
import type { AgreementState } from './agreement.ts';

/** The refusals a question can meet, in the order they are looked for. */
export type DenialCode =
  | 'unknown_service'
  | 'subject_kind'
  | 'params_invalid'
  | 'no_agreement'
  | 'signature_required'
  | 'legal_basis_not_allowed'
  | 'purpose_not_allowed'
  | 'delay_not_allowed'
  | 'quota'
  | 'probing';

/** An agreement as the decision sees it; `state` is how it stands today. */
export interface GrantedRights {
  requester: string;
  service: string;
  state: AgreementState;
  validFrom: string;
  validTo: string;
  legalBases: readonly string[];
  /** Codes or texts; an empty list allows any. */
  purposes: readonly string[];
  signedRequests: boolean;
}

/** The facts about one question. */
export interface QuestionFacts<Agreement extends GrantedRights> {
  requester: string;
  legalBasis: string;
  purpose: string;
  isSigned: boolean;
  wantsDelay: boolean;
  mayDelay: boolean;
  today: string;
  /** Absent when no such service is published. */
  service: { code: string; legalBases: readonly string[] } | undefined;
  isSubjectKindRight: boolean;
  areParamsValid: boolean;
  /** Those between this requester and this service; others are ignored. */
  agreements: readonly Agreement[];
}

/** Counted only once everything else allows the question. */
export interface QuestionCounts {
  isQuotaLeft: boolean;
  isProbing: boolean;
}

export type Decision<Agreement> =
  | { isAllowed: true; agreement: Agreement }
  | { isAllowed: false; code: DenialCode };

/**
 * Decides. Without counts the answer means "if the quota and the limit on guessing allow it": the
 * caller then counts and decides again.
 */
export function decide<Agreement extends GrantedRights>(
  facts: QuestionFacts<Agreement>,
  counts?: QuestionCounts,
): Decision<Agreement> {
  const { service } = facts;
  if (!service) return denied('unknown_service');
  if (!facts.isSubjectKindRight) return denied('subject_kind');
  if (!facts.areParamsValid) return denied('params_invalid');
  const inForce = facts.agreements.filter((agreement) => isInForce(agreement, facts, service.code));
  if (inForce.length === 0) return denied('no_agreement');
  const signed = inForce.filter((agreement) => !agreement.signedRequests || facts.isSigned);
  if (signed.length === 0) return denied('signature_required');
  const based = signed.filter(
    (agreement) =>
      service.legalBases.includes(facts.legalBasis) &&
      agreement.legalBases.includes(facts.legalBasis),
  );
  if (based.length === 0) return denied('legal_basis_not_allowed');
  const [agreement] = based.filter(
    ({ purposes }) => purposes.length === 0 || purposes.includes(facts.purpose),
  );
  if (!agreement) return denied('purpose_not_allowed');
  if (facts.wantsDelay && !facts.mayDelay) return denied('delay_not_allowed');
  if (counts && !counts.isQuotaLeft) return denied('quota');
  if (counts?.isProbing) return denied('probing');
  return { isAllowed: true, agreement };
}

function isInForce(
  agreement: GrantedRights,
  facts: { requester: string; today: string },
  service: string,
): boolean {
  return (
    agreement.requester === facts.requester &&
    agreement.service === service &&
    agreement.state === 'active' &&
    agreement.validFrom <= facts.today &&
    facts.today <= agreement.validTo
  );
}

function denied(code: DenialCode): { isAllowed: false; code: DenialCode } {
  return { isAllowed: false, code };
}
