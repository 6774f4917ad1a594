// What may be proposed to become of a relying party. Pure: addresses, shapes and one table.
import { z } from 'zod';
import { ClientKeys } from './client-keys.ts';

/** Words of operators about systems; a person's ID in them is refused. */
export const Reason = z.string().trim().min(1).max(500);

/** Compared character by character (RFC 9700 section 2.1), so there is nothing to match but itself. */
const Address = z
  .url()
  .max(500)
  .refine(
    isSafeAddress,
    'must be https, or http on loopback, without user, fragment, wildcard or spaces',
  );

/** Where browsers are sent back to, and where notices of a sign-out go. */
export const PartyAddresses = z.strictObject({
  /** Of one host, by which subjects are told apart (OpenID Connect Core section 8.1). */
  redirectUris: z.array(Address).min(1).max(10).refine(areOfOneHost, 'must be of one host'),
  postLogoutRedirectUris: z.array(Address).max(10).default([]),
  backchannelLogoutUri: Address.nullable().default(null),
});
export type PartyAddresses = z.infer<typeof PartyAddresses>;

// `new` is a place beside the relying parties in addresses.
const partyId = z
  .string()
  .regex(/^(?!(new|changes)$)[a-z][a-z0-9-]{0,62}$/, 'Use a-z, 0-9 and -, at most 63.');

/** A registration as an operator writes it down. */
export const RelyingPartyInput = PartyAddresses.extend({
  id: partyId,
  organisationId: z.string().min(1).max(32),
  nameZh: z.string().trim().min(1).max(60),
  nameEn: z.string().trim().min(1).max(100),
  keys: ClientKeys,
});
export type RelyingPartyInput = z.input<typeof RelyingPartyInput>;

const client = z.string().min(1).max(63);

const { id: _id, organisationId: _organisationId, ...registered } = RelyingPartyInput.shape;

/** The proposals about relying parties; `client` is the relying party's id. */
export const PARTY_PROPOSALS = [
  z.strictObject({
    kind: z.literal('register_party'),
    client: partyId,
    organisation: RelyingPartyInput.shape.organisationId,
    ...registered,
    reason: Reason,
  }),
  z.strictObject({ kind: z.literal('suspend_party'), client, reason: Reason }),
  z.strictObject({ kind: z.literal('resume_party'), client, reason: Reason }),
  z.strictObject({ kind: z.literal('hold_party'), client, reason: Reason }),
  z.strictObject({
    kind: z.literal('change_party_keys'),
    client,
    keys: ClientKeys,
    /** When the keys it has now stop to serve; what is past is at once. */
    oldKeysUntil: z.iso.datetime({ offset: true }),
    reason: Reason,
  }),
  z.strictObject({
    kind: z.literal('change_party_addresses'),
    client,
    ...PartyAddresses.shape,
    reason: Reason,
  }),
] as const;
export type PartyProposal = z.infer<(typeof PARTY_PROPOSALS)[number]>;

/** The changes of a relying party that is registered. */
export const PARTY_CHANGE_KINDS = [
  'suspend_party',
  'resume_party',
  'change_party_keys',
  'change_party_addresses',
  'hold_party',
] as const satisfies readonly PartyProposal['kind'][];
export type PartyChangeKind = (typeof PARTY_CHANGE_KINDS)[number];

/** In which states of a relying party each change may be made. */
const ALLOWED = {
  suspend_party: ['active', 'held'],
  resume_party: ['suspended'],
  change_party_keys: ['active', 'held', 'suspended'],
  change_party_addresses: ['active', 'held', 'suspended'],
  hold_party: ['active'],
} as const satisfies Record<PartyChangeKind, readonly ('active' | 'held' | 'suspended')[]>;

/** True when a relying party in this state may be changed so. */
export function isPartyChangeAllowed(
  kind: PartyChangeKind,
  state: 'active' | 'held' | 'suspended',
): boolean {
  return ALLOWED[kind].some((allowed) => allowed === state);
}

/** True of a proposal that is about a relying party. */
export function isPartyProposal<Other extends { kind: string }>(
  proposal: PartyProposal | Other,
): proposal is PartyProposal {
  return isPartyKind(proposal.kind);
}

/** True of the kinds of proposals that are about a relying party. */
export function isPartyKind(kind: string): kind is PartyProposal['kind'] {
  return kind === 'register_party' || PARTY_CHANGE_KINDS.some((known) => known === kind);
}

function isSafeAddress(value: string): boolean {
  if (!URL.canParse(value) || /[#*\s\\]/.test(value)) return false;
  const { protocol, hostname, username, password } = new URL(value);
  if (username !== '' || password !== '') return false;
  const isLoopback = ['127.0.0.1', 'localhost', '[::1]'].includes(hostname);
  return protocol === 'https:' || (protocol === 'http:' && isLoopback);
}

/** The host of registered addresses. */
export function hostOf(values: readonly string[]): string {
  const [first = ''] = values;
  return URL.canParse(first) ? new URL(first).host : '';
}

function areOfOneHost(values: readonly string[]): boolean {
  return values.every((value) => hostOf([value]) === hostOf(values));
}
