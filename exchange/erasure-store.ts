// The exchange's part of an erasure: what is still open about a person, and giving her up.
import { sql } from 'drizzle-orm';
import { selectRows, type Tx } from '../platform/index.ts';

/** True while a question about this person has not ended. */
export async function hasOpenQuestions(tx: Tx, personId: string): Promise<boolean> {
  const rows = await selectRows(
    tx,
    sql`select id from exchange.verifications
      where subject_id = ${personId} and ended_at is null limit 1`,
  );
  return rows.length > 0;
}

/** The ids of all verifications about a person. */
export async function verificationsAbout(tx: Tx, personId: string): Promise<string[]> {
  const rows = await selectRows<{ id: string }>(
    tx,
    sql`select id from exchange.verifications where subject_id = ${personId}`,
  );
  return rows.map(({ id }) => id);
}

/** Removes requests and answers about an erased person; receipts stay. Harmless when done before. */
export async function forgetSubject(tx: Tx, personId: string): Promise<void> {
  await tx.execute(sql`select exchange.forget_subject(${personId}::uuid)`);
}
