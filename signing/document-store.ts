// SQL over the documents that were sealed. Rows are added, never changed.
import { sql } from 'drizzle-orm';
import { selectRows, type Tx } from '../platform/index.ts';

export interface SealedRow {
  /** SHA-256 of all that the seal covers. */
  digest: Buffer;
  number: string;
  /** Of the seal's certificate, hexadecimal. */
  certificate: string;
}

/** Records a document about to be sealed. */
export async function insertSealed(tx: Tx, row: SealedRow, at: Date): Promise<void> {
  await tx.execute(sql`insert into signing.sealed_documents (digest, number, certificate, sealed_at)
    values (${row.digest}, ${row.number}, ${row.certificate}, ${at.toISOString()}::timestamptz)`);
}

/** The row of the document of this digest; undefined when this house sealed none. */
export async function findSealed(
  tx: Tx,
  digest: Buffer,
): Promise<Pick<SealedRow, 'number' | 'certificate'> | undefined> {
  const [row] = await selectRows<Pick<SealedRow, 'number' | 'certificate'>>(
    tx,
    sql`select number, certificate from signing.sealed_documents where digest = ${digest}`,
  );
  return row;
}
