// The thread in which a presented credential is opened (credential-reader.ts). It is given the root's
// certificate and no key.
import { X509Certificate } from 'node:crypto';
import { z } from 'zod';
import { answerParses } from '../platform/index.ts';
import { createChainVerifier } from './certificate-chain.ts';
import { openCredential } from './open-credential.ts';

const About = z.object({
  root: z.base64(),
  now: z.coerce.date(),
  keyBinding: z.object({ audience: z.string(), nonce: z.string() }).optional(),
});

const verifiers = new Map<string, ReturnType<typeof createChainVerifier>>();

function verifierOf(root: string): ReturnType<typeof createChainVerifier> {
  const known = verifiers.get(root);
  if (known) return known;
  const made = createChainVerifier(new X509Certificate(Buffer.from(root, 'base64')));
  verifiers.set(root, made);
  return made;
}

answerParses((bytes, about) => {
  const { root, now, keyBinding } = About.parse(about);
  const options = { now, ...(keyBinding && { keyBinding }) };
  return openCredential(Buffer.from(bytes).toString('utf8'), options, verifierOf(root));
});
