// SQL over what the signer signed for other processes. Rows are added, never changed.
import { sql } from 'drizzle-orm';
import { selectRows, type Tx } from '../platform/index.ts';

export interface SignatureRow {
  statusUri: string;
  statusIdx: number;
  licence: string;
  vct: string;
  /** SHA-256 of what was asked for, in hexadecimal. */
  digest: string;
}

/** Records signatures about to be made; returns how many places were free. */
export async function insertSignatures(
  tx: Tx,
  rows: readonly SignatureRow[],
  at: Date,
): Promise<number> {
  const made = await selectRows(
    tx,
    sql`insert into signing.credential_signatures
        (status_uri, status_idx, licence, vct, content_digest, signed_at)
      select "statusUri", "statusIdx", licence, vct, decode(digest, 'hex'),
        ${at.toISOString()}::timestamptz
      from json_to_recordset(${JSON.stringify(rows)}::text::json) as r(
        "statusUri" text, "statusIdx" int, licence text, vct text, digest text)
      on conflict do nothing returning 1`,
  );
  return made.length;
}
