// SQL of a person's end; migrations/0020_erasure.sql says what the function does.
import { sql } from 'drizzle-orm';
import { selectRows, type Tx } from '../platform/index.ts';

/**
 * Locks a person against licences and erasures until the transaction ends, and gives her tag; null
 * when there is no such person or she was erased.
 */
export async function lockPerson(tx: Tx, personId: string): Promise<Buffer | null> {
  const [row] = await selectRows<{ auditTag: Buffer }>(
    tx,
    sql`select audit_tag as "auditTag" from identity.people
      where id = ${personId} and erased_at is null for update`,
  );
  return row?.auditTag ?? null;
}

/** Destroys her key and whatever else would still tell who she is; false when it was done before. */
export async function erasePerson(tx: Tx, personId: string): Promise<boolean> {
  const [row] = await selectRows<{ erased: boolean }>(
    tx,
    sql`select identity.erase_person(${personId}::uuid) as erased`,
  );
  return row?.erased ?? false;
}

/** The tag of an erased person, while the log is being cleared of it. */
export async function findErasedTag(tx: Tx, personId: string): Promise<Buffer | null> {
  const [row] = await selectRows<{ auditTag: Buffer | null }>(
    tx,
    sql`select audit_tag as "auditTag" from identity.people
      where id = ${personId} and erased_at is not null`,
  );
  return row?.auditTag ?? null;
}

/** Gives up the tag of an erased person: from now on she is new when she comes again. */
export async function forgetTag(tx: Tx, personId: string): Promise<void> {
  await tx.execute(
    sql`update identity.people set audit_tag = null
      where id = ${personId} and erased_at is not null`,
  );
}
