// SQL over the keys of clients and of relying parties: two tables of one shape.
import { type SQL, sql } from 'drizzle-orm';
import type { Tx } from '../platform/index.ts';
import type { ClientKey } from './client-keys.ts';

export interface ClientKeyRow {
  jwk: ClientKey;
  addedAt: number;
  /** Null while no end is stated. */
  endsAt: number | null;
  serves: boolean;
}

const TABLES = {
  client: sql.raw('identity.client_keys'),
  party: sql.raw('identity.relying_party_keys'),
} as const;
type Owner = keyof typeof TABLES;

/** A moment as this room's rows give it: milliseconds of Unix time. */
export const milliseconds = (moment: SQL) => sql`(extract(epoch from ${moment}) * 1000)::float8`;

/** The list of `ClientKeyRow` of the row whose id is given, as an expression. */
export const keysOf = (owner: Owner, id: SQL) => sql`
  (select coalesce(jsonb_agg(jsonb_build_object(
      'jwk', k.jwk, 'addedAt', ${milliseconds(sql`k.added_at`)},
      'endsAt', ${milliseconds(sql`k.ends_at`)},
      'serves', k.ends_at is null or k.ends_at > platform.now()
    ) order by k.added_at, k.kid), '[]'::jsonb)
    from ${TABLES[owner]} k where k.client_id = ${id})`;

export async function insertKeys(
  tx: Tx,
  owner: Owner,
  id: string,
  keys: readonly ClientKey[],
  at: Date,
): Promise<void> {
  await tx.execute(
    sql`insert into ${TABLES[owner]} (client_id, kid, jwk, added_at)
      select ${id}, jwk ->> 'kid', jwk, ${at.toISOString()}::timestamptz
      from jsonb_array_elements(${JSON.stringify(keys)}::text::jsonb) as jwk`,
  );
}

/** States the end of the keys that serve and would do so longer. */
export async function endKeys(tx: Tx, owner: Owner, id: string, at: Date): Promise<void> {
  const end = sql`greatest(${at.toISOString()}::timestamptz, platform.now())`;
  await tx.execute(
    sql`update ${TABLES[owner]} set ends_at = ${end}
      where client_id = ${id} and (ends_at is null or ends_at > ${end})`,
  );
}
