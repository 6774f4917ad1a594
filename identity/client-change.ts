// What may be proposed to become of a client, and when. Pure: shapes and one table.
import { z } from 'zod';
import { SCOPES } from './actor.ts';
import { CLIENT_METHODS, ClientKeys } from './client-keys.ts';
import { PARTY_PROPOSALS, type PartyProposal, Reason } from './relying-party-change.ts';

/** How long an operator's hold works before another must have confirmed it. */
export const HOLD_HOURS = 24;
/** An operator whose hold was not confirmed doesn't hold the same client again so soon. */
export const HOLD_PAUSE_DAYS = 7;
/** Longest overlap of old and new keys. */
export const OVERLAP_DAYS = 90;

const client = z.string().min(1).max(64);
const scopes = z.array(z.enum(SCOPES)).max(SCOPES.length);

/** A change of one client or relying party that an operator proposes. */
export const ClientProposal = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('create'),
    // `new` and `changes` are places beside the clients in addresses.
    client: z
      .string()
      .regex(/^(?!(new|changes)$)[a-z][a-z0-9-]{0,63}$/, 'Use a-z, 0-9 and -, at most 64.'),
    organisation: z.string().min(1).max(32),
    name: z.string().trim().min(1).max(100),
    method: z.enum(CLIENT_METHODS).default('private_key_jwt'),
    keys: ClientKeys,
    scopes,
    reason: Reason,
  }),
  z.strictObject({ kind: z.literal('suspend'), client, reason: Reason }),
  z.strictObject({ kind: z.literal('resume'), client, reason: Reason }),
  z.strictObject({
    kind: z.literal('rotate_keys'),
    client,
    keys: ClientKeys,
    /** When the keys it has now stop to serve; what is past is at once. */
    oldKeysUntil: z.iso.datetime({ offset: true }),
    reason: Reason,
  }),
  z.strictObject({ kind: z.literal('change_scopes'), client, scopes, reason: Reason }),
  z.strictObject({ kind: z.literal('hold'), client, reason: Reason }),
  ...PARTY_PROPOSALS,
]);
export type ClientProposal = z.infer<typeof ClientProposal>;

/** Why and by what an open change is decided. */
export const ClientDecision = z.strictObject({ reason: Reason });
export type ClientDecision = z.infer<typeof ClientDecision>;

/** The changes of a client that is registered. */
export const CLIENT_CHANGE_KINDS = [
  'suspend',
  'resume',
  'rotate_keys',
  'change_scopes',
  'hold',
] as const satisfies readonly Exclude<ClientProposal['kind'], 'create' | PartyProposal['kind']>[];
export type ClientChangeKind = (typeof CLIENT_CHANGE_KINDS)[number];

/** True of what works before a second operator has seen it. */
export function isHoldKind(kind: ClientProposal['kind']): kind is 'hold' | 'hold_party' {
  return kind === 'hold' || kind === 'hold_party';
}

/** In which states of a client each change may be made. */
const ALLOWED = {
  suspend: ['active', 'held'],
  resume: ['suspended'],
  rotate_keys: ['active', 'held', 'suspended'],
  change_scopes: ['active', 'held', 'suspended'],
  hold: ['active'],
} as const satisfies Record<ClientChangeKind, readonly ('active' | 'held' | 'suspended')[]>;

/** True when a client in this state may be changed so. */
export function isClientChangeAllowed(
  kind: ClientChangeKind,
  state: 'active' | 'held' | 'suspended',
): boolean {
  return ALLOWED[kind].some((allowed) => allowed === state);
}
