// The face of the exchange: asking between departments, and what makes it lawful.
export type { AgreementAct, AgreementInput, AgreementState } from './agreement.ts';
export type { InstalledAgreement } from './agreement-record.ts';
export type { Agreement } from './agreements.ts';
export type { AskOptions } from './ask.ts';
export type { Consent, ConsentDecision } from './consents.ts';
export type { ExchangeDeps } from './deps.ts';
export type { Question, QuestionOutline } from './desk.ts';
export type { Emergency, EmergencyLook } from './emergencies.ts';
export { exchangeErrors } from './errors.ts';
export type { ExchangeJob } from './jobs.ts';
export type { Proposal, ProposalOutline } from './proposals.ts';
export type { ReadLicence } from './reading.ts';
export type { Page } from './requests.ts';
export { createExchange, type Exchange } from './service.ts';
export type { LegalBasis } from './service-store.ts';
export type { ServiceView } from './services.ts';
export type { Verification } from './show.ts';
export { isFinal, isVerificationState, type VerificationState } from './verification.ts';
