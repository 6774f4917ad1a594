// A licence's life as pure rules: statuses, which act is possible in which, and what each one leaves
// behind. Status words are the contract's (section 4.1); list values are spec/licence.md 2.5's.
import { z } from 'zod';
import type { JsonObject } from '../platform/index.ts';

export const STATUSES = [
  'valid',
  'suspended',
  'superseded',
  'expired',
  'cancelled',
  'rescinded',
  'revoked',
  'transferred',
] as const;
export const LicenceStatus = z.enum(STATUSES);
export type LicenceStatus = z.infer<typeof LicenceStatus>;

/** Acts that end a version and open the next one. */
export const SUCCESSIONS = ['renew', 'amend', 'transfer'] as const;
/** Acts that change the status of a version: cancel 注销, rescind 撤销, revoke 吊销. */
export const STATUS_ACTS = ['suspend', 'resume', 'cancel', 'rescind', 'revoke'] as const;
export const ACTS = [...SUCCESSIONS, ...STATUS_ACTS] as const;
export type Succession = (typeof SUCCESSIONS)[number];
export type StatusAct = (typeof STATUS_ACTS)[number];
export type Act = (typeof ACTS)[number];

const possibleActs = {
  valid: ['renew', 'amend', 'transfer', 'suspend', 'cancel', 'rescind', 'revoke'],
  suspended: ['resume', 'cancel', 'rescind', 'revoke'],
  // A lapsed licence is struck off (行政许可法 70), taken back as wrongly given (69), or renewed late
  // where the type's own law allows it, as for identity cards and endorsements.
  expired: ['renew', 'cancel', 'rescind'],
  superseded: [],
  cancelled: [],
  rescinded: [],
  revoked: [],
  transferred: [],
} as const satisfies Record<LicenceStatus, readonly Act[]>;

const statusAfter = {
  renew: 'superseded',
  amend: 'superseded',
  transfer: 'transferred',
  suspend: 'suspended',
  resume: 'valid',
  cancel: 'cancelled',
  rescind: 'rescinded',
  revoke: 'revoked',
} as const satisfies Record<Act, LicenceStatus>;

// Expired leaves the list alone: the credential's own exp speaks (Token Status List, section 8.3).
const listValue = {
  valid: 0,
  suspended: 2,
  superseded: 3,
  expired: null,
  cancelled: 1,
  rescinded: 1,
  revoked: 1,
  transferred: 1,
} as const satisfies Record<LicenceStatus, 0 | 1 | 2 | 3 | null>;

const eventOf = {
  renew: 'licence.renewed',
  amend: 'licence.amended',
  transfer: 'licence.transferred',
  suspend: 'licence.suspended',
  resume: 'licence.resumed',
  cancel: 'licence.cancelled',
  rescind: 'licence.rescinded',
  revoke: 'licence.revoked',
} as const satisfies Record<Act, string>;

/** The acts possible on a licence that stands so. */
export function actsPossible(status: LicenceStatus): readonly Act[] {
  return possibleActs[status];
}

/** The status the act leaves this version in; undefined when it is not possible in this one. */
export function statusAfterAct(status: LicenceStatus, act: Act): LicenceStatus | undefined {
  return actsPossible(status).includes(act) ? statusAfter[act] : undefined;
}

/** What the status list says of it; null: what it said before. */
export function statusListValue(status: LicenceStatus): 0 | 1 | 2 | 3 | null {
  return listValue[status];
}

/** The past-tense name of an act in the log and the outbox. */
export function eventOfAct(act: Act): (typeof eventOf)[Act] {
  return eventOf[act];
}

/** May this version still come into force? Of a licence's versions at most one is live. */
export function isLive(status: LicenceStatus): boolean {
  return status === 'valid' || status === 'suspended';
}

/**
 * How a licence stands today, whatever the expiry job has come to: a live one past its last day is
 * expired. `validTo` is inclusive.
 */
export function statusOn(
  today: string,
  stored: LicenceStatus,
  validTo: string | null,
): LicenceStatus {
  return isLive(stored) && validTo !== null && validTo < today ? 'expired' : stored;
}

export function isSuccession(act: Act): act is Succession {
  return SUCCESSIONS.some((one) => one === act);
}

/** Is this word from outside one of the acts? */
export function isAct(word: string): word is Act {
  return ACTS.some((act) => act === word);
}

/** A calendar day, YYYY-MM-DD. */
export const Day = z.iso.date();

export const Holder = z.strictObject({
  scheme: z.enum(['cn-id', 'uscc']),
  value: z.string().trim().min(1).max(32),
  name: z.string().trim().min(1).max(200),
});
export type Holder = z.infer<typeof Holder>;

/** The values of a licence as its type's schema names them. */
export const Fields = z.record(z.string(), z.json());
export type Fields = JsonObject;

/** What issuing takes (contract section 4.1). */
export const IssueInput = z.strictObject({
  type: z.string().min(1).max(64),
  holder: Holder,
  fields: Fields,
  validFrom: Day.optional(),
  validTo: Day.nullable().optional(),
  purpose: z.string().min(1).max(200).optional(),
});
export type IssueInput = z.infer<typeof IssueInput>;

/** What every act on a licence takes; `fields` is merged over the old ones, null takes one away. */
export const ActInput = z.strictObject({
  reason: z.string().trim().min(1).max(1000),
  legalBasis: z.string().regex(/^[A-Za-z0-9._:/-]{1,64}$/, 'is the id of a legal basis'),
  fields: Fields.optional(),
  validTo: Day.nullable().optional(),
  toAuthority: z.string().min(1).max(64).optional(),
});
export type ActInput = z.infer<typeof ActInput>;
