// SQL over the time-stamps that were given out. Rows are added, never changed.
import { sql } from 'drizzle-orm';
import { selectRows, type Tx } from '../platform/index.ts';
import type { StampedHash } from './timestamp-request.ts';

/** Records a time-stamp about to be signed and returns its serial number, which no other has. */
export async function insertStamp(
  tx: Tx,
  { hash, imprint, at }: { hash: StampedHash; imprint: Buffer; at: Date },
): Promise<bigint> {
  const [row] = await selectRows<{ serial: string }>(
    tx,
    sql`insert into signing.timestamps (hash, imprint, stamped_at)
      values (${hash}, ${imprint}, ${at.toISOString()}::timestamptz) returning serial::text`,
  );
  if (!row) throw new TypeError('An inserted row has a number.');
  return BigInt(row.serial);
}
