// SQL of what stands in the way of a holder's erasure, and of what it takes.
import { sql } from 'drizzle-orm';
import { selectRows, type Tx } from '../platform/index.ts';

/** What of the register still needs a person, on a day of the city. */
export interface Standing {
  /** Licences of hers that are valid or suspended. */
  held: number;
  /** Such licences of others that name her. */
  naming: number;
  /** Applications for her that wait for approval. */
  applied: number;
}

export async function findStanding(tx: Tx, personId: string, today: string): Promise<Standing> {
  const stands = sql`l.status in ('valid', 'suspended')
    and (l.valid_to is null or l.valid_to >= ${today}::date)`;
  const [row] = await selectRows<Standing>(
    tx,
    sql`select
      (select count(*)::int from registry.licences l where ${stands} and l.number in
        (select number from registry.licence_keys where holder_id = ${personId})) as held,
      (select count(*)::int from registry.licences l where ${stands} and l.number in
        (select number from registry.mentions where person_id = ${personId})) as naming,
      (select count(*)::int from registry.applications
        where holder_id = ${personId} and state = 'awaiting_approval') as applied`,
  );
  if (!row) throw new TypeError('A select without a table has a row.');
  return row;
}

/** The numbers of all licences a person ever held. */
export async function listNumbers(tx: Tx, personId: string): Promise<string[]> {
  const rows = await selectRows<{ number: string }>(
    tx,
    sql`select number from registry.licence_keys where holder_id = ${personId}`,
  );
  return rows.map(({ number }) => number);
}

/** Removes what licences said of an erased holder; harmless when done before. */
export async function forgetHolder(tx: Tx, personId: string): Promise<void> {
  await tx.execute(sql`select registry.forget_holder(${personId}::uuid)`);
}
