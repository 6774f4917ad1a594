// Inclusion and consistency proofs read from tiles (RFC 6962 section 2.1.1 and 2.1.2).
import type { TreeHead } from './checkpoint.ts';
import { consistencyPath, emptyRoot, inclusionPath, verifyConsistency } from './merkle-tree.ts';
import { hashRange, type TiledTree } from './tiles.ts';

/** The root of the tree, from its tiles. */
export async function rootOf(tree: TiledTree): Promise<Buffer> {
  return tree.size === 0 ? emptyRoot : hashRange({ start: 0, end: tree.size }, tree);
}

/** The inclusion proof of a leaf. */
export async function inclusionProof(index: number, tree: TiledTree): Promise<Buffer[]> {
  const hashes: Buffer[] = [];
  for (const range of inclusionPath(index, tree.size)) hashes.push(await hashRange(range, tree));
  return hashes;
}

/** The consistency proof from an older, non-empty tree of `from` leaves. */
export async function consistencyProof(from: number, tree: TiledTree): Promise<Buffer[]> {
  const hashes: Buffer[] = [];
  for (const range of consistencyPath(from, tree.size)) hashes.push(await hashRange(range, tree));
  return hashes;
}

/** Does the tree grow out of the older head? Proved and verified, not just looked up. */
export async function growsFrom(old: TreeHead, root: Buffer, tree: TiledTree): Promise<boolean> {
  if (old.size === 0) return old.root.equals(emptyRoot);
  if (old.size > tree.size) return false;
  return verifyConsistency(
    { from: old.size, to: tree.size, fromRoot: old.root, toRoot: root },
    await consistencyProof(old.size, tree),
  );
}
