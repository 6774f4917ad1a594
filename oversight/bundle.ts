// A bundle: entries as lines of JSON that anybody checks offline (verifier/bundle.ts). First a line with
// the checkpoint all proofs lead to, then one line an entry, last a manifest over all lines before it.
// The log itself signs it: the manifest's digest is committed to by an entry whose receipt stands
// beside it, so that no bundle exists that the log doesn't know of.
import { createHash } from 'node:crypto';
import type { LogEntry } from '../audit/index.ts';
import type { AccessDetail } from '../identity/index.ts';
import { encodeBase64url } from '../platform/index.ts';
import { type AccessReceipt, openingOf } from './access-item.ts';

export const BUNDLE_FORMAT = 'yihao-bundle/v1';

/** The digest over no line. */
export const emptyChain = Buffer.alloc(32);

/** SHA-256(digest so far ‖ SHA-256(line)): a bundle goes on from each of its parts. */
export function chained(chain: Buffer, line: string): Buffer {
  const lineHash = createHash('sha256').update(line, 'utf8').digest();
  return createHash('sha256').update(chain).update(lineHash).digest();
}

export interface BundleHead {
  id: string;
  createdAt: string;
  /** What the entries were found by; never a person's identifier. */
  conditions: Record<string, string>;
  /** The signed note, with the witnesses' lines. */
  checkpoint: string;
}

export const headLine = (head: BundleHead): string =>
  JSON.stringify({ format: BUNDLE_FORMAT, ...head });

/** One entry with its inclusion proof and the openings of what it commits to. */
export function entryLine(
  entry: LogEntry,
  detail: AccessDetail,
  hashes: readonly Buffer[],
  isSubjectOpened: boolean,
): string {
  const { subj, ...others } = openingOf(detail);
  return JSON.stringify({
    index: entry.index,
    leaf: entry.leaf.toString('base64'),
    opening: isSubjectOpened && subj ? { subj, ...others } : others,
    proof: hashes.map((hash) => hash.toString('base64')),
  });
}

/** What the entry that seals a bundle says as its purpose. */
export const sealOf = (chain: Buffer): string => `${BUNDLE_FORMAT} ${encodeBase64url(chain)}`;

export const manifestLine = (
  manifest: { id: string; entries: number; digest: Buffer },
  receipt: AccessReceipt,
): string =>
  JSON.stringify({
    manifest: { ...manifest, digest: encodeBase64url(manifest.digest) },
    receipt,
  });
