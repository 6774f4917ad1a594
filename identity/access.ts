// The one way to log a look: an access entry becomes a leaf of the audit log whose detail only the
// subject's data key opens (spec/trust.md 2.6).

/** One look at a person's data, or a refusal of one, as the act that made it describes it. */
export interface AccessEntry {
  type: string;
  outcome: 'ok' | 'refused' | 'failed';
  code?: string;
  /** The person looked at; absent when nobody's data was touched. */
  subject?: string;
  /** Default: the actor's organisation. */
  department?: string;
  role?: string;
  service?: string;
  question?: string;
  legalBasis?: string;
  purpose?: string;
  caseId?: string;
  officer?: string;
  verification?: string;
  licence?: string;
  answerKind?: string;
  discloseAt?: Date;
}
