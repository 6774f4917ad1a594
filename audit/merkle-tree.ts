// RFC 6962 / RFC 9162 section 2.1: the Merkle tree over SHA-256, its proofs and their verifiers.
// Sizes and indexes are safe integers (below 2^53): plain division instead of 32-bit shifts.
import { hash } from 'node:crypto';

/** Leaves start (inclusive) to end (exclusive). */
export interface LeafRange {
  start: number;
  end: number;
}

const leafPrefix = Buffer.of(0x00);
const nodePrefix = Buffer.of(0x01);

/** SHA-256(0x00 ‖ leaf). */
export function leafHash(leaf: Buffer): Buffer {
  return hash('sha256', Buffer.concat([leafPrefix, leaf]), 'buffer');
}

/** SHA-256(0x01 ‖ left ‖ right). */
export function nodeHash(left: Buffer, right: Buffer): Buffer {
  return hash('sha256', Buffer.concat([nodePrefix, left, right]), 'buffer');
}

/** MTH({}): the root of the tree without leaves. */
export const emptyRoot: Buffer = hash('sha256', Buffer.alloc(0), 'buffer');

/** MTH over leaf hashes (or over the roots of equal perfect subtrees). */
export function treeHash(hashes: readonly Buffer[]): Buffer {
  const range = createCompactRange();
  for (const each of hashes) range.append(each);
  return range.root();
}

/** The roots of the perfect subtrees a growing tree consists of, largest first. */
export interface CompactRange {
  readonly size: number;
  /** Enough to go on from here. */
  readonly frontier: readonly Buffer[];
  append(leafHash: Buffer): void;
  root(): Buffer;
}

/** Starts at `size` leaves whose perfect subtrees have the roots `frontier`, largest first. */
export function createCompactRange(size = 0, frontier: readonly Buffer[] = []): CompactRange {
  if (frontier.length !== perfectSubtrees({ start: 0, end: size }).length) {
    throw new TypeError(`A tree of ${size} leaves does not have ${frontier.length} subtrees.`);
  }
  const stack = [...frontier];
  let count = size;
  return {
    get size() {
      return count;
    },
    get frontier() {
      return [...stack];
    },
    append: (leaf) => {
      let merged = leaf;
      for (let rest = count; rest % 2 === 1; rest = Math.floor(rest / 2)) {
        merged = nodeHash(stack.pop() ?? emptyRoot, merged);
      }
      stack.push(merged);
      count++;
    },
    root: () => (count === 0 ? emptyRoot : foldRight(stack)),
  };
}

/** The root over neighbouring subtrees, each smaller than the one to its left. */
export function foldRight(subtreeRoots: readonly Buffer[]): Buffer {
  const top = subtreeRoots.at(-1);
  if (!top) throw new TypeError('No subtree, no root.');
  return subtreeRoots.slice(0, -1).reduceRight((right, left) => nodeHash(left, right), top);
}

/** Cuts a range into the largest aligned perfect subtrees, left to right. */
export function perfectSubtrees({ start, end }: LeafRange): LeafRange[] {
  const subtrees: LeafRange[] = [];
  for (let at = start; at < end; ) {
    let width = 1;
    while (at % (width * 2) === 0 && at + width * 2 <= end) width *= 2;
    subtrees.push({ start: at, end: at + width });
    at += width;
  }
  return subtrees;
}

/** The largest power of two smaller than `size` (size ≥ 2). */
function splitPoint(size: number): number {
  let point = 1;
  while (point * 2 < size) point *= 2;
  return point;
}

/** PATH(index, D[size]): the ranges whose roots form the inclusion proof, in its order. */
export function inclusionPath(index: number, size: number): LeafRange[] {
  if (!isIndex(index) || !isIndex(size) || index >= size) {
    throw new TypeError(`A tree of ${size} leaves has no leaf ${index}.`);
  }
  const path: LeafRange[] = [];
  let start = 0;
  let end = size;
  while (end - start > 1) {
    const middle = start + splitPoint(end - start);
    if (index < middle) {
      path.push({ start: middle, end });
      end = middle;
    } else {
      path.push({ start, end: middle });
      start = middle;
    }
  }
  return path.reverse();
}

/** PROOF(from, D[to]): the ranges whose roots form the consistency proof, in its order. */
export function consistencyPath(from: number, to: number): LeafRange[] {
  if (!isIndex(from) || !isIndex(to) || from < 1 || from > to) {
    throw new TypeError(`No consistency proof leads from ${from} to ${to} leaves.`);
  }
  const path: LeafRange[] = [];
  let start = 0;
  let end = to;
  while (end !== from) {
    const middle = start + splitPoint(end - start);
    if (from <= middle) {
      path.push({ start: middle, end });
      end = middle;
    } else {
      path.push({ start, end: middle });
      start = middle;
    }
  }
  // SUB's flag b: the old root itself is known to the verifier, any other last subtree is not.
  if (start > 0) path.push({ start, end });
  return path.reverse();
}

/** RFC 9162 2.1.3.2: is this leaf hash at `index` of the tree with this size and root? */
export function verifyInclusion(
  claim: { index: number; size: number; leafHash: Buffer; root: Buffer },
  proof: readonly Buffer[],
): boolean {
  if (!isIndex(claim.index) || !isIndex(claim.size) || claim.index >= claim.size) return false;
  let first = claim.index;
  let last = claim.size - 1;
  let root = claim.leafHash;
  for (const part of proof) {
    if (last === 0) return false;
    if (first % 2 === 1 || first === last) {
      root = nodeHash(part, root);
      while (first % 2 === 0 && first !== 0) {
        first /= 2;
        last = Math.floor(last / 2);
      }
    } else {
      root = nodeHash(root, part);
    }
    first = Math.floor(first / 2);
    last = Math.floor(last / 2);
  }
  return last === 0 && root.equals(claim.root);
}

/**
 * RFC 9162 2.1.4.2: is the tree of `from` leaves a prefix of the tree of `to` leaves?
 * A first size of 0 is refused, as in the transparency-dev test data: it would prove nothing.
 */
export function verifyConsistency(
  claim: { from: number; to: number; fromRoot: Buffer; toRoot: Buffer },
  proof: readonly Buffer[],
): boolean {
  const { from, to, fromRoot, toRoot } = claim;
  if (!isIndex(from) || !isIndex(to) || from < 1 || from > to) return false;
  if (from === to) return proof.length === 0 && fromRoot.equals(toRoot);
  if (proof.length === 0) return false;
  const isPerfect = splitPoint(from + 1) === from;
  const [seed, ...rest] = isPerfect ? [fromRoot, ...proof] : proof;
  if (!seed) return false;
  let first = from - 1;
  let last = to - 1;
  while (first % 2 === 1) {
    first = Math.floor(first / 2);
    last = Math.floor(last / 2);
  }
  let oldRoot = seed;
  let newRoot = seed;
  for (const part of rest) {
    if (last === 0) return false;
    if (first % 2 === 1 || first === last) {
      oldRoot = nodeHash(part, oldRoot);
      newRoot = nodeHash(part, newRoot);
      while (first % 2 === 0 && first !== 0) {
        first /= 2;
        last = Math.floor(last / 2);
      }
    } else {
      newRoot = nodeHash(newRoot, part);
    }
    first = Math.floor(first / 2);
    last = Math.floor(last / 2);
  }
  return last === 0 && oldRoot.equals(fromRoot) && newRoot.equals(toRoot);
}

function isIndex(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}
