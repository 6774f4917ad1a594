// The growing edge of the tree in the sequencer's memory: the compact range for the root, and per
// level the hashes that don't fill a tile yet.
import { createCompactRange, treeHash } from './merkle-tree.ts';
import { hashSubtrees, splitHashes, type TiledTree, tileWidth, widthInTree } from './tiles.ts';

/** A tile that just became full, and the root over its hashes. */
export interface FullTile {
  level: number;
  n: number;
  hashes: Buffer;
  root: Buffer;
}

export interface TreeEdge {
  readonly size: number;
  root(): Buffer;
  /** Adds a leaf; returns the tiles it filled, lowest first. */
  append(leafHash: Buffer): FullTile[];
}

/** Takes up the edge of a tree. */
export async function loadTreeEdge(tree: TiledTree): Promise<TreeEdge> {
  const { size } = tree;
  const range = createCompactRange(size, await hashSubtrees({ start: 0, end: size }, tree));
  const parts: Buffer[][] = [];
  for (let level = 0; tileWidth ** level <= size; level++) {
    const n = Math.floor(size / tileWidth ** (level + 1));
    const width = widthInTree(level, n, size);
    parts.push(width === 0 ? [] : splitHashes(await tree.readTile({ level, n, width })));
  }

  function add(level: number, hash: Buffer): FullTile[] {
    const part = parts[level] ?? [];
    parts[level] = part;
    part.push(hash);
    if (part.length < tileWidth) return [];
    const root = treeHash(part);
    const n = Math.floor(range.size / tileWidth ** (level + 1)) - 1;
    const full = { level, n, hashes: Buffer.concat(part), root };
    parts[level] = [];
    return [full, ...add(level + 1, root)];
  }

  return {
    get size() {
      return range.size;
    },
    root: () => range.root(),
    append: (leafHash) => {
      range.append(leafHash);
      return add(0, leafHash);
    },
  };
}
