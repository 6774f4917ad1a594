// SQL over identity.clients and the jtis of assertions and proofs.
import { sql } from 'drizzle-orm';
import { type JsonObject, selectRows, type Tx } from '../platform/index.ts';
import { textArray } from './store-text-array.ts';

export interface ClientRow {
  id: string;
  organisationId: string;
  name: string;
  jwks: { keys: JsonObject[] };
  scopes: string[];
  state: 'active' | 'suspended';
}

/** What one request of a client's needs to know, in one statement. */
export interface ClientUse {
  organisationId: string;
  scopes: string[];
  state: ClientRow['state'];
  isFirstUse: boolean;
  isAfterEpoch: boolean;
}

const columns = sql`id, organisation_id as "organisationId", name, jwks, scopes, state`;

export async function findClient(tx: Tx, id: string): Promise<ClientRow | null> {
  const [row] = await selectRows<ClientRow>(
    tx,
    sql`select ${columns} from identity.clients where id = ${id}`,
  );
  return row ?? null;
}

export async function listClients(tx: Tx): Promise<ClientRow[]> {
  return selectRows<ClientRow>(tx, sql`select ${columns} from identity.clients order by id`);
}

export async function insertClient(tx: Tx, client: ClientRow, at: Date): Promise<void> {
  await tx.execute(
    sql`insert into identity.clients
        (id, organisation_id, name, jwks, scopes, state, created_at, changed_at)
      values (${client.id}, ${client.organisationId}, ${client.name},
        ${JSON.stringify(client.jwks)}::text::jsonb, ${textArray(client.scopes)}, ${client.state},
        ${at.toISOString()}, ${at.toISOString()})`,
  );
}

/** True when there is such a client. */
export async function updateClientState(
  tx: Tx,
  id: string,
  state: ClientRow['state'],
  at: Date,
): Promise<boolean> {
  const rows = await selectRows<{ id: string }>(
    tx,
    sql`update identity.clients set state = ${state}, changed_at = ${at.toISOString()}
      where id = ${id} returning id`,
  );
  return rows.length === 1;
}

/**
 * Takes the jti of an assertion or proof for good: true for the one caller, in whatever process, who
 * came first.
 */
export async function claimAssertion(tx: Tx, id: string, expiresAt: Date): Promise<boolean> {
  const rows = await selectRows<{ id: string }>(
    tx,
    sql`insert into identity.assertion_jtis (id, expires_at)
      values (${id}, ${expiresAt.toISOString()}) on conflict do nothing returning id`,
  );
  return rows.length === 1;
}

// Proofs made before the epoch may have been used and forgotten: a crash empties the unlogged tables.
const makeEpoch = sql`
  insert into identity.dpop_epochs (id, started_at)
  select 1, platform.now() where not exists (select 1 from identity.dpop_epochs)
  on conflict do nothing`;

/** Begins to remember proofs, unless another process does already. */
export async function startRememberingProofs(tx: Tx): Promise<void> {
  await tx.execute(makeEpoch);
}

/**
 * Takes a proof's digest and looks the client up, in one round trip: it stands on the path of every
 * request. Null when there is no such client.
 */
export async function useProof(
  tx: Tx,
  use: { clientId: string; digest: Buffer; issuedAt: Date; expiresAt: Date },
): Promise<ClientUse | null> {
  const [row] = await selectRows<ClientUse>(
    tx,
    sql`with epoch as (${makeEpoch}), taken as (
        insert into identity.dpop_jtis (digest, expires_at)
        values (${use.digest}, ${use.expiresAt.toISOString()}) on conflict do nothing
        returning 1
      )
      select c.organisation_id as "organisationId", c.scopes, c.state,
        exists (select 1 from taken) as "isFirstUse",
        exists (select 1 from identity.dpop_epochs
          where date_trunc('second', started_at) <= ${use.issuedAt.toISOString()}::timestamptz
        ) as "isAfterEpoch"
      from identity.clients c where c.id = ${use.clientId}`,
  );
  return row ?? null;
}

/** Forgets what can't be replayed any more. */
export async function deleteExpiredJtis(tx: Tx): Promise<void> {
  await tx.execute(sql`delete from identity.dpop_jtis where expires_at < platform.now()`);
  await tx.execute(sql`delete from identity.assertion_jtis where expires_at < platform.now()`);
}
