// A verification's life: which state may follow which (contract section 4.2). Pure.

/** The states of one question asked by one department of another. */
export type VerificationState =
  | 'accepted'
  | 'awaiting_consent'
  | 'dispatched'
  | 'answered'
  | 'refused'
  | 'failed'
  | 'expired'
  | 'cancelled';

const nextStates = {
  accepted: ['awaiting_consent', 'dispatched', 'failed', 'expired', 'cancelled'],
  awaiting_consent: ['dispatched', 'refused', 'expired', 'cancelled'],
  dispatched: ['answered', 'refused', 'failed', 'expired', 'cancelled'],
  answered: [],
  refused: [],
  failed: [],
  expired: [],
  cancelled: [],
} as const satisfies Record<VerificationState, readonly VerificationState[]>;

/** The states nothing leaves; the database's trigger holds the same list. */
export type FinalState = 'answered' | 'refused' | 'failed' | 'expired' | 'cancelled';

export const VERIFICATION_STATES = Object.keys(nextStates).filter(isVerificationState);

/** True for one of the eight state words. */
export function isVerificationState(word: string): word is VerificationState {
  return Object.hasOwn(nextStates, word);
}

/** True when `to` may directly follow `from`. */
export function mayFollow(from: VerificationState, to: VerificationState): boolean {
  const allowed: readonly VerificationState[] = nextStates[from];
  return allowed.includes(to);
}

/** True when the verification has ended; exactly one final state is ever reached. */
export function isFinal(state: VerificationState): state is FinalState {
  return nextStates[state].length === 0;
}

/** Past its deadline: still open after it, or ended only after it. */
export function isOverdue(deadline: Date, endedAt: Date | null, now: Date): boolean {
  return (endedAt ?? now).getTime() > deadline.getTime();
}
