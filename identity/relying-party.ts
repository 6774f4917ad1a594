// Relying parties: systems that have people signed in here, such as the terminal or a department's
// portal. What may be registered, and how the library sees it.
import type { AdapterPayload } from 'oidc-provider';
import { z } from 'zod';
import type { Clock, Tx } from '../platform/index.ts';
import { ClientKeys, checkClientKeys } from './client-keys.ts';
import { identityErrors } from './errors.ts';
import { findOrganisation } from './store-organisations.ts';
import {
  findRelyingParty,
  listRelyingParties,
  type RelyingParty,
  upsertRelyingParty,
} from './store-relying-parties.ts';

/** What anyone signed in may be known by there; `officer` adds department and roles. */
export const OPENID_SCOPES = ['openid', 'officer'] as const;

const address = z
  .url()
  .refine(isSafeAddress, 'must be https, or http on loopback, and no fragment');

/** A registration as an operator writes it down. */
export const RelyingPartyInput = z.strictObject({
  id: z.string().regex(/^[a-z][a-z0-9-]{0,62}$/),
  organisationId: z.string().min(1).max(32),
  nameZh: z.string().min(1).max(60),
  nameEn: z.string().min(1).max(100),
  keys: ClientKeys,
  redirectUris: z.array(address).min(1).max(10).refine(areOfOneHost, 'must be of one host'),
  postLogoutRedirectUris: z.array(address).max(10).default([]),
  backchannelLogoutUri: address.nullable().default(null),
  state: z.enum(['active', 'suspended']).default('active'),
});
export type RelyingPartyInput = z.input<typeof RelyingPartyInput>;

/** Registration of relying parties. */
export function createRelyingParties({ clock }: { clock: Clock }) {
  return {
    /** Registers a relying party, or changes the one of this id; identity.relying_party_invalid. */
    async putRelyingParty(tx: Tx, input: RelyingPartyInput): Promise<void> {
      const parsed = RelyingPartyInput.safeParse(input);
      if (!parsed.success) {
        const fields = parsed.error.issues.map(({ path, message }) => ({
          pointer: `/${path.join('/')}`,
          detail: message,
        }));
        throw invalid('Some of this registration can not be used; see errors.', { fields });
      }
      const { keys, ...party } = parsed.data;
      checkClientKeys(keys, 'private_key_jwt', clock.now());
      if (!(await findOrganisation(tx, party.organisationId))) {
        throw invalid('There is no such organisation.', {
          fields: [{ pointer: '/organisationId', detail: 'Not one of this house.' }],
        });
      }
      await upsertRelyingParty(tx, { ...party, jwks: { keys } }, clock.now());
    },

    findRelyingParty,
    listRelyingParties,
  };
}

const invalid = identityErrors.relying_party_invalid;

/** The library's view of a relying party; a suspended one is nobody. */
export function clientMetadata(party: RelyingParty | null): AdapterPayload | undefined {
  if (party?.state !== 'active') return undefined;
  return {
    client_id: party.id,
    client_name: party.nameZh,
    jwks: { keys: party.jwks.keys },
    redirect_uris: party.redirectUris,
    post_logout_redirect_uris: party.postLogoutRedirectUris,
    ...(party.backchannelLogoutUri === null
      ? {}
      : {
          backchannel_logout_uri: party.backchannelLogoutUri,
          backchannel_logout_session_required: true,
        }),
    scope: OPENID_SCOPES.join(' '),
    grant_types: ['authorization_code'],
    response_types: ['code'],
    token_endpoint_auth_method: 'private_key_jwt',
    token_endpoint_auth_signing_alg: 'ES256',
    id_token_signed_response_alg: 'ES256',
    subject_type: 'pairwise',
  };
}

function isSafeAddress(value: string): boolean {
  if (!URL.canParse(value)) return false;
  const { protocol, hostname, hash } = new URL(value);
  const isLoopback = ['127.0.0.1', 'localhost', '[::1]'].includes(hostname);
  return hash === '' && (protocol === 'https:' || (protocol === 'http:' && isLoopback));
}

/** The subject is pairwise to the host (OpenID Connect Core section 8.1): it must be one. */
function areOfOneHost(values: readonly string[]): boolean {
  return new Set(values.map((value) => new URL(value).host)).size === 1;
}
