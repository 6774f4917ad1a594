// A subject's list of entries, and what the map holds of it: a commitment that is only extended. Hashed in
// blocks of 256, so that a list of 100,000 costs 400 hashes to check and a handful to extend.
import { hash } from 'node:crypto';
import { createCompactRange, leafHash } from '../merkle-tree.ts';

/** Items hashed together. */
export const blockItems = 256;
export const indexBytes = 8;

/** What one keeps to extend a list without reading it: the roots of its full blocks, and the rest. */
export interface ListState {
  count: number;
  /** The perfect subtrees over the full blocks, largest first. */
  frontier: Buffer[];
  /** The items after the last full block. */
  tail: Buffer;
}

export const emptyList: ListState = { count: 0, frontier: [], tail: Buffer.alloc(0) };

/** Big-endian, 8 bytes. */
export function encodeIndex(index: number): Buffer {
  const bytes = Buffer.alloc(indexBytes);
  bytes.writeBigUInt64BE(BigInt(index));
  return bytes;
}

/** An entry not yet disclosed, with the time from which it will be (milliseconds): 16 bytes. */
export function encodePending({ index, discloseAt }: { index: number; discloseAt: Date }): Buffer {
  return Buffer.concat([encodeIndex(index), encodeIndex(discloseAt.getTime())]);
}

/** The indexes of a stored block. */
export function decodeIndexes(block: Buffer): number[] {
  return Array.from({ length: block.length / indexBytes }, (_, at) =>
    Number(block.readBigUInt64BE(at * indexBytes)),
  );
}

/** The list with more items at its end; `full` are the blocks that became full, in order. */
export function extendList(
  state: ListState,
  items: readonly Buffer[],
): { state: ListState; full: Buffer[] } {
  const itemBytes = items[0]?.length ?? indexBytes;
  const size = itemBytes * blockItems;
  const blocks = Math.floor(state.count / blockItems);
  const range = createCompactRange(blocks, state.frontier);
  const full: Buffer[] = [];
  let tail = Buffer.concat([state.tail, ...items]);
  for (; tail.length >= size; tail = tail.subarray(size)) {
    const block = tail.subarray(0, size);
    range.append(leafHash(block));
    full.push(block);
  }
  const count = state.count + items.length;
  return { state: { count, frontier: [...range.frontier], tail }, full };
}

/** The RFC 6962 root over the blocks of a list, the last one not full. */
export function listRoot({ count, frontier, tail }: ListState): Buffer {
  const range = createCompactRange(Math.floor(count / blockItems), frontier);
  if (tail.length > 0) range.append(leafHash(tail));
  return range.root();
}

/** What stands in the map: SHA-256(salt ‖ count ‖ root of the list), the salt being the subject's own. */
export function listCommitment(salt: Buffer, state: ListState): Buffer {
  return hash('sha256', Buffer.concat([salt, encodeIndex(state.count), listRoot(state)]), 'buffer');
}
