// What a log can be convicted with: two checkpoints it signed that no honest log signs both of, with
// the hashes that show it. Checked by anyone with the log's key alone, no network.
import { z } from 'zod';
import { openCheckpoint, type TreeHead } from './checkpoint.ts';
import { followKeys, originOf, verifiersOf } from './life.ts';
import { foldRight, nodeHash, perfectSubtrees } from './merkle-tree.ts';
import { decodeBase64, type NoteVerifier, parseVkey } from './signed-note.ts';
import { hashSubtrees, type ReadTile } from './tiles.ts';

const Hashes = z.array(z.string());

/** A file that stands for itself. */
export const Evidence = z.object({
  what: z.literal('yihao log evidence v1'),
  /** two_roots: one size, two trees. fork: the larger tree is no continuation of the smaller. */
  kind: z.enum(['two_roots', 'fork', 'rollback']),
  /** The log's key, as it was trusted. */
  log: z.string(),
  /** Where the log has had other keys since: its list of them (GET /log/vkeys). */
  keys: z.string().optional(),
  /** The checkpoint known first, and the one shown after it, as they were signed. */
  known: z.string(),
  shown: z.string(),
  /** When the second was shown, by the monitor's clock. */
  shownAt: z.string(),
  /** For a fork: roots of perfect subtrees of the larger tree, over the smaller one's leaves and the rest. */
  subtrees: z.object({ before: Hashes, after: Hashes }).optional(),
});
export type Evidence = z.infer<typeof Evidence>;

/** What comparing two checkpoints of a log shows. */
export type Comparison =
  | { kind: 'same' | 'grown' }
  /** The tiles that were served don't belong to the checkpoint: nothing is shown either way. */
  | { kind: 'unproved' }
  | { kind: 'evidence'; evidence: Evidence };

/** Compares what is shown now with what was known before; `readTile` reads tiles of the larger tree. */
export async function compareCheckpoints(
  {
    known,
    shown,
    log,
    vkey,
    keys,
    at,
  }: {
    known: string;
    shown: string;
    /** Its keys, any of which may have signed. */
    log: readonly NoteVerifier[];
    vkey: string;
    keys?: string | undefined;
    at: Date;
  },
  readTile: ReadTile,
): Promise<Comparison> {
  const [before, after] = [openCheckpoint(known, log), openCheckpoint(shown, log)];
  const base = {
    what: 'yihao log evidence v1' as const,
    log: vkey,
    ...(keys !== undefined && { keys }),
    known,
    shown,
    shownAt: at.toISOString(),
  };
  if (before.size === after.size) {
    if (before.root.equals(after.root)) return { kind: 'same' };
    return { kind: 'evidence', evidence: { ...base, kind: 'two_roots' } };
  }
  if (after.size < before.size) {
    return { kind: 'evidence', evidence: { ...base, kind: 'rollback' } };
  }
  const tree = { size: after.size, readTile };
  const [head, tail] = await Promise.all([
    hashSubtrees({ start: 0, end: before.size }, tree),
    hashSubtrees({ start: before.size, end: after.size }, tree),
  ]);
  if (!joinsTo(before.size, after, head, tail)) return { kind: 'unproved' };
  if (before.size === 0 || foldRight(head).equals(before.root)) return { kind: 'grown' };
  const base64 = (hashes: Buffer[]) => hashes.map((hash) => hash.toString('base64'));
  const subtrees = { before: base64(head), after: base64(tail) };
  return { kind: 'evidence', evidence: { ...base, kind: 'fork', subtrees } };
}

/**
 * What a piece of evidence shows against the log with this key, checked anew; undefined when it shows
 * nothing.
 */
export function judgeEvidence(evidence: Evidence, vkey: string): string | undefined {
  const log =
    evidence.keys === undefined
      ? [parseVkey(vkey)]
      : followKeys(vkey, evidence.keys).epochs.flatMap(verifiersOf);
  const [known, shown] = [openCheckpoint(evidence.known, log), openCheckpoint(evidence.shown, log)];
  // Two names are two logs: what the later one took over is what it states.
  if (originOf(evidence.known) !== originOf(evidence.shown)) return undefined;
  if (known.size === shown.size) {
    return known.root.equals(shown.root)
      ? undefined
      : `The log signed two different trees of ${known.size} entries.`;
  }
  if (known.size > shown.size) {
    return `The log was shown with ${shown.size} entries at ${evidence.shownAt} though it had signed ${known.size}. The time is the monitor's word.`;
  }
  const before = readHashes(evidence.subtrees?.before);
  const after = readHashes(evidence.subtrees?.after);
  const isFork =
    before !== undefined &&
    after !== undefined &&
    before.length === perfectSubtrees({ start: 0, end: known.size }).length &&
    joinsTo(known.size, shown, before, after) &&
    !foldRight(before).equals(known.root);
  return isFork
    ? `The log signed a tree of ${shown.size} entries whose first ${known.size} are not those it signed before.`
    : undefined;
}

/** Whether the roots over the first `size` leaves and over the rest make the root of the whole tree. */
function joinsTo(size: number, whole: TreeHead, before: Buffer[], after: Buffer[]): boolean {
  const ranges = [
    ...perfectSubtrees({ start: 0, end: size }),
    ...perfectSubtrees({ start: size, end: whole.size }),
  ];
  const hashes = [...before, ...after];
  if (hashes.length !== ranges.length || hashes.length === 0) return false;
  const stack: { start: number; width: number; hash: Buffer }[] = [];
  for (const [at, { start, end }] of ranges.entries()) {
    let top = { start, width: end - start, hash: hashes[at] ?? Buffer.alloc(0) };
    for (let left = stack.at(-1); left && areSiblings(left, top); left = stack.at(-1)) {
      stack.pop();
      top = { start: left.start, width: left.width * 2, hash: nodeHash(left.hash, top.hash) };
    }
    stack.push(top);
  }
  return foldRight(stack.map(({ hash }) => hash)).equals(whole.root);
}

function areSiblings(
  left: { start: number; width: number },
  right: { start: number; width: number },
): boolean {
  return left.width === right.width && left.start % (left.width * 2) === 0;
}

function readHashes(texts: readonly string[] | undefined): Buffer[] | undefined {
  const hashes = texts?.map(decodeBase64) ?? [];
  return texts && hashes.every((hash) => hash?.length === 32)
    ? hashes.filter((hash) => hash !== undefined)
    : undefined;
}
