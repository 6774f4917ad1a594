// SQL over identity.relying_parties.
import { sql } from 'drizzle-orm';
import { selectRows, type Tx } from '../platform/index.ts';
import type { ClientKey } from './client-keys.ts';
import { textArray } from './store-text-array.ts';

/** Somebody who has people signed in here, as registered. */
export interface RelyingParty {
  id: string;
  organisationId: string;
  nameZh: string;
  nameEn: string;
  jwks: { keys: ClientKey[] };
  redirectUris: string[];
  postLogoutRedirectUris: string[];
  backchannelLogoutUri: string | null;
  state: 'active' | 'suspended';
}

const columns = sql`id, organisation_id as "organisationId", name_zh as "nameZh",
  name_en as "nameEn", jwks, redirect_uris as "redirectUris",
  post_logout_redirect_uris as "postLogoutRedirectUris",
  backchannel_logout_uri as "backchannelLogoutUri", state`;

export async function findRelyingParty(tx: Tx, id: string): Promise<RelyingParty | null> {
  const [row] = await selectRows<RelyingParty>(
    tx,
    sql`select ${columns} from identity.relying_parties where id = ${id}`,
  );
  return row ?? null;
}

export function listRelyingParties(tx: Tx): Promise<RelyingParty[]> {
  return selectRows<RelyingParty>(
    tx,
    sql`select ${columns} from identity.relying_parties order by id`,
  );
}

/** Adds a relying party or changes the one of this id. */
export async function upsertRelyingParty(tx: Tx, party: RelyingParty, at: Date): Promise<void> {
  await tx.execute(
    sql`insert into identity.relying_parties
        (id, organisation_id, name_zh, name_en, jwks, redirect_uris, post_logout_redirect_uris,
          backchannel_logout_uri, state, created_at, changed_at)
      values (${party.id}, ${party.organisationId}, ${party.nameZh}, ${party.nameEn},
        ${JSON.stringify(party.jwks)}::text::jsonb, ${textArray(party.redirectUris)},
        ${textArray(party.postLogoutRedirectUris)}, ${party.backchannelLogoutUri}, ${party.state},
        ${at.toISOString()}, ${at.toISOString()})
      on conflict (id) do update set organisation_id = excluded.organisation_id,
        name_zh = excluded.name_zh, name_en = excluded.name_en, jwks = excluded.jwks,
        redirect_uris = excluded.redirect_uris,
        post_logout_redirect_uris = excluded.post_logout_redirect_uris,
        backchannel_logout_uri = excluded.backchannel_logout_uri, state = excluded.state,
        changed_at = excluded.changed_at`,
  );
}
