// SQL over identity.dpop_proofs, the memory of used proofs that all processes share: a ring of slots, one
// for each minute in which proofs were made, emptied as wholes.
import { type SQL, sql } from 'drizzle-orm';
import { dbNow, selectRows, type Tx } from '../platform/index.ts';
import { type ClientRights, clientRights } from './store-clients.ts';

const SLOTS = 8;
const MINUTE_MS = 60_000;

/**
 * The slots, from the present minute on, that hold minutes long past. Proofs are used within a minute of
 * their making, 10 s early at most, and clocks differ by 10 s: minutes -2 to +1. One more is left on
 * either side; slot +3 of the ring is minute -5, and +4 is minute -4.
 */
const PAST_SLOTS = [3, 4];

/** What a request needs to know of its client and of its proof. */
export interface ClientUse extends ClientRights {
  isFirstUse: boolean;
  /** False when the proof may have been used and forgotten: a crash empties the unlogged memory. */
  isAfterEpoch: boolean;
}

const slotOf = (minute: number): number => minute % SLOTS;
const minuteOf = (moment: Date): number => Math.floor(moment.getTime() / MINUTE_MS);

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
 * request, so it doesn't wait for the disk either. Null when there is no such client.
 */
export async function useProof(
  tx: Tx,
  use: { clientId: string; digest: Buffer; issuedAt: Date },
): Promise<ClientUse | null> {
  const [row] = await selectRows<ClientUse>(
    tx,
    sql`with quick as materialized (select set_config('synchronous_commit', 'off', true)),
      epoch as (${makeEpoch}),
      taken as (
        insert into identity.dpop_proofs (slot, digest)
        select ${slotOf(minuteOf(use.issuedAt))}::smallint, ${use.digest}::bytea from quick
        on conflict do nothing
        returning 1
      )
      select ${clientRights},
        exists (select 1 from taken) as "isFirstUse",
        exists (select 1 from identity.dpop_epochs
          where date_trunc('second', started_at) <= ${use.issuedAt.toISOString()}::timestamptz
        ) as "isAfterEpoch"
      from identity.clients c where c.id = ${use.clientId}`,
  );
  return row ?? null;
}

/** Empties the slots of minutes long past; to be called every minute, and harmless if it is missed. */
export async function forgetPastProofs(tx: Tx): Promise<void> {
  const minute = minuteOf(await dbNow(tx));
  for (const ahead of PAST_SLOTS) await tx.execute(emptySlot(slotOf(minute + ahead)));
}

function emptySlot(slot: number): SQL {
  return sql`truncate ${sql.identifier('identity')}.${sql.identifier(`dpop_proofs_${slot}`)}`;
}
