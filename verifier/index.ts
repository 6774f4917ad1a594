// The face of the offline verifier. What it proves, and what not: README.md.
import { BUNDLE_FORMAT, verifyBundle } from './bundle.ts';
import { type Verdict, verifyText } from './receipt.ts';

export { verifyBundle } from './bundle.ts';
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

/** Checks whatever text it is given: a bundle, a receipt as JSON, or a plain tlog-proof. */
export async function verify(text: string, vkey: string, policy?: string): Promise<Verdict> {
  if (isBundle(text)) return verifyBundle(text.trimStart().split('\n'), vkey, policy);
  return verifyText(text, vkey, policy);
}
