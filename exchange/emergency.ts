// Break-glass: a department without an agreement reads one licence type of one person, or asks one
// question about her, in an emergency: for a few hours, told to her afterwards and reviewed by a second officer. Pure.
import { z } from 'zod';

/** An emergency ends by itself; the database allows no longer one. */
export const MOST_MINUTES = 240;
/** Within this time another officer of the department reviews it. */
export const REVIEW_HOURS = 72;
/** The latest moment at which the subject sees each look in her log. */
export const DISCLOSE_DAYS = 7;

const Common = z.strictObject({
  subject: z.strictObject({ scheme: z.enum(['cn-id', 'uscc']), value: z.string().max(64) }),
  legalBasis: z.string().min(1).max(64),
  caseId: z.string(),
  reason: z.string(),
  minutes: z.int().min(5).max(MOST_MINUTES),
});

/** What is opened: fields of one licence type, or one verification service. */
export const LicenceEmergency = Common.extend({
  licenceType: z.string().min(1).max(64),
  fields: z.array(z.string().min(1).max(100)).min(1).max(50),
});
export const ServiceEmergency = Common.extend({ service: z.string().min(1).max(64) });
export type EmergencyInput = z.infer<typeof LicenceEmergency> | z.infer<typeof ServiceEmergency>;

export const EmergencyReview = z.strictObject({
  verdict: z.enum(['justified', 'not_justified']),
  note: z.string(),
});
export type EmergencyReview = z.infer<typeof EmergencyReview>;

export type EmergencyState = 'open' | 'to_review' | 'overdue' | 'justified' | 'not_justified';
export type EmergencyAct = 'use' | 'review';

const actsIn = {
  open: ['use', 'review'],
  to_review: ['review'],
  overdue: ['review'],
  justified: [],
  not_justified: [],
} as const satisfies Record<EmergencyState, readonly EmergencyAct[]>;

/** How an emergency stands at a moment: a review, also an early one, ends it for good. */
export function emergencyState(
  row: { endsAt: number; reviewDue: number; verdict: EmergencyReview['verdict'] | null },
  now: number,
): EmergencyState {
  if (row.verdict !== null) return row.verdict;
  if (now < row.endsAt) return 'open';
  return now < row.reviewDue ? 'to_review' : 'overdue';
}

/** True when the act is possible in this state. */
export function isPossible(state: EmergencyState, act: EmergencyAct): boolean {
  const possible: readonly EmergencyAct[] = actsIn[state];
  return possible.includes(act);
}
