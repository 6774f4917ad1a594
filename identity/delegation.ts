// Acting for another, as pure rules: what can be handed to an agent, how long, and how a delegation
// stands. The words are those of 民法典 161 to 174: principal 被代理人, agent 代理人.
import { z } from 'zod';

/** What a principal may hand to an agent. */
export const DELEGABLE_ITEMS = [
  'licences.view',
  'licences.copy',
  'access_log.view',
  'consents.answer',
] as const;
export const DelegableItem = z.enum(DELEGABLE_ITEMS);
export type DelegableItem = z.infer<typeof DelegableItem>;

/** What a person does about her own data, each by the name it has in the log when it is refused. */
export const PERSONAL_ACTS = [
  'licence.list',
  'licence.read',
  'licence.history',
  'licence.credential',
  'licence.document',
  'licence.copy',
  'access_log.read',
  'access_log.prove',
  'ticket.read',
  'ticket.open',
  'consent.list',
  'consent.decide',
  'delegation.give',
  'delegation.decide',
  'session.end',
  'secret.change',
  'data.export',
  'data.erase',
] as const;
export type PersonalAct = (typeof PERSONAL_ACTS)[number];

// Null: never done for another. Signing in, sessions, the delegations themselves, taking everything
// out at once and erasure stay with the person, or an agent could make herself the person.
const itemOfAct = {
  'licence.list': 'licences.view',
  'licence.read': 'licences.view',
  'licence.history': 'licences.view',
  // Signed and fit to be handed on: a copy, not a view.
  'licence.credential': 'licences.copy',
  'licence.document': 'licences.copy',
  'licence.copy': 'licences.copy',
  'access_log.read': 'access_log.view',
  'access_log.prove': 'access_log.view',
  'ticket.read': 'access_log.view',
  'consent.list': 'consents.answer',
  'consent.decide': 'consents.answer',
  // To ask a department is to speak in her name.
  'ticket.open': null,
  'delegation.give': null,
  'delegation.decide': null,
  'session.end': null,
  'secret.change': null,
  'data.export': null,
  'data.erase': null,
} as const satisfies Record<PersonalAct, DelegableItem | null>;

/** The item an act belongs to; null when nobody does it for another. */
export function itemOf(act: PersonalAct): DelegableItem | null {
  return itemOfAct[act];
}

/** For whom a signed-in person acts, by a delegation she accepted. */
export interface ActingFor {
  /** The principal. */
  personId: string;
  delegationId: string;
  items: readonly DelegableItem[];
  /** Revoked, or past its last day: nothing may be done by it any more. */
  hasEnded: boolean;
}

/** Why an agent may not do this for her principal; null when she may. */
export function refusalOf(
  { items, hasEnded }: Pick<ActingFor, 'items' | 'hasEnded'>,
  act: PersonalAct,
): 'delegation_ended' | 'not_delegable' | 'not_delegated' | null {
  if (hasEnded) return 'delegation_ended';
  const item = itemOf(act);
  if (item === null) return 'not_delegable';
  return items.includes(item) ? null : 'not_delegated';
}

export const DELEGATION_STATES = ['proposed', 'accepted', 'refused', 'revoked', 'expired'] as const;
export type DelegationState = (typeof DELEGATION_STATES)[number];

/** The two sides of a delegation. */
export type DelegationSide = 'principal' | 'agent';
export type DelegationDecision = 'accept' | 'refuse' | 'revoke';

const decisions = {
  accept: { sides: ['agent'], from: ['proposed'], to: 'accepted' },
  refuse: { sides: ['agent'], from: ['proposed'], to: 'refused' },
  revoke: { sides: ['principal', 'agent'], from: ['proposed', 'accepted'], to: 'revoked' },
} as const satisfies Record<
  DelegationDecision,
  {
    sides: readonly DelegationSide[];
    from: readonly DelegationState[];
    to: DelegationState;
  }
>;

/** May this side ever decide so? */
export function maySideDecide(side: DelegationSide, decision: DelegationDecision): boolean {
  return decisions[decision].sides.some((one) => one === side);
}

/** The state a decision leaves; undefined when it is not possible in this one. */
export function stateAfter(
  state: DelegationState,
  decision: DelegationDecision,
): DelegationState | undefined {
  const { from, to } = decisions[decision];
  return from.some((one) => one === state) ? to : undefined;
}

/** How a delegation stands on a day of the city: an open one past its last day is expired. */
export function delegationStateOn(
  today: string,
  { state, validTo }: { state: DelegationState; validTo: string },
): DelegationState {
  const isOpen = state === 'proposed' || state === 'accepted';
  return isOpen && validTo < today ? 'expired' : state;
}

/** May the agent act by it today? Both days count. */
export function isInForce(
  today: string,
  delegation: { state: DelegationState; validFrom: string; validTo: string },
): boolean {
  return delegationStateOn(today, delegation) === 'accepted' && delegation.validFrom <= today;
}

/** A delegation lasts a year at most, and begins within one. */
export const LONGEST_DELEGATION_DAYS = 366;

/** What giving takes: the agent is a human being. Days are the city's, both inclusive. */
export const DelegationInput = z.strictObject({
  agent: z.strictObject({ scheme: z.literal('cn-id'), value: z.string().min(1).max(32) }),
  items: z.array(DelegableItem).min(1).max(DELEGABLE_ITEMS.length),
  validFrom: z.iso.date().optional(),
  validTo: z.iso.date(),
});
export type DelegationInput = z.infer<typeof DelegationInput>;
