// Agreements: what one department may ask another, in which state, and who may change it. Pure.
import { createHash } from 'node:crypto';
import { z } from 'zod';
import { canonicalJson, encodeBase64url } from '../platform/index.ts';

export type AgreementState =
  | 'proposed'
  | 'active'
  | 'refused'
  | 'suspended'
  | 'revoked'
  | 'expired';

export type AgreementAct = 'approve' | 'refuse' | 'suspend' | 'resume' | 'revoke';

/** Whose side of the table an act is on. */
export type Party = 'requester' | 'provider';

const actsOn = {
  proposed: { approve: 'active', refuse: 'refused', revoke: 'revoked' },
  active: { suspend: 'suspended', revoke: 'revoked' },
  suspended: { resume: 'active', revoke: 'revoked' },
  refused: {},
  revoked: {},
  expired: {},
} as const satisfies Record<AgreementState, Partial<Record<AgreementAct, AgreementState>>>;

const partiesOf = {
  approve: ['provider'],
  refuse: ['provider'],
  suspend: ['provider'],
  resume: ['provider'],
  revoke: ['provider', 'requester'],
} as const satisfies Record<AgreementAct, readonly Party[]>;

/** The state an act leads to, or undefined when it isn't possible in this one. */
export function stateAfter(state: AgreementState, act: AgreementAct): AgreementState | undefined {
  const possible: Partial<Record<AgreementAct, AgreementState>> = actsOn[state];
  return possible[act];
}

/** True when this side may do the act; only the provider decides about a proposal. */
export function mayAct(party: Party, act: AgreementAct): boolean {
  const parties: readonly Party[] = partiesOf[act];
  return parties.includes(party);
}

/** How an agreement stands on a day: one that was never ended runs out after its last day. */
export function stateOn(state: AgreementState, validTo: string, today: string): AgreementState {
  return (state === 'active' || state === 'suspended') && validTo < today ? 'expired' : state;
}

const day = z.iso.date();
const word = z.string().min(1).max(200);
// More values than this for one parameter, and a listed parameter could be used to guess.
const MAX_LISTED_VALUES = 3;

/** What a requester proposes (contract section 4.2). */
export const AgreementProposal = z
  .strictObject({
    service: word.optional(),
    licenceType: word.optional(),
    legalBases: z.array(word).min(1).max(20),
    fields: z.array(word).min(1).max(100),
    purposes: z.array(word).max(50).default([]),
    quota: z.strictObject({ perDay: z.int().min(1).max(100_000_000) }),
    validFrom: day,
    validTo: day,
    paramLimits: z.record(z.string(), z.array(z.json()).min(1).max(MAX_LISTED_VALUES)).optional(),
    cacheAnswers: z.boolean().default(false),
    signedRequests: z.boolean().default(false),
  })
  .refine((proposal) => (proposal.service === undefined) !== (proposal.licenceType === undefined), {
    path: ['service'],
    message: 'Name a service or a licence type, not both.',
  })
  .refine((proposal) => proposal.validFrom <= proposal.validTo, {
    path: ['validTo'],
    message: 'The last day lies before the first.',
  });
export type AgreementProposal = z.infer<typeof AgreementProposal>;
/** A proposal as a caller writes it, defaults left out. */
export type AgreementInput = z.input<typeof AgreementProposal>;

/** Everything the two departments agree on; this, and nothing else, is hashed and signed. */
export interface AgreementTerms extends AgreementProposal {
  id: string;
  version: number;
  requester: string;
  provider: string;
}

/** base64url(SHA-256(JCS of the terms)). */
export function hashTerms(terms: AgreementTerms): string {
  const { service, licenceType, paramLimits, ...always } = terms;
  const text = canonicalJson({
    ...always,
    ...(service === undefined ? {} : { service }),
    ...(licenceType === undefined ? {} : { licenceType }),
    ...(paramLimits === undefined ? {} : { paramLimits }),
  });
  return encodeBase64url(createHash('sha256').update(text, 'utf8').digest());
}
