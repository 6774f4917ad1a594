// The thread in which a presented document is opened (document-checker.ts). It is given the root's
// certificate and no key.
import { X509Certificate } from 'node:crypto';
import { z } from 'zod';
import { answerParses } from '../platform/index.ts';
import { createChainVerifier } from './certificate-chain.ts';
import { openDocument } from './open-document.ts';

const Root = z.base64();
const verifiers = new Map<string, ReturnType<typeof createChainVerifier>>();

function verifierOf(root: string): ReturnType<typeof createChainVerifier> {
  const known = verifiers.get(root);
  if (known) return known;
  const made = createChainVerifier(new X509Certificate(Buffer.from(root, 'base64')));
  verifiers.set(root, made);
  return made;
}

answerParses((bytes, root) => openDocument(Buffer.from(bytes), verifierOf(Root.parse(root))));
