// SQL over identity.clients and the jtis of assertions.
import { sql } from 'drizzle-orm';
import { selectRows, type Tx, textArray } from '../platform/index.ts';
import type { ClientKey, ClientMethod } from './client-keys.ts';
import { type ClientKeyRow, insertKeys, keysOf, milliseconds } from './store-client-keys.ts';

export interface ClientRow {
  id: string;
  organisationId: string;
  name: string;
  method: ClientMethod;
  scopes: string[];
  /** Held: suspended for now, by one operator. */
  state: 'active' | 'suspended' | 'held';
  /** How often it was stopped. */
  stops: number;
  /** The end of a hold that works now, in milliseconds of Unix time. */
  heldUntil: number | null;
  createdAt: number;
  changedAt: number;
  keys: ClientKeyRow[];
}

/** What is written of a new client. */
export type NewClientRow = Pick<
  ClientRow,
  'id' | 'organisationId' | 'name' | 'method' | 'scopes'
> & { keys: readonly ClientKey[] };

/** What a request needs to know of its client. */
export type ClientRights = Pick<ClientRow, 'organisationId' | 'scopes' | 'state' | 'stops'>;

/** The state by the database's clock; `c` is the client. */
export const clientState = sql`case when c.state = 'active' and c.held_until > platform.now() then 'held'
  else c.state end`;

/** What a request needs to know, as columns; `c` is the client. */
export const clientRights = sql`c.organisation_id as "organisationId", c.scopes, ${clientState} as state,
  c.stops`;

const clients = sql`
  select c.id, c.organisation_id as "organisationId", c.name, c.method, c.scopes, ${clientState} as state, c.stops,
    case when c.held_until > platform.now() then ${milliseconds(sql`c.held_until`)} end
      as "heldUntil",
    ${milliseconds(sql`c.created_at`)} as "createdAt",
    ${milliseconds(sql`c.changed_at`)} as "changedAt",
    ${keysOf('client', sql`c.id`)} as keys
  from identity.clients c`;

export async function findClient(tx: Tx, id: string): Promise<ClientRow | null> {
  const [row] = await selectRows<ClientRow>(tx, sql`${clients} where c.id = ${id}`);
  return row ?? null;
}

/** The client, locked until the transaction ends. */
export async function lockClient(tx: Tx, id: string): Promise<ClientRow | null> {
  const [row] = await selectRows<ClientRow>(
    tx,
    sql`${clients} where c.id = ${id} for no key update of c`,
  );
  return row ?? null;
}

export async function listClients(
  tx: Tx,
  { afterId = '', limit }: { afterId?: string | undefined; limit: number },
): Promise<ClientRow[]> {
  return selectRows<ClientRow>(
    tx,
    sql`${clients} where c.id > ${afterId} order by c.id limit ${limit}`,
  );
}

export async function insertClient(tx: Tx, client: NewClientRow, at: Date): Promise<void> {
  await tx.execute(
    sql`insert into identity.clients
        (id, organisation_id, name, method, scopes, created_at, changed_at)
      values (${client.id}, ${client.organisationId}, ${client.name}, ${client.method},
        ${textArray(client.scopes)}, ${at.toISOString()}, ${at.toISOString()})`,
  );
  await insertKeys(tx, 'client', client.id, client.keys, at);
}

/** Suspends a client or lets it in again; either ends a hold. */
export async function updateClientState(
  tx: Tx,
  id: string,
  state: 'active' | 'suspended',
  at: Date,
): Promise<void> {
  await tx.execute(
    sql`update identity.clients
      set state = ${state}, held_until = null, stops = stops + ${state === 'suspended' ? 1 : 0},
        changed_at = ${at.toISOString()} where id = ${id}`,
  );
}

export async function updateClientScopes(
  tx: Tx,
  id: string,
  scopes: readonly string[],
  at: Date,
): Promise<void> {
  await tx.execute(
    sql`update identity.clients
      set scopes = ${textArray(scopes)}, changed_at = ${at.toISOString()} where id = ${id}`,
  );
}

/** Holds a client until the end of this hold; null lifts it. */
export async function updateClientHold(
  tx: Tx,
  id: string,
  changeId: string | null,
  at: Date,
): Promise<void> {
  await tx.execute(
    sql`update identity.clients set changed_at = ${at.toISOString()},
        stops = stops + ${changeId === null ? 0 : 1}, held_until =
        (select holds_until from identity.client_changes where id = ${changeId})
      where id = ${id}`,
  );
}

/** Takes the jti of an assertion for good: true for the one caller, in whatever process, who came first. */
export async function claimAssertion(tx: Tx, id: string, expiresAt: Date): Promise<boolean> {
  const rows = await selectRows<{ id: string }>(
    tx,
    sql`insert into identity.assertion_jtis (id, expires_at)
      values (${id}, ${expiresAt.toISOString()}) on conflict do nothing returning id`,
  );
  return rows.length === 1;
}

/** The client behind a request without a proof. */
export async function findClientRights(tx: Tx, id: string): Promise<ClientRights | null> {
  const [row] = await selectRows<ClientRights>(
    tx,
    sql`select ${clientRights}
      from identity.clients c where c.id = ${id}`,
  );
  return row ?? null;
}

/** Forgets assertions that can't be replayed any more. */
export async function deleteExpiredAssertions(tx: Tx): Promise<void> {
  await tx.execute(sql`delete from identity.assertion_jtis where expires_at < platform.now()`);
}
