// A licence's document as PDF: made when it is first asked for, kept under the holder's key for the day.
import { createHash } from 'node:crypto';
import { cityDay, dbNow, type Tx } from '../platform/index.ts';
import type { DocumentContent, DocumentRequest } from '../signing/index.ts';
import type { Authorities } from './authorities.ts';
import type { RegistryDeps } from './deps.ts';
import { documentContent } from './document-content.ts';
import { type DocumentKey, findDocument, insertDocument } from './document-store.ts';
import { licenceErased, registryErrors } from './errors.ts';
import type { Opening } from './opening.ts';
import { scopeOfLicences } from './row-scope.ts';
import { sealContexts } from './sealed-licence.ts';
import { findLicence, type LicenceRow } from './store.ts';
import type { TypeBook } from './type-book.ts';
import { statusOf } from './view.ts';

/** Binds documents. Who may have one was decided, and logged, before it is asked for here. */
export function createDocuments(
  deps: RegistryDeps,
  { book, authorities, opening }: { book: TypeBook; authorities: Authorities; opening: Opening },
) {
  const { database, identity, signing, publicUrl, cityTz } = deps;
  const making = new Map<string, Promise<Buffer>>();

  async function getRow(tx: Tx, number: string): Promise<LicenceRow> {
    const row = await findLicence(tx, number);
    if (!row) throw registryErrors.licence_not_found('There is no licence of this number.');
    return row;
  }

  /** What the signer needs to seal a document: read from the register, from nowhere else. */
  async function contentOf({
    number,
    fields,
  }: DocumentRequest): Promise<{ content: DocumentContent; uscc: string }> {
    const inHand = database.as(scopeOfLicences(number));
    const { licence, verificationCode, issuerId, at } = await inHand.transaction(async (tx) => {
      const row = await getRow(tx, number);
      const [licence] = await opening.openWholes(tx, [row]);
      if (!licence) throw licenceErased();
      const codes = await opening.openCodes(tx, [row]);
      const verificationCode = codes.get(number) ?? '';
      return { licence, verificationCode, issuerId: row.issuerId, at: await dbNow(tx) };
    });
    const type = await book.getVersion(database.db, licence.type, licence.typeVersion);
    const authority = await authorities.get(issuerId);
    const source = { licence, type, authority, verificationCode, fields, publicUrl, cityTz, at };
    return { content: documentContent(source), uscc: authority.uscc };
  }

  async function open(tx: Tx, row: LicenceRow, key: DocumentKey): Promise<Buffer | undefined> {
    const sealed = await findDocument(tx, key);
    if (!sealed) return undefined;
    const context = sealContexts.document(wordOf(key));
    const [pdf] = await identity.openMany(tx, [{ personId: row.holderId, sealed, context }]);
    if (!pdf) throw licenceErased();
    return pdf;
  }

  /** Keeps a document if the licence is as it was before it was made; of two made at once, the first. */
  function keep(pdf: Buffer, before: LicenceRow, key: DocumentKey): Promise<Buffer> {
    return database.as(scopeOfLicences(key.number)).transaction(async (tx) => {
      const row = await getRow(tx, key.number);
      if (row.revision !== before.revision) return pdf;
      const [sealed] = await identity.sealMany(tx, [
        {
          personId: row.holderId,
          plaintext: pdf,
          context: sealContexts.document(wordOf(key)),
        },
      ]);
      if (!sealed) throw licenceErased();
      if (await insertDocument(tx, key, sealed)) return pdf;
      return (await open(tx, row, key)) ?? pdf;
    });
  }

  async function obtain(number: string, fields: string[] | null): Promise<Buffer> {
    const { row, key, kept } = await database
      .as(scopeOfLicences(number))
      .transaction(async (tx) => {
        const row = await getRow(tx, number);
        const day = cityDay(new Date(row.readAt), cityTz);
        const key = { number, status: statusOf(row, cityTz), day, cut: cutOf(fields) };
        return { row, key, kept: await open(tx, row, key) };
      });
    if (kept) return kept;
    const word = wordOf(key);
    const running = making.get(word);
    if (running) return running;
    const made = signing
      .sealDocument({ number, fields }, contentOf)
      .then((pdf) => keep(pdf, row, key))
      .finally(() => making.delete(word));
    making.set(word, made);
    return made;
  }

  return {
    /**
     * The document of a licence, all fields or some. Kept by version (its number), status and day;
     * another status or day gives another one.
     */
    obtain,

    /** The same for a process that asks the signer: this one holds the keys. */
    documentOf: (request: DocumentRequest): Promise<Buffer> =>
      signing.sealDocument(request, contentOf),
  };
}

export type Documents = ReturnType<typeof createDocuments>;

function wordOf({ number, status, day, cut }: DocumentKey): string {
  return [number, status, day, cut].join('|');
}

/** Which fields are shown, in few characters. */
function cutOf(fields: string[] | null): string {
  if (fields === null) return '';
  return createHash('sha256')
    .update([...fields].sort().join(','))
    .digest('base64url');
}
