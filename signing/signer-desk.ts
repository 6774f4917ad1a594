// What the signer does for another process: each request is checked here, and what is signed is read
// from the database or recorded in it before the signature leaves (docs/adr/0012-signer.md).
import { createHash } from 'node:crypto';
import { type Clock, canonicalJson, type Database } from '../platform/index.ts';
import { signingErrors } from './errors.ts';
import type { CredentialContent } from './issue-credential.ts';
import { insertSignatures } from './signature-store.ts';
import { type CredentialRequest, type DocumentRequest, readContent } from './signer-protocol.ts';
import type { StampRequest } from './timestamp-request.ts';

/** How far from now a credential may be dated: the caller's transaction may have waited. */
const DATING_MS = 5 * 60_000;

export interface SignerDeskDeps {
  database: Database;
  clock: Clock;
  publicUrl: string;
  signing: {
    issueCredential(content: CredentialContent): Promise<string>;
    statusListToken(listId: string): Promise<string | null>;
    crl(): Promise<Buffer>;
    timestampToken(request: StampRequest): Promise<Buffer>;
  };
  /** Refuses a credential that no licence of this house can be. */
  checkCredential(content: CredentialContent): Promise<void>;
  /** The sealed document of a licence, from what the database holds of it. */
  documentOf(request: DocumentRequest): Promise<Buffer>;
  /** The receipt of an answered verification, from what the database holds of it. */
  receiptOf(verificationId: string): Promise<string>;
}

export type SignerDesk = ReturnType<typeof createSignerDesk>;

/** Binds the requests to what this process may sign. */
export function createSignerDesk(deps: SignerDeskDeps) {
  const { database, clock, publicUrl, signing, checkCredential, documentOf, receiptOf } = deps;

  async function check(request: CredentialRequest): Promise<CredentialContent> {
    const content = readContent(request);
    if (Math.abs(clock.now().getTime() - content.iat.getTime()) > DATING_MS) {
      throw refused('A credential is dated now.');
    }
    if (!request.status.uri.startsWith(`${publicUrl}/status-lists/`)) {
      throw refused('A credential has its place in a status list of this house.');
    }
    await checkCredential(content);
    return content;
  }

  return {
    /**
     * Credentials, all or none. Each is recorded by its place in a status list before it is signed: of
     * one place nobody gets a second credential, and each that was ever signed can be revoked.
     */
    async credentials({ credentials }: { credentials: CredentialRequest[] }) {
      const contents = await Promise.all(credentials.map(check));
      const rows = credentials.map((request) => ({
        statusUri: request.status.uri,
        statusIdx: request.status.idx,
        licence: String(request.claims.licence_id),
        vct: request.vct,
        digest: createHash('sha256')
          .update(canonicalJson({ ...request }))
          .digest('hex'),
      }));
      await database.transaction(async (tx) => {
        if ((await insertSignatures(tx, rows, clock.now())) === rows.length) return;
        throw refused('A credential was signed for this place in the status list.');
      });
      return { credentials: await Promise.all(contents.map(signing.issueCredential)) };
    },

    receipts: async ({ verification }: { verification: string }) => ({
      receipt: await receiptOf(verification),
    }),

    statusLists: async ({ id }: { id: string }) => ({ token: await signing.statusListToken(id) }),

    crl: async () => ({ der: (await signing.crl()).toString('base64') }),

    /** A document that says what the register says; recorded by its digest before it is sealed. */
    documents: async (request: DocumentRequest) => ({
      pdf: (await documentOf(request)).toString('base64'),
    }),

    /** Anyone may have a digest stamped; each token has its row. */
    timestamps: async (request: StampRequest) => ({
      token: (await signing.timestampToken(request)).toString('base64'),
    }),
  };
}

function refused(detail: string) {
  return signingErrors.signature_refused(detail);
}
