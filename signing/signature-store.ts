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

/** A place in a status list. */
export interface SignaturePlace {
  uri: string;
  idx: number;
}

/** A signature as it was recorded. */
export interface SignatureRecord {
  statusUri: string;
  statusIdx: number;
  licence: string;
  signedAt: string;
}

/** Signatures made before a moment, in the order of their places, from after one of them. */
export function listSignatures(
  tx: Tx,
  { after, before, limit }: { after: SignaturePlace | null; before: Date; limit: number },
): Promise<SignatureRecord[]> {
  const from =
    after === null ? sql`` : sql`and (status_uri, status_idx) > (${after.uri}, ${after.idx}::int)`;
  return selectRows<SignatureRecord>(
    tx,
    sql`select status_uri as "statusUri", status_idx as "statusIdx", licence,
        to_json(signed_at)#>>'{}' as "signedAt"
      from signing.credential_signatures
      where signed_at < ${before.toISOString()}::timestamptz ${from}
      order by status_uri, status_idx limit ${limit}`,
  );
}
