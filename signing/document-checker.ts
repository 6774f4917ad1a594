// Checking a presented document: opened apart, in a thread without keys; then whether its certificates
// were good, and whether this house recorded sealing it.
import type { X509Certificate } from 'node:crypto';
import { z } from 'zod';
import { createParser, type Database, ParserEnded } from '../platform/index.ts';
import type { TrustedLeaf } from './certificate-chain.ts';
import { createChecks } from './checks.ts';
import { findSealed } from './document-store.ts';
import { signingErrors } from './errors.ts';
import { DOCUMENT_CHECKS, type DocumentCheck, type OpenedDocument } from './open-document.ts';

const Leaf = z.object({
  serial: z.string(),
  validFrom: z.date(),
  validTo: z.date(),
  organization: z.string(),
  uscc: z.string().nullable(),
});

const Opened: z.ZodType<OpenedDocument> = z.object({
  checks: z.array(
    z.object({
      name: z.enum(DOCUMENT_CHECKS),
      result: z.enum(['pass', 'fail', 'skipped']),
      detail: z.string(),
    }),
  ),
  sealed: z
    .object({
      leaf: Leaf,
      stamper: Leaf,
      at: z.date(),
      digest: z.hex(),
      number: z.string(),
    })
    .nullable(),
});

/** 20 MiB, the largest upload, are searched and hashed in 0.1 s; the rest is a thread's start on a busy machine. */
const limits = { megabytes: 192, seconds: 30, atOnce: 2, mostWaiting: 16 };

export interface VerifiedDocument {
  checks: DocumentCheck[];
  /** A department of this house sealed exactly this. */
  isAuthentic: boolean;
  /** Only when authentic, and recorded when it was sealed: another one may be a stolen key's. */
  number?: string;
  /** The sealing department's USCC, likewise. */
  uscc?: string | null;
}

export interface DocumentCheckerDeps {
  database: Database;
  rootCertificate: X509Certificate;
  /** Why a leaf was not to be trusted for a signature made then, or `null`. */
  leafFault: (leaf: Omit<TrustedLeaf, 'publicKey'>, signedAt: Date) => Promise<string | null>;
}

/** Binds the check to one root. */
export function createDocumentChecker(deps: DocumentCheckerDeps) {
  const { database, rootCertificate, leafFault } = deps;
  const root = rootCertificate.raw.toString('base64');
  const parse = createParser({
    module: new URL('./document-check-thread.ts', import.meta.url),
    result: Opened,
    ...limits,
  });

  async function open(bytes: Uint8Array): Promise<OpenedDocument> {
    try {
      return await parse(bytes, root);
    } catch (error) {
      if (!(error instanceof ParserEnded)) throw error;
      throw signingErrors.document_too_costly(
        'Reading this file took more time or memory than a document does. Send it as you got it.',
        { cause: error },
      );
    }
  }

  return async function verifyDocument(bytes: Uint8Array): Promise<VerifiedDocument> {
    const { checks: opened, sealed } = await open(bytes);
    if (!sealed) return { checks: opened, isAuthentic: false };
    const { leaf, stamper, at, digest, number } = sealed;
    const checks = createChecks(DOCUMENT_CHECKS, opened);
    const fault = (await leafFault(leaf, at)) ?? (await leafFault(stamper, at));
    if (fault) checks.fail('certificate_time', fault);
    else checks.pass('certificate_time', 'The certificates were good when it was sealed.');
    if (checks.hasFailed(...DOCUMENT_CHECKS)) {
      return { checks: checks.list(), isAuthentic: false };
    }
    const recorded = await findSealed(database.db, Buffer.from(digest, 'hex'));
    if (!recorded) {
      checks.fail('recorded', 'This registry has no record of sealing it: ask the department.');
      return { checks: checks.list(), isAuthentic: true };
    }
    if (recorded.number !== number || recorded.certificate !== leaf.serial) {
      checks.fail('recorded', 'This registry recorded another seal on it.');
      return { checks: checks.list(), isAuthentic: false };
    }
    checks.pass('recorded', 'This registry recorded sealing exactly this document.');
    return { checks: checks.list(), isAuthentic: true, number, uscc: leaf.uscc };
  };
}
