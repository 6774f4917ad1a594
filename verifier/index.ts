// The face of the offline verifier. What it proves, and what not: README.md.
import { BUNDLE_FORMAT, verifyBundle } from './bundle.ts';
import { readCompleteness, verifyCompleteness } from './completeness.ts';
import { type Verdict, verifyText } from './receipt.ts';

export { verifyBundle } from './bundle.ts';
export { verifyCompleteness } from './completeness.ts';
export {
  type Facts,
  type Receipt,
  type Verdict,
  verifyReceipt,
  verifyTlogProof,
} from './receipt.ts';

/** True for the first line, or the whole text, of a bundle. */
export const isBundle = (text: string): boolean =>
  text.trimStart().startsWith(`{"format":"${BUNDLE_FORMAT}"`);

/**
 * Checks whatever text it is given: a bundle, a receipt as JSON, a plain tlog-proof, the proof that a list is
 * whole, or what a log has stated about itself. Of a list's proof `earlier` is an older one, nothing of which may
 * be missing. With `keys`, the list of a log's keys, its earlier and later keys count as well.
 */
export async function verify(
  text: string,
  vkey: string,
  policy?: string,
  earlier?: string,
  keys?: string,
): Promise<Verdict> {
  if (isBundle(text)) return verifyBundle(text.trimStart().split('\n'), vkey, policy, keys);
  const proof = readCompleteness(text);
  if (!proof) return verifyText(text, vkey, policy, keys);
  const before = earlier === undefined ? undefined : (readCompleteness(earlier) ?? null);
  return verifyCompleteness(proof, vkey, policy, before);
}
