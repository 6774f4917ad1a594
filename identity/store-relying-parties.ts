// SQL over identity.relying_parties.
import { sql } from 'drizzle-orm';
import { selectRows, type Tx, textArray } from '../platform/index.ts';
import type { ClientKey } from './client-keys.ts';
import type { PartyAddresses } from './relying-party-change.ts';
import { type ClientKeyRow, insertKeys, keysOf, milliseconds } from './store-client-keys.ts';

/** Somebody who has people signed in here, as registered. */
export interface RelyingPartyRow extends PartyAddresses {
  id: string;
  organisationId: string;
  nameZh: string;
  nameEn: string;
  /** Held: suspended for now, by one operator. */
  state: 'active' | 'suspended' | 'held';
  /** The end of a hold that works now, in milliseconds of Unix time. */
  heldUntil: number | null;
  /** Times in milliseconds of Unix time. */
  createdAt: number;
  changedAt: number;
  keys: ClientKeyRow[];
}

/** The state by the database's clock; `p` is the relying party. */
export const partyState = sql`case when p.state = 'active' and p.held_until > platform.now() then 'held'
  else p.state end`;

const parties = sql`
  select p.id, p.organisation_id as "organisationId", p.name_zh as "nameZh",
    p.name_en as "nameEn", p.redirect_uris as "redirectUris",
    p.post_logout_redirect_uris as "postLogoutRedirectUris",
    p.backchannel_logout_uri as "backchannelLogoutUri", ${partyState} as state,
    case when p.held_until > platform.now() then ${milliseconds(sql`p.held_until`)} end as "heldUntil",
    ${milliseconds(sql`p.created_at`)} as "createdAt",
    ${milliseconds(sql`p.changed_at`)} as "changedAt", ${keysOf('party', sql`p.id`)} as keys
  from identity.relying_parties p`;

export async function findRelyingParty(tx: Tx, id: string): Promise<RelyingPartyRow | null> {
  const [row] = await selectRows<RelyingPartyRow>(tx, sql`${parties} where p.id = ${id}`);
  return row ?? null;
}

/** The relying party, locked until the transaction ends. */
export async function lockRelyingParty(tx: Tx, id: string): Promise<RelyingPartyRow | null> {
  const [row] = await selectRows<RelyingPartyRow>(
    tx,
    sql`${parties} where p.id = ${id} for no key update of p`,
  );
  return row ?? null;
}

/** Relying parties by id, from after `afterId`. */
export function listRelyingParties(
  tx: Tx,
  { afterId = '', limit }: { afterId?: string | undefined; limit: number },
): Promise<RelyingPartyRow[]> {
  return selectRows<RelyingPartyRow>(
    tx,
    sql`${parties} where p.id > ${afterId} order by p.id limit ${limit}`,
  );
}

export async function insertRelyingParty(
  tx: Tx,
  party: Omit<RelyingPartyRow, 'state' | 'heldUntil' | 'createdAt' | 'changedAt' | 'keys'> & {
    keys: readonly ClientKey[];
  },
  at: Date,
): Promise<void> {
  await tx.execute(
    sql`insert into identity.relying_parties
        (id, organisation_id, name_zh, name_en, redirect_uris, post_logout_redirect_uris,
          backchannel_logout_uri, created_at, changed_at)
      values (${party.id}, ${party.organisationId}, ${party.nameZh}, ${party.nameEn},
        ${textArray(party.redirectUris)}, ${textArray(party.postLogoutRedirectUris)},
        ${party.backchannelLogoutUri}, ${at.toISOString()}, ${at.toISOString()})`,
  );
  await insertKeys(tx, 'party', party.id, party.keys, at);
}

/** Suspends a relying party or lets it in again; either ends a hold. */
export async function updatePartyState(
  tx: Tx,
  id: string,
  state: 'active' | 'suspended',
  at: Date,
): Promise<void> {
  await tx.execute(
    sql`update identity.relying_parties
      set state = ${state}, held_until = null, changed_at = ${at.toISOString()} where id = ${id}`,
  );
}

/** Holds a relying party until the end of this hold; null lifts it. */
export async function updatePartyHold(
  tx: Tx,
  id: string,
  changeId: string | null,
  at: Date,
): Promise<void> {
  await tx.execute(
    sql`update identity.relying_parties set changed_at = ${at.toISOString()}, held_until =
        (select holds_until from identity.client_changes where id = ${changeId}::uuid)
      where id = ${id}`,
  );
}

export async function updatePartyAddresses(
  tx: Tx,
  id: string,
  addresses: PartyAddresses,
  at: Date,
): Promise<void> {
  await tx.execute(
    sql`update identity.relying_parties
      set redirect_uris = ${textArray(addresses.redirectUris)},
        post_logout_redirect_uris = ${textArray(addresses.postLogoutRedirectUris)},
        backchannel_logout_uri = ${addresses.backchannelLogoutUri},
        changed_at = ${at.toISOString()}
      where id = ${id}`,
  );
}
