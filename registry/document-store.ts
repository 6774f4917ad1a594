// SQL over the documents made today (migrations/0054_documents.sql).
import { sql } from 'drizzle-orm';
import { selectRows, type Tx } from '../platform/index.ts';

/** What a document stands for. */
export interface DocumentKey {
  number: string;
  status: string;
  day: string;
  /** Which fields it shows: '' for all. */
  cut: string;
}

export async function findDocument(tx: Tx, key: DocumentKey): Promise<Buffer | undefined> {
  const [row] = await selectRows<{ pdfSealed: Buffer }>(
    tx,
    sql`select pdf_sealed as "pdfSealed" from registry.documents
      where number = ${key.number} and status = ${key.status} and day = ${key.day}::date
        and cut = ${key.cut}`,
  );
  return row?.pdfSealed;
}

/** False when there is one already. */
export async function insertDocument(tx: Tx, key: DocumentKey, sealed: Buffer): Promise<boolean> {
  const made = await selectRows(
    tx,
    sql`insert into registry.documents (number, status, day, cut, pdf_sealed)
      values (${key.number}, ${key.status}, ${key.day}::date, ${key.cut}, ${sealed})
      on conflict do nothing returning 1`,
  );
  return made.length === 1;
}

/** Forgets up to `most` documents of days before this one; returns how many. Needs the system's scope. */
export async function forgetDocuments(tx: Tx, day: string, most: number): Promise<number> {
  const gone = await selectRows(
    tx,
    sql`delete from registry.documents d using (
        select number, status, day, cut from registry.documents
        where day < ${day}::date limit ${most}) old
      where d.number = old.number and d.status = old.status and d.day = old.day and d.cut = old.cut
      returning 1`,
  );
  return gone.length;
}
