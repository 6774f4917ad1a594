// Documents: drawn in threads without keys, recorded, sealed by their department, stamped.

import { z } from 'zod';
import { type Clock, createParser, type Database, ParserEnded } from '../platform/index.ts';
import type { DocumentContent } from './document.ts';
import { insertSealed } from './document-store.ts';
import { signingErrors } from './errors.ts';
import type { Keystore } from './keystore.ts';
import { prepareSeal, seal } from './seal-document.ts';
import type { RemoteSigner } from './signer-client.ts';
import type { DocumentRequest } from './signer-protocol.ts';
import type { StampRequest } from './timestamp-request.ts';

/** A thread holds two typefaces of 10 MB and what they parse to; each takes one core. */
const limits = { megabytes: 384, seconds: 30, atOnce: 2, mostWaiting: 400 };

export interface DocumentsDeps {
  database: Database;
  clock: Clock;
  keystore: Keystore;
  remote?: Pick<RemoteSigner, 'document'> | undefined;
  stamp(request: StampRequest): Promise<Buffer>;
}

/** Binds documents to the departments' keys, or to the signer that holds them. */
export function createDocuments({ database, clock, keystore, remote, stamp }: DocumentsDeps) {
  const draw = createParser({
    module: new URL('./document-thread.ts', import.meta.url),
    result: z.instanceof(Uint8Array),
    ...limits,
  });

  async function drawn(content: DocumentContent): Promise<Uint8Array> {
    try {
      return await draw(Buffer.from(JSON.stringify(content)));
    } catch (error) {
      if (!(error instanceof ParserEnded)) throw error;
      throw signingErrors.document_not_drawn(
        'This document could not be drawn in time. Try again in a minute.',
        { cause: error, retryAfterSeconds: 60 },
      );
    }
  }

  const stampDigest = (digest: Buffer): Promise<Buffer> =>
    stamp({
      hash: 'sha256',
      imprint: digest.toString('hex'),
      hasNull: false,
      isCertificateWanted: true,
    });

  return {
    /**
     * The sealed document as PDF. Where the keys are, `read` gives what it says and whose seal it
     * bears (a USCC); a process without them asks the signer, which reads it for itself. The order is
     * Boulder's: the row with the digest of what will be sealed, then the seal.
     */
    async sealDocument(
      request: DocumentRequest,
      read: (request: DocumentRequest) => Promise<{ content: DocumentContent; uscc: string }>,
    ): Promise<Buffer> {
      if (remote) return remote.document(request);
      const { content, uscc } = await read(request);
      const signer = keystore.sealKey(uscc);
      const unsealed = prepareSeal(await drawn(content));
      const { digest } = unsealed;
      const certificate = signer.certificate.serialNumber;
      await insertSealed(database.db, { digest, number: content.number, certificate }, clock.now());
      return seal(unsealed, signer, stampDigest);
    },
  };
}
