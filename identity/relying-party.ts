// Relying parties: systems that have people signed in here, such as the terminal or a department's
// portal. How they are registered, how operators see them, and how the library does.
import type { AdapterPayload } from 'oidc-provider';
import { type Clock, isUniqueViolation, type Tx } from '../platform/index.ts';
import { type Client, keysShown } from './client.ts';
import { checkClientKeys } from './client-keys.ts';
import { identityErrors } from './errors.ts';
import { type PartyAddresses, RelyingPartyInput } from './relying-party-change.ts';
import { findOrganisation } from './store-organisations.ts';
import {
  findRelyingParty,
  insertRelyingParty,
  listRelyingParties,
  type RelyingPartyRow,
} from './store-relying-parties.ts';

/** What anyone signed in may be known by there; `officer` adds department and roles. */
export const OPENID_SCOPES = ['openid', 'officer'] as const;

/** A relying party as operators see it. */
export interface RelyingParty extends PartyAddresses {
  id: string;
  organisation: string;
  nameZh: string;
  nameEn: string;
  state: RelyingPartyRow['state'];
  /** When a hold that works now lifts itself, unless it is confirmed. */
  heldUntil: string | null;
  createdAt: string;
  changedAt: string;
  keys: Client['keys'];
}

/** Registration of relying parties. */
export function createRelyingParties({ clock }: { clock: Clock }) {
  return {
    /** Registers a relying party; identity.relying_party_invalid, or client_invalid of its keys. */
    async createRelyingParty(
      tx: Tx,
      input: Omit<RelyingPartyInput, 'keys'> & { keys: readonly unknown[] },
    ): Promise<void> {
      const parsed = RelyingPartyInput.safeParse(input);
      if (!parsed.success) {
        const fields = parsed.error.issues.map(({ path, message }) => ({
          pointer: `/${path.join('/')}`,
          detail: message,
        }));
        throw invalid('Some of this registration can not be used; see errors.', { fields });
      }
      const party = parsed.data;
      checkClientKeys(party.keys, 'private_key_jwt', clock.now());
      if (!(await findOrganisation(tx, party.organisationId))) {
        throw invalid('There is no such organisation.', {
          fields: [{ pointer: '/organisationId', detail: 'Not one of this house.' }],
        });
      }
      try {
        await insertRelyingParty(tx, party, clock.now());
      } catch (cause) {
        if (!isUniqueViolation(cause)) throw cause;
        throw invalid('There is a relying party of this id already.', { cause });
      }
    },

    async findRelyingParty(tx: Tx, id: string): Promise<RelyingParty | null> {
      const row = await findRelyingParty(tx, id);
      return row ? asRelyingParty(row) : null;
    },

    /** Relying parties by id, from after `afterId`. */
    async listRelyingParties(
      tx: Tx,
      page: { afterId?: string | undefined; limit: number },
    ): Promise<RelyingParty[]> {
      return (await listRelyingParties(tx, page)).map(asRelyingParty);
    },
  };
}

export type RelyingParties = ReturnType<typeof createRelyingParties>;

const invalid = identityErrors.relying_party_invalid;

function asRelyingParty({ organisationId, keys, ...row }: RelyingPartyRow): RelyingParty {
  return {
    ...row,
    organisation: organisationId,
    heldUntil: row.heldUntil === null ? null : new Date(row.heldUntil).toISOString(),
    createdAt: new Date(row.createdAt).toISOString(),
    changedAt: new Date(row.changedAt).toISOString(),
    keys: keysShown(keys),
  };
}

/** The library's view of a relying party; a suspended one is nobody. */
export function clientMetadata(party: RelyingPartyRow | null): AdapterPayload | undefined {
  if (party?.state !== 'active') return undefined;
  return {
    client_id: party.id,
    client_name: party.nameZh,
    jwks: { keys: party.keys.filter(({ serves }) => serves).map(({ jwk }) => jwk) },
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
